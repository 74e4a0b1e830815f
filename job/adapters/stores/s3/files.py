"""Copy tables and suites from S3 to local files: each object read once, at one version."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from job.adapters.stores.s3.client import Connection, split_uri
from job.adapters.stores.s3.faults import code_of, is_absent, is_beaten, translated
from job.adapters.stores.s3.uploads import PART_BYTES, in_parallel
from job.errors import ConfigurationError, DatasetNotFoundError, TransientError

_N_READS: Final = 4


class S3Files:
    """Objects as files in a folder of this run."""

    def __init__(self, connection: Connection, folder: Path) -> None:
        self._client, self._host = connection.client, connection.host
        self._folder = folder

    def copy(self, uri: str) -> Path:
        """Copy an object and its sidecar, or every object below a prefix.

        The bytes are those of one version id or ETag from the first to the last.

        Raises
        ------
        DatasetNotFoundError
            There is nothing.
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
            for inner, n_bytes in found.items():
                if inner and not inner.endswith("/") and ".." not in inner.split("/"):
                    whole = f"{key}/{inner}" if key else inner
                    self._copy(bucket, whole, self._head(bucket, whole), target / inner, n_bytes)
        if not found:
            raise DatasetNotFoundError(
                f"no such object: '{uri}'",
                hint="check dataset.uri, or whether the upstream export has finished",
            )
        return target

    def _below(self, bucket: str, prefix: str) -> dict[str, int]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        items = [item for page in pages for item in page.get("Contents", ())]
        return {item["Key"].removeprefix(prefix): item["Size"] for item in items}

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
                answer = self._client.get_object(Bucket=bucket, Key=name)
            except ClientError as error:
                # NOTE: without the right to list, what is absent is "denied"
                if is_absent(error) or code_of(error) == "AccessDenied":
                    continue
                raise
            target.with_name(name.rpartition("/")[2]).write_bytes(answer["Body"].read())

    def _copy(self, bucket: str, key: str, head: Any, target: Path, _: int = 0) -> None:
        if head is None:
            raise _changed(bucket, key)
        n_bytes = head["ContentLength"]
        target.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(target.parent).free
        if free < n_bytes:
            raise ConfigurationError(
                f"'s3://{bucket}/{key}' needs {-(-n_bytes // 2**20)} MiB of temporary space in "
                f"{self._folder.parent}, and there are {free // 2**20} MiB",
                hint="give temporary space of the table's size, or set TMPDIR",
            )
        pin = {"IfMatch": head["ETag"]}
        if head.get("VersionId", "null") != "null":
            pin["VersionId"] = head["VersionId"]
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT, 0o600)

        def fetch(n: int) -> None:
            start = n * PART_BYTES
            stop = min(start + PART_BYTES, n_bytes)
            part = self._part(bucket, key, f"bytes={start}-{stop - 1}", pin)
            if len(part) != stop - start:
                raise _changed(bucket, key)
            os.pwrite(descriptor, part, start)

        try:
            in_parallel(fetch, range(-(-n_bytes // PART_BYTES)))
        finally:
            os.close(descriptor)
        seconds = head["LastModified"].timestamp()
        os.utime(target, (seconds, seconds))

    def _part(self, bucket: str, key: str, span: str, pin: dict[str, str]) -> bytes:
        for n in range(1, _N_READS + 1):
            try:
                answer = self._client.get_object(Bucket=bucket, Key=key, Range=span, **pin)
                data: bytes = answer["Body"].read()
                return data
            except ClientError as error:
                gone = ("NoSuchVersion", "InvalidRange")
                if is_beaten(error) or is_absent(error) or code_of(error) in gone:
                    raise _changed(bucket, key) from error
                raise
            except BotoCoreError:
                if n == _N_READS:
                    raise
        raise AssertionError("unreachable")


def _changed(bucket: str, key: str) -> TransientError:
    return TransientError(
        f"'s3://{bucket}/{key}' changed while it was read", hint="run again once it is written"
    )
