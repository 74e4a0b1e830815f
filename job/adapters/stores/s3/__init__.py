"""The artifact store in an S3 bucket: conditional writes, checked bytes, bounded retries."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError, IncompleteReadError

from job.adapters.stores.s3.client import Connection, split_uri
from job.adapters.stores.s3.faults import (
    code_of,
    is_absent,
    is_beaten,
    n_retries,
    status_of,
    translated,
)
from job.adapters.stores.s3.uploads import PART_BYTES, in_parallel, upload, write_options
from job.contracts.store_specs import StoreSpec
from job.contracts.stored import ObjectInfo, ProbeStep, check_key
from job.errors import IntegrityError, TransientError

_N_READS: Final = 4
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
        self._bucket, self._prefix = split_uri(spec.uri)
        self._options = write_options(spec)
        self.uri = f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    def get(self, key: str) -> bytes | None:
        """Read an object, or None where there is none."""
        found = self._read(key)
        return None if found is None else found[0]

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
        found = self._read(key)
        if found is None or found[0] != expected:
            return False
        return bool(self._write(key, data, IfMatch=found[1]))

    def keys(self, prefix: str) -> Iterator[str]:
        """List the keys below a prefix, sorted."""
        inner = f"{self._prefix}/" if self._prefix else ""
        with self._translated(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=f"{inner}{prefix}"
            )
            found = [item["Key"] for page in pages for item in page.get("Contents", ())]
        yield from sorted(key.removeprefix(inner) for key in found if not key.endswith("/"))

    def head(self, key: str) -> ObjectInfo | None:
        """Give size and age of an object, or None where there is none."""
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
        key, other = f"probe/{token}", '"00000000000000000000000000000000"'
        written = self._answer(key, b"1", IfNoneMatch="*")
        found = self._read(key)
        is_read = found is not None and found[0] == b"1"
        again = self._answer(key, b"2", IfNoneMatch="*")
        stale = self._answer(key, b"3", IfMatch=other)
        found = self._read(key)
        swapped = self._answer(key, b"4", IfMatch=found[1] if found else other)
        is_listed = key in self.keys(key)
        self.delete(key)
        is_deleted = self.head(key) is None
        return (
            ProbeStep(name="writes", is_met=written == "200", answer=written),
            ProbeStep(name="reads", is_met=is_read, answer="same bytes" if is_read else "others"),
            ProbeStep(name="creates_once", is_met=again != "200", answer=again),
            ProbeStep(
                name="swaps",
                is_met=stale != "200" and swapped == "200",
                answer=f"{stale} to a stale condition, {swapped} to a true one",
            ),
            ProbeStep(name="lists", is_met=is_listed, answer="there" if is_listed else "absent"),
            ProbeStep(name="deletes", is_met=is_deleted, answer="gone" if is_deleted else "there"),
        )

    def clear_unfinished(self, before: datetime, *, is_dry_run: bool) -> list[str]:
        """Abort multipart uploads that began before; name their keys."""
        inner = f"{self._prefix}/" if self._prefix else ""
        cleared = []
        with self._translated(""):
            # NOTE: MinIO lists uploads of one whole key or of the whole bucket, not below a prefix
            pages = self._client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self._bucket
            )
            for item in [item for page in pages for item in page.get("Uploads", ())]:
                if item["Initiated"] >= before or not item["Key"].startswith(inner):
                    continue
                cleared.append(item["Key"].removeprefix(inner))
                if not is_dry_run:
                    self._client.abort_multipart_upload(
                        Bucket=self._bucket, Key=item["Key"], UploadId=item["UploadId"]
                    )
        return sorted(cleared)

    def _read(self, key: str) -> tuple[bytes, str] | None:
        """Give bytes and ETag; a body that breaks off is asked for again."""
        with self._translated(key):
            for n in range(1, _N_READS + 1):
                try:
                    answer = self._client.get_object(**self._at(key))
                    return self._body(key, answer), answer["ETag"]
                except ClientError as error:
                    if is_absent(error):
                        return None
                    raise
                except BotoCoreError:
                    if n == _N_READS:
                        raise
        raise AssertionError("unreachable")

    def _body(self, key: str, answer: dict[str, Any]) -> bytes:
        """Read a body, a large one by parts at once, all of the same ETag."""
        body, n_bytes = answer["Body"], answer["ContentLength"]
        if n_bytes <= 2 * PART_BYTES:
            return bytes(body.read())
        pin = {**self._at(key), "IfMatch": answer["ETag"]}
        whole = bytearray(n_bytes)

        def read(n: int) -> None:
            target = memoryview(whole)[n * PART_BYTES : (n + 1) * PART_BYTES]
            span = f"bytes={n * PART_BYTES}-{n * PART_BYTES + len(target) - 1}"
            source = self._client.get_object(**pin, Range=span)["Body"] if n else body
            while target:
                n_read = source.readinto(target)
                if not n_read:
                    raise IncompleteReadError(actual_bytes=0, expected_bytes=len(target))
                target = target[n_read:]

        try:
            in_parallel(read, range(-(-n_bytes // PART_BYTES)))
        finally:
            body.close()
        return bytes(whole)

    def _write(self, key: str, data: bytes, **condition: str) -> bool | None:
        """Write under a condition; False where it is not met, None where the store is unsure."""
        with self._translated(key):
            try:
                is_checked = upload(self._client, self._at(key), data, self._options, **condition)
            except ClientError as error:
                if not (is_beaten(error) or ("IfMatch" in condition and is_absent(error))):
                    raise
                # NOTE: a request that was tried again may have met its own first try
                if n_retries(error) and self.get(key) == data:
                    return True
                return None if status_of(error) == 409 else False
        if not is_checked and self.get(key) != data:
            raise IntegrityError(
                f"'{key}' in {self.uri} does not hold the bytes that were sent",
                hint="check the store's disks and proxies, then run again",
            )
        return True

    def _answer(self, key: str, data: bytes, **condition: str) -> str:
        """Say what the store answers to a conditional write."""
        with self._translated(key):
            try:
                upload(self._client, self._at(key), data, self._options, **condition)
            except ClientError as error:
                if is_beaten(error) or is_absent(error) or status_of(error) == 501:
                    return f"{status_of(error)} {code_of(error)}"
                raise
        return "200"

    def _at(self, key: str) -> dict[str, str]:
        check_key(key)
        return {
            "Bucket": self._bucket,
            "Key": f"{self._prefix}/{key}" if self._prefix else key,
        }

    def _translated(self, key: str) -> AbstractContextManager[None]:
        return translated(self._host, f"{self.uri}/{key}")
