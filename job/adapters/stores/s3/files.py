"""Copy tables and suites from S3 to local files: each object is read once, at one version.

How it works
------------
1. The URI names an object or, if there is no such object, a prefix.  The objects below the prefix
   that are parts of a table become the files of one folder.
2. Keys that cannot be file names in that folder are rejected before anything is written.
3. `HEAD` returns the size, and the ETag or version id.  The size is compared with the free
   temporary space.  Every later read is pinned to the ETag or version id.
4. A few threads fetch parts of 16 MiB, and write each one at its own offset.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from job.adapters.host_limits import Memory, free_temporary_bytes
from job.adapters.stores.s3.client import Connection, split_uri
from job.adapters.stores.s3.errors import error_code, is_absent, translating_errors
from job.adapters.stores.s3.parts import PART_BYTES, in_parallel
from job.adapters.stores.s3.reads import Reader, list_below, object_changed, pin_version
from job.adapters.tables.folder_rules import select_parts
from job.adapters.tables.formats import strip_ending
from job.contracts.store_bounds import MAX_JSON_BYTES
from job.contracts.store_keys import is_key
from job.errors import (
    ConfigurationError,
    DatasetNotFoundError,
    DatasetUnreadableError,
    IntegrityError,
)

if TYPE_CHECKING:
    from job.adapters.stores.s3.api import HeadAnswer


class S3Files:
    """Copies objects from S3 to local files in a folder of this run."""

    def __init__(self, connection: Connection, folder: Path) -> None:
        self._client, self._host = connection.client, connection.host
        self._reader = Reader(connection)
        self._folder, self._memory = folder, Memory()

    def copy(self, uri: str) -> Path:
        """Copy an object and its sidecar (metadata file), or the parts of a table below a prefix.

        All bytes of an object come from one version id or ETag.

        Raises
        ------
        DatasetNotFoundError
            There is neither an object with this key nor one below this prefix.
        DatasetUnreadableError
            A key below the prefix cannot be a file name in a folder, or it is not clear whether it
            is a part of the table.
        ConfigurationError
            The temporary space is too small.
        TransientError
            An object changed while it was read.
        """
        bucket, key = split_uri(uri)
        target = self._folder / f"{len(list(self._folder.iterdir()))}" / key.rpartition("/")[2]
        with translating_errors(self._host, uri):
            head = self._head(bucket, key) if key else None
            if head is not None:
                self._copy(bucket, key, head, target)
                self._copy_sidecar(bucket, key, target)
                return target
            names = self._list_file_names(bucket, f"{key}/" if key else "")
            # before the copy, which can take long
            for name in select_parts(uri, names) if names else ():
                full_key = f"{key}/{name}" if key else name
                self._copy(bucket, full_key, self._head(bucket, full_key), target / name)
        if not names:
            raise DatasetNotFoundError(
                f"object '{uri}' does not exist",
                hint="check --dataset (dataset.uri), and whether the upstream export has finished",
            )
        return target

    def _list_file_names(self, bucket: str, prefix: str) -> list[str]:
        """Return the keys below a prefix, relative to it; raise if one cannot be a file name."""
        items = list_below(self._client, bucket, prefix)
        # NOTE: consoles represent a folder as an empty object whose key ends with a slash
        names = [
            item["Key"].removeprefix(prefix)
            for item in items
            if item["Size"] or not item["Key"].endswith("/")
        ]
        folders = {parent for name in names for parent in _parents(name)}
        for name in names:
            if not is_key(name) or name in folders:
                raise DatasetUnreadableError(
                    f"'s3://{bucket}/{prefix}' has an object whose name {name!r} is not a valid "
                    "file name",
                    hint="rename the object: no part between slashes may be empty, '.' or '..', "
                    "and the name must not also be a folder, as in NAME/other",
                )
        return names

    def _head(self, bucket: str, key: str) -> HeadAnswer | None:
        try:
            return self._client.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if is_absent(error):
                return None
            raise

    def _copy_sidecar(self, bucket: str, key: str, target: Path) -> None:
        for name in dict.fromkeys((f"{key}.metadata.json", f"{strip_ending(key)}.metadata.json")):
            try:
                sidecar = self._reader.read(
                    {"Bucket": bucket, "Key": name}, max_bytes=MAX_JSON_BYTES
                )
            except ClientError as error:
                # NOTE: without the list permission, S3 answers "denied" for a missing object
                if error_code(error) == "AccessDenied":
                    continue
                raise
            except IntegrityError as error:
                raise DatasetUnreadableError(
                    f"'s3://{bucket}/{name}' is too large: the metadata file of a table may have "
                    f"at most {MAX_JSON_BYTES:,} bytes",
                    hint="repair or remove the file",
                ) from error
            if sidecar is not None:
                target.with_name(name.rpartition("/")[2]).write_bytes(sidecar[0])

    def _copy(self, bucket: str, key: str, head: HeadAnswer | None, target: Path) -> None:
        location = {"Bucket": bucket, "Key": key}
        if head is None:
            raise object_changed(location)
        n_bytes = head["ContentLength"]
        target.parent.mkdir(parents=True, exist_ok=True)
        free = free_temporary_bytes(self._folder, self._memory)
        if free < n_bytes:
            raise ConfigurationError(
                f"'s3://{bucket}/{key}' needs {-(-n_bytes // 2**20)} MiB of temporary space in "
                f"{self._folder.parent}, but {free // 2**20} MiB are free",
                hint="set TMPDIR to a folder with space for the table (files in a tmpfs count "
                "against the memory limit)",
            )
        pin = pin_version(location, head)
        # NOTE: an existing file, or the target of a link, must not be overwritten
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)

        def fetch(n: int) -> None:
            start = n * PART_BYTES
            for piece in self._reader.span(pin, start, min(start + PART_BYTES, n_bytes)):
                _write(descriptor, piece, start)
                start += len(piece)

        try:
            in_parallel(fetch, range(-(-n_bytes // PART_BYTES)))
        finally:
            os.close(descriptor)
        seconds = head["LastModified"].timestamp()
        os.utime(target, (seconds, seconds))


def _write(descriptor: int, data: bytes, start: int) -> None:
    """Write all bytes at an offset; a single `pwrite` may write only some of them."""
    remaining = memoryview(data)
    while remaining:
        n_written = os.pwrite(descriptor, remaining, start)
        remaining, start = remaining[n_written:], start + n_written


def _parents(name: str) -> list[str]:
    """Return the paths of all folders above the file `name`."""
    parts = name.split("/")
    return ["/".join(parts[:n]) for n in range(1, len(parts))]
