"""Copy tables and suites from S3 to local files: each object read once, at one version."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from job.adapters.host_limits import Memory, free_temporary_bytes
from job.adapters.stores.s3.client import Connection, split_uri
from job.adapters.stores.s3.errors import code_of, is_absent, translated
from job.adapters.stores.s3.parts import PART_BYTES, in_parallel
from job.adapters.stores.s3.reads import Reader, changed, list_below, pinned
from job.contracts.store_keys import is_key
from job.errors import ConfigurationError, DatasetNotFoundError, DatasetUnreadableError


class S3Files:
    """Objects as files in a folder of this run."""

    def __init__(self, connection: Connection, folder: Path) -> None:
        self._client, self._host = connection.client, connection.host
        self._reader = Reader(connection)
        self._folder, self._memory = folder, Memory()

    def copy(self, uri: str) -> Path:
        """Copy an object and its sidecar, or every object below a prefix.

        The bytes are those of one version id or ETag from the first to the last.

        Raises
        ------
        DatasetNotFoundError
            There is nothing.
        DatasetUnreadableError
            A key below the prefix cannot be the name of a file in a folder.
        ConfigurationError
            There is no room for it.
        TransientError
            An object changed while it was read.
        """
        bucket, key = split_uri(uri)
        target = self._folder / f"{len(list(self._folder.iterdir()))}" / key.rpartition("/")[2]
        with translated(self._host, uri):
            head = self._head(bucket, key) if key else None
            if head is not None:
                self._copy(bucket, key, head, target)
                self._copy_sidecar(bucket, key, target)
                return target
            found = self._below(bucket, f"{key}/" if key else "")
            for inner in found:
                whole = f"{key}/{inner}" if key else inner
                self._copy(bucket, whole, self._head(bucket, whole), target / inner)
        if not found:
            raise DatasetNotFoundError(
                f"no such object: '{uri}'",
                hint="check dataset.uri, or whether the upstream export has finished",
            )
        return target

    def _below(self, bucket: str, prefix: str) -> list[str]:
        """List the objects below a prefix; each is a file below one folder, or all are refused."""
        items = list_below(self._client, bucket, prefix)
        # NOTE: an empty object whose key ends with a slash is how consoles show a folder
        names = [
            item["Key"].removeprefix(prefix)
            for item in items
            if item["Size"] or not item["Key"].endswith("/")
        ]
        folders = {parent for name in names for parent in _parents(name)}
        for name in names:
            if not is_key(name) or name in folders:
                raise DatasetUnreadableError(
                    f"'s3://{bucket}/{prefix}' holds an object whose name {name!r} cannot be that "
                    "of a file",
                    hint="name the parts plainly: no empty part, '.' or '..', and no file that is "
                    "a folder too",
                )
        return names

    def _head(self, bucket: str, key: str) -> Any:
        try:
            return self._client.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if is_absent(error):
                return None
            raise

    def _copy_sidecar(self, bucket: str, key: str, target: Path) -> None:
        stem = re.sub(r"(?i)\.(parquet|pq|csv|csv\.gz)$", "", key)
        for name in dict.fromkeys((f"{key}.metadata.json", f"{stem}.metadata.json")):
            try:
                found = self._reader.read({"Bucket": bucket, "Key": name})
            except ClientError as error:
                # NOTE: without the right to list, what is absent is "denied"
                if code_of(error) == "AccessDenied":
                    continue
                raise
            if found is not None:
                target.with_name(name.rpartition("/")[2]).write_bytes(found[0])

    def _copy(self, bucket: str, key: str, head: Any, target: Path) -> None:
        where = {"Bucket": bucket, "Key": key}
        if head is None:
            raise changed(where)
        n_bytes = head["ContentLength"]
        target.parent.mkdir(parents=True, exist_ok=True)
        free = free_temporary_bytes(self._folder, self._memory)
        if free < n_bytes:
            raise ConfigurationError(
                f"'s3://{bucket}/{key}' needs {-(-n_bytes // 2**20)} MiB of temporary space in "
                f"{self._folder.parent}, and there are {free // 2**20} MiB",
                hint="give temporary space of the table's size (a tmpfs counts against the memory "
                "limit), or set TMPDIR",
            )
        pin = pinned(where, head)
        # NOTE: nothing that is there already is written to, nor what a link points to
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
    """Write all of it: a disk that fills up takes a part, and only then refuses."""
    rest = memoryview(data)
    while rest:
        n_written = os.pwrite(descriptor, rest, start)
        rest, start = rest[n_written:], start + n_written


def _parents(name: str) -> list[str]:
    """Name the folders that a file of that name needs."""
    parts = name.split("/")
    return ["/".join(parts[:n]) for n in range(1, len(parts))]
