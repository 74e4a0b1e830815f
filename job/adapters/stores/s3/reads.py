"""Read objects from S3, pinned to one version; a broken connection resumes where it broke.

How it works
------------
1. `GET` returns the object's size, ETag, version id and body.
2. All later requests are pinned to that ETag and version: if the object changes meanwhile, an error
   is raised, so two versions are never mixed.
3. Objects of up to two parts (of 16 MiB) are read from the body of this `GET`.  Larger objects are
   read by range requests of one part each, a few at a time.
4. botocore does not retry reading a body.  If the connection breaks, this module requests the rest
   of the body from the next byte, up to three times.
"""

from __future__ import annotations

import io
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Final

from botocore.exceptions import (
    ClientError,
    FlexibleChecksumError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from job.adapters.stores.s3.client import Connection
from job.adapters.stores.s3.errors import (
    error_code,
    is_absent,
    is_precondition_failed,
    retry_truncated_response,
)
from job.adapters.stores.s3.parts import PART_BYTES, in_order, in_parallel
from job.contracts.store_bounds import object_too_large
from job.errors import ConfigurationError, TransientError

if TYPE_CHECKING:
    from job.adapters.stores.s3.api import Body, GetAnswer, HeadAnswer, ListedObject, S3Client

_MAX_TRIES: Final = 4
_PIECE_BYTES: Final = 2**20
# NOTE: botocore retries requests, but not reading a body
_READ_ERRORS: Final = (
    FlexibleChecksumError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)
_GONE: Final = ("NoSuchVersion", "InvalidRange")


class Reader:
    """Reads objects from S3; a large object is read in several byte ranges at a time."""

    def __init__(self, connection: Connection) -> None:
        self._client, self._retry_seconds = connection.client, connection.body_retry_seconds

    def read(self, location: dict[str, str], *, max_bytes: int) -> tuple[bytes, str] | None:
        """Return the bytes and ETag of the object at a bucket and key, or None if there is none.

        Raises
        ------
        IntegrityError
            The object has more than `max_bytes` bytes.
        """
        answer = self._get(location)
        if answer is None:
            return None
        n_bytes, pin = answer["ContentLength"], pin_version(location, answer)
        if n_bytes > max_bytes:
            answer["Body"].close()
            raise object_too_large(location["Key"], max_bytes)
        # NOTE: getvalue() of a BytesIO of exactly this size does not copy the bytes
        buffer = io.BytesIO()
        if n_bytes:
            buffer.seek(n_bytes - 1)
            buffer.write(b"\0")
        with buffer.getbuffer() as target, closing(answer["Body"]) as body:
            if n_bytes <= 2 * PART_BYTES:
                self._fill(pin, 0, target, body)
            else:
                self._read_parts(pin, target, body)
        return buffer.getvalue(), answer["ETag"]

    def pieces(self, location: dict[str, str]) -> Generator[bytes, None, None]:
        """Yield an object's bytes in order as they arrive; yield nothing if it does not exist."""
        answer = self._get(location)
        if answer is None:
            return
        n_bytes, pin = answer["ContentLength"], pin_version(location, answer)
        with closing(answer["Body"]) as body:
            if not n_bytes:
                yield b""
            elif n_bytes <= 2 * PART_BYTES:
                yield from self.span(pin, 0, n_bytes, body)
            else:
                yield from self._parts(pin, n_bytes, body)

    def _get(self, location: dict[str, str]) -> GetAnswer | None:
        try:
            return retry_truncated_response(lambda: self._client.get_object(**location))
        except ClientError as error:
            if is_absent(error):
                return None
            raise

    def _parts(self, pin: dict[str, str], n_bytes: int, body: Body) -> Generator[bytes, None, None]:
        def read(start: int) -> Iterator[bytes]:
            stop = min(start + PART_BYTES, n_bytes)
            return self.span(pin, start, stop, None if start else body)

        return in_order(read, range(0, n_bytes, PART_BYTES))

    def _read_parts(self, pin: dict[str, str], target: memoryview, body: Body) -> None:
        def read(n: int) -> None:
            start = n * PART_BYTES
            self._fill(pin, start, target[start : start + PART_BYTES], None if n else body)

        in_parallel(read, range(-(-len(target) // PART_BYTES)))

    def _fill(self, pin: dict[str, str], start: int, target: memoryview, body: Body | None) -> None:
        n_read = 0
        for piece in self.span(pin, start, start + len(target), body):
            target[n_read : n_read + len(piece)] = piece
            n_read += len(piece)

    def span(
        self, pin: dict[str, str], start: int, stop: int, body: Body | None = None
    ) -> Iterator[bytes]:
        """Yield an object's bytes from `start` to `stop` as they arrive.

        Parameters
        ----------
        pin
            Request parameters from `pin_version`, which select one version of the object.
        body
            An open body that is positioned at `start`; None opens one.

        Raises
        ------
        TransientError
            The object no longer has the pinned version.
        """
        deadline = time.monotonic() + self._retry_seconds
        for n in range(1, _MAX_TRIES + 1):
            body = self._open(pin, start, stop - 1) if body is None else body
            try:
                while start < stop:
                    piece = body.read(min(_PIECE_BYTES, stop - start))
                    if not piece:
                        raise IncompleteReadError(actual_bytes=0, expected_bytes=stop - start)
                    start += len(piece)
                    yield piece
                return
            except _READ_ERRORS:
                if n == _MAX_TRIES or time.monotonic() > deadline:
                    raise
            body = None

    def _open(self, pin: dict[str, str], first: int, last: int) -> Body:
        try:
            span = f"bytes={first}-{last}"
            answer = retry_truncated_response(lambda: self._client.get_object(**pin, Range=span))
        except ClientError as error:
            if is_precondition_failed(error) or is_absent(error) or error_code(error) in _GONE:
                raise object_changed(pin) from error
            raise
        if not str(answer.get("ContentRange", "")).startswith(f"bytes {first}-{last}/"):
            raise ConfigurationError(
                "the store ignored the Range header of a request for "
                f"'s3://{pin['Bucket']}/{pin['Key']}'",
                hint="check the proxies in front of the store: one may drop the header",
            )
        return answer["Body"]


def pin_version(location: dict[str, str], answer: HeadAnswer) -> dict[str, str]:
    """Return request parameters that select the object version described by `answer`."""
    request = {**location, "IfMatch": answer["ETag"]}
    version = answer.get("VersionId", "null")
    return request if version == "null" else {**request, "VersionId": version}


def list_below(
    client: S3Client, bucket: str, prefix: str, *, after: str = ""
) -> list[ListedObject]:
    """Return the objects below a prefix whose keys are greater than `after`, in S3's order."""
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=prefix, **({"StartAfter": after} if after else {})
    )
    return retry_truncated_response(
        lambda: [item for page in pages for item in page.get("Contents", ())]
    )


def list_names(client: S3Client, bucket: str, prefix: str) -> list[str]:
    """Return the keys below a prefix, cut after the next slash; folders end with a slash."""
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=prefix, Delimiter="/"
    )
    found = retry_truncated_response(lambda: list(pages))
    objects = [item["Key"] for page in found for item in page.get("Contents", ())]
    folders = [item["Prefix"] for page in found for item in page.get("CommonPrefixes", ())]
    return [*(key for key in objects if not key.endswith("/")), *folders]


def object_changed(location: dict[str, str]) -> TransientError:
    """Return the error for an object that no longer has the pinned version."""
    return TransientError(
        f"'s3://{location['Bucket']}/{location['Key']}' changed while it was read",
        hint="run again when the writer has finished",
    )
