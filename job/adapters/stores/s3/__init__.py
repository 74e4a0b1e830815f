"""The artifact store in an S3 bucket: conditional writes, verified bytes, limited retries.

How it works
------------
1. A key becomes an object below the prefix of the store's URI; keys with parts such as `..` are
   rejected.
2. `put_if_absent` writes with `If-None-Match: *`, `compare_and_swap` with `If-Match: <ETag>`, so S3
   itself decides which of two writers succeeds.
3. If a retried write is rejected, its first attempt may have succeeded.  Therefore the stored bytes
   are compared with the bytes that were sent.
4. A write whose SHA-256 the store did not check is read back and compared.
5. Reads are pinned to one ETag or version id, and resume where a connection breaks.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Final

from botocore.exceptions import ClientError

from job.adapters.stores.s3.client import Connection, split_uri
from job.adapters.stores.s3.clock import read_date
from job.adapters.stores.s3.errors import (
    count_retries,
    error_code,
    http_status,
    is_absent,
    is_precondition_failed,
    translating_errors,
)
from job.adapters.stores.s3.probe import probe
from job.adapters.stores.s3.reads import Reader, list_below, list_names
from job.adapters.stores.s3.uploads import upload, write_options
from job.contracts.settings.store import StoreSpec
from job.contracts.store_keys import ObjectInfo, ProbeStep, check_key, is_job_key, is_key
from job.errors import IntegrityError, TransientError

_MAX_TRIES: Final = 5


class S3Store:
    """A store whose keys are objects below a prefix of one bucket.

    Parameters
    ----------
    connection
        The S3 client and its host, as returned by `connect`.
    spec
        The store's URI and the options for stored objects.
    """

    def __init__(self, connection: Connection, spec: StoreSpec) -> None:
        self._client, self._host = connection.client, connection.host
        self._reader = Reader(connection)
        self._bucket, prefix = split_uri(spec.uri)
        self._root = f"{prefix}/" if prefix else ""
        self._options = write_options(spec)
        self.uri = f"s3://{self._bucket}/{prefix}".rstrip("/")
        self.where = f"the store at {self._host} ('{self.uri}')"

    def get(self, key: str, *, max_bytes: int) -> bytes | None:
        """Return the bytes of an object, or None if it does not exist.

        Raises
        ------
        IntegrityError
            The object has more than `max_bytes` bytes.
        """
        stored = self.read(key, max_bytes=max_bytes)
        return None if stored is None else stored[0]

    def pieces(self, key: str) -> Generator[bytes, None, None]:
        """Yield the bytes of an object in pieces, in order; yield nothing if it does not exist."""
        with self._translating_errors(key):
            yield from self._reader.pieces(self._location(key))

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Create an object; return False, and change nothing, if the key exists."""
        for n in range(_MAX_TRIES):
            is_written = self._write(key, data, IfNoneMatch="*")
            # NOTE: 409 means that another write was in progress, not that it succeeded
            if is_written is not None:
                return is_written
            if self.head(key) is not None:
                return False
            time.sleep(0.1 * 2**n)
        raise TransientError(
            f"'{key}' in {self.uri} is being written by another process", hint="run again"
        )

    def compare_and_swap(self, key: str, expected: bytes | None, data: bytes) -> bool:
        """Replace an object if its bytes are `expected`, and return whether it was replaced.

        If `expected` is None, create the object if it does not exist.
        """
        if expected is None:
            return self.put_if_absent(key, data)
        tag = self._tag_of(key, expected)
        return tag is not None and bool(self._write(key, data, IfMatch=tag))

    def keys(self, prefix: str, after: str = "") -> Iterator[str]:
        """List the valid keys that begin with a prefix and are greater than `after`, sorted."""
        return (key for key, _ in self.entries(prefix, after))

    def entries(self, prefix: str, after: str = "") -> Iterator[tuple[str, ObjectInfo]]:
        """List the keys that `keys` lists, with the size and modification time of each object."""
        with self._translating_errors(prefix):
            items = list_below(
                self._client,
                self._bucket,
                f"{self._root}{prefix}",
                after=f"{self._root}{after}" if after else "",
            )
        for item in sorted(items, key=lambda item: item["Key"]):
            # NOTE: consoles represent a folder as an empty object whose key ends with a slash
            key = item["Key"].removeprefix(self._root)
            if is_key(key):
                yield key, ObjectInfo(n_bytes=item["Size"], modified_at=item["LastModified"])

    def names(self, prefix: str) -> Iterator[str]:
        """List the keys that begin with a prefix, cut after the next slash; each once, sorted."""
        with self._translating_errors(prefix):
            names = list_names(self._client, self._bucket, f"{self._root}{prefix}")
        found = (name.removeprefix(self._root) for name in names)
        yield from sorted(name for name in found if is_key(name.removesuffix("/")))

    def head(self, key: str) -> ObjectInfo | None:
        """Return size and modification time of an object, or None if it does not exist."""
        with self._translating_errors(key):
            try:
                answer = self._client.head_object(**self._location(key))
            except ClientError as error:
                if is_absent(error):
                    return None
                raise
        return ObjectInfo(n_bytes=answer["ContentLength"], modified_at=answer["LastModified"])

    def delete(self, key: str) -> None:
        """Remove an object, if it exists."""
        with self._translating_errors(key):
            self._client.delete_object(**self._location(key))

    def read_clock(self) -> datetime:
        """Return the time in the `Date` header of the store's answer, rounded up to a second."""
        with self._translating_errors(""):
            answer = self._client.list_objects_v2(
                Bucket=self._bucket, Prefix=f"{self._root}probe/", MaxKeys=1
            )
        return read_date(answer, self.where)

    def probe(self, token: str) -> tuple[ProbeStep, ...]:
        """Test each required operation on the key `probe/<token>`, and remove that key."""
        return probe(self, f"probe/{token}")

    def clear_unfinished(self, before: datetime, *, is_dry_run: bool) -> list[str]:
        """Abort multipart uploads of this job that began before a time; return their keys."""
        cleared = []
        with self._translating_errors(""):
            # NOTE: MinIO lists the uploads of one key or of the whole bucket, not of a prefix
            pages = self._client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self._bucket
            )
            for item in [item for page in pages for item in page.get("Uploads", ())]:
                key = item["Key"].removeprefix(self._root)
                is_below = item["Key"].startswith(self._root)
                # NOTE: other users of the bucket have unfinished uploads as well
                if item["Initiated"] >= before or not is_below or not is_job_key(key):
                    continue
                cleared.append(key)
                if not is_dry_run:
                    self._client.abort_multipart_upload(
                        Bucket=self._bucket, Key=item["Key"], UploadId=item["UploadId"]
                    )
        return sorted(cleared)

    def read(self, key: str, *, max_bytes: int) -> tuple[bytes, str] | None:
        """Return an object's bytes and ETag, or None if it does not exist.

        Raises
        ------
        IntegrityError
            The object has more than `max_bytes` bytes.
        """
        with self._translating_errors(key):
            return self._reader.read(self._location(key), max_bytes=max_bytes)

    def answer(self, key: str, data: bytes, **condition: str) -> str:
        """Return the HTTP status or error code with which the store answers a conditional write."""
        with self._translating_errors(key):
            try:
                upload(self._client, self._location(key), data, self._options, **condition)
            except ClientError as error:
                if not (
                    is_precondition_failed(error) or is_absent(error) or http_status(error) == 501
                ):
                    raise
                if not self._is_own_first_try(error, key, data):
                    return f"{http_status(error)} {error_code(error)}"
        return "200"

    def _is_own_first_try(self, error: ClientError, key: str, data: bytes) -> bool:
        """Return whether a retried request was rejected because its first attempt succeeded."""
        return count_retries(error) > 0 and self._tag_of(key, data) is not None

    def _write(self, key: str, data: bytes, **condition: str) -> bool | None:
        """Write if a condition holds; return whether it held, or None on a write conflict (409)."""
        with self._translating_errors(key):
            try:
                is_checked = upload(
                    self._client, self._location(key), data, self._options, **condition
                )
            except ClientError as error:
                if not (
                    is_precondition_failed(error) or ("IfMatch" in condition and is_absent(error))
                ):
                    raise
                if self._is_own_first_try(error, key, data):
                    return True
                return None if http_status(error) == 409 else False
        if not is_checked and self._tag_of(key, data) is None:
            raise IntegrityError(
                f"'{key}' in {self.uri} differs from the bytes that were written",
                hint="check the store's disks and the proxies in front of it, then run again",
            )
        return True

    def _tag_of(self, key: str, data: bytes) -> str | None:
        """Return the ETag of an object if it has exactly these bytes; otherwise None."""
        try:
            stored = self.read(key, max_bytes=len(data))
        except IntegrityError:  # it is larger
            return None
        return None if stored is None or stored[0] != data else stored[1]

    def _location(self, key: str) -> dict[str, str]:
        check_key(key)
        return {
            "Bucket": self._bucket,
            "Key": f"{self._root}{key}",
        }

    def _translating_errors(self, key: str) -> AbstractContextManager[None]:
        return translating_errors(self._host, f"{self.uri}/{key}")
