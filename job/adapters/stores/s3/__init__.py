"""The artifact store in an S3 bucket: conditional writes, checked bytes, bounded retries."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Final

from botocore.exceptions import ClientError

from job.adapters.stores.s3.client import Connection, split_uri
from job.adapters.stores.s3.errors import (
    code_of,
    is_absent,
    is_precondition_failed,
    n_retries,
    status_of,
    translated,
)
from job.adapters.stores.s3.probe import probe
from job.adapters.stores.s3.reads import Reader, list_below
from job.adapters.stores.s3.uploads import upload, write_options
from job.contracts.settings.store import StoreSpec
from job.contracts.store_keys import ObjectInfo, ProbeStep, check_key, is_job_key
from job.errors import IntegrityError, TransientError

_N_CONFLICTS: Final = 5


class S3Store:
    """Keys below a prefix of one bucket.

    Parameters
    ----------
    connection
        From `connect`.
    spec
        The URI and how objects are stored.
    """

    def __init__(self, connection: Connection, spec: StoreSpec) -> None:
        self._client, self._host = connection.client, connection.host
        self._reader = Reader(connection)
        self._bucket, self._prefix = split_uri(spec.uri)
        self._options = write_options(spec)
        self.uri = f"s3://{self._bucket}/{self._prefix}".rstrip("/")
        self.where = f"the store at {self._host} ('{self.uri}')"

    def get(self, key: str) -> bytes | None:
        """Read an object, or None where there is none."""
        found = self.read(key)
        return None if found is None else found[0]

    def pieces(self, key: str) -> Generator[bytes, None, None]:
        """Read an object piece by piece, in order; none where there is no object."""
        with self._translated(key):
            yield from self._reader.pieces(self._at(key))

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Create an object; False where the key is taken."""
        for n in range(_N_CONFLICTS):
            is_written = self._write(key, data, IfNoneMatch="*")
            # NOTE: 409 says that another write was under way, not that it went through
            if is_written is not None:
                return is_written
            if self.get(key) is not None:
                return False
            time.sleep(0.1 * 2**n)
        raise TransientError(f"'{key}' in {self.uri} is written by others", hint="run again")

    def compare_and_swap(self, key: str, expected: bytes | None, data: bytes) -> bool:
        """Replace an object if it still holds `expected` (None: is absent)."""
        if expected is None:
            return self.put_if_absent(key, data)
        found = self.read(key)
        if found is None or found[0] != expected:
            return False
        return bool(self._write(key, data, IfMatch=found[1]))

    def keys(self, prefix: str) -> Iterator[str]:
        """List the keys below a prefix, sorted."""
        inner = f"{self._prefix}/" if self._prefix else ""
        with self._translated(prefix):
            items = list_below(self._client, self._bucket, f"{inner}{prefix}")
        found = [item["Key"] for item in items]
        yield from sorted(key.removeprefix(inner) for key in found if not key.endswith("/"))

    def head(self, key: str) -> ObjectInfo | None:
        """Return size and age of an object, or None where there is none."""
        with self._translated(key):
            try:
                answer = self._client.head_object(**self._at(key))
            except ClientError as error:
                if is_absent(error):
                    return None
                raise
        return ObjectInfo(n_bytes=answer["ContentLength"], modified_at=answer["LastModified"])

    def delete(self, key: str) -> None:
        """Remove one object; absent is fine."""
        with self._translated(key):
            self._client.delete_object(**self._at(key))

    def probe(self, token: str) -> tuple[ProbeStep, ...]:
        """Try every ability under `probe/<token>`, and remove it again."""
        return probe(self, f"probe/{token}")

    def clear_unfinished(self, before: datetime, *, is_dry_run: bool) -> list[str]:
        """Abort multipart uploads of this job that began before; name their keys."""
        inner = f"{self._prefix}/" if self._prefix else ""
        cleared = []
        with self._translated(""):
            # NOTE: MinIO lists uploads of one whole key or of the whole bucket, not below a prefix
            pages = self._client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self._bucket
            )
            for item in [item for page in pages for item in page.get("Uploads", ())]:
                key = item["Key"].removeprefix(inner)
                is_below = item["Key"].startswith(inner)
                # NOTE: the bucket's other users have uploads too
                if item["Initiated"] >= before or not is_below or not is_job_key(key):
                    continue
                cleared.append(key)
                if not is_dry_run:
                    self._client.abort_multipart_upload(
                        Bucket=self._bucket, Key=item["Key"], UploadId=item["UploadId"]
                    )
        return sorted(cleared)

    def read(self, key: str) -> tuple[bytes, str] | None:
        """Return an object's bytes and ETag, or None where there is none."""
        with self._translated(key):
            return self._reader.read(self._at(key))

    def answer(self, key: str, data: bytes, **condition: str) -> str:
        """Say what the store answers to a conditional write."""
        with self._translated(key):
            try:
                upload(self._client, self._at(key), data, self._options, **condition)
            except ClientError as error:
                if not (
                    is_precondition_failed(error) or is_absent(error) or status_of(error) == 501
                ):
                    raise
                if not self._is_own_first_try(error, key, data):
                    return f"{status_of(error)} {code_of(error)}"
        return "200"

    def _is_own_first_try(self, error: ClientError, key: str, data: bytes) -> bool:
        """Return whether a request that was tried again has met what its own first try wrote."""
        return n_retries(error) > 0 and self.get(key) == data

    def _write(self, key: str, data: bytes, **condition: str) -> bool | None:
        """Write under a condition; False where it is not met, None where the store is unsure."""
        with self._translated(key):
            try:
                is_checked = upload(self._client, self._at(key), data, self._options, **condition)
            except ClientError as error:
                if not (
                    is_precondition_failed(error) or ("IfMatch" in condition and is_absent(error))
                ):
                    raise
                if self._is_own_first_try(error, key, data):
                    return True
                return None if status_of(error) == 409 else False
        if not is_checked and self.get(key) != data:
            raise IntegrityError(
                f"'{key}' in {self.uri} does not hold the bytes that were sent",
                hint="check the store's disks and proxies, then run again",
            )
        return True

    def _at(self, key: str) -> dict[str, str]:
        check_key(key)
        return {
            "Bucket": self._bucket,
            "Key": f"{self._prefix}/{key}" if self._prefix else key,
        }

    def _translated(self, key: str) -> AbstractContextManager[None]:
        return translated(self._host, f"{self.uri}/{key}")
