"""Read objects from S3, pinned to one version; a body that breaks off goes on where it broke."""

from __future__ import annotations

import io
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Any, Final

from botocore.exceptions import (
    ClientError,
    FlexibleChecksumError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from job.adapters.stores.s3.client import Connection
from job.adapters.stores.s3.errors import (
    code_of,
    is_absent,
    is_precondition_failed,
    retry_truncated_response,
)
from job.adapters.stores.s3.parts import PART_BYTES, in_order, in_parallel
from job.errors import ConfigurationError, TransientError

_N_TRIES: Final = 4
_PIECE_BYTES: Final = 2**20
# NOTE: botocore tries requests again, never the reading of a body
_BROKEN: Final = (
    FlexibleChecksumError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)
_GONE: Final = ("NoSuchVersion", "InvalidRange")


class Reader:
    """Reads objects, large ones by parts at once."""

    def __init__(self, connection: Connection) -> None:
        self._client, self._patience = connection.client, connection.patience_seconds

    def read(self, where: dict[str, str]) -> tuple[bytes, str] | None:
        """Return an object's bytes and ETag, or None where there is none."""
        answer = self._ask(where)
        if answer is None:
            return None
        n_bytes, pin = answer["ContentLength"], pinned(where, answer)
        # NOTE: a BytesIO of exactly this size gives its bytes away without copying them
        whole = io.BytesIO()
        if n_bytes:
            whole.seek(n_bytes - 1)
            whole.write(b"\0")
        with whole.getbuffer() as target, closing(answer["Body"]) as body:
            if n_bytes <= 2 * PART_BYTES:
                self._fill(pin, 0, target, body)
            else:
                self._read_parts(pin, target, body)
        return whole.getvalue(), answer["ETag"]

    def pieces(self, where: dict[str, str]) -> Generator[bytes, None, None]:
        """Return an object's bytes in order, as they come; no piece where there is no object."""
        answer = self._ask(where)
        if answer is None:
            return
        n_bytes, pin = answer["ContentLength"], pinned(where, answer)
        with closing(answer["Body"]) as body:
            if not n_bytes:
                yield b""
            elif n_bytes <= 2 * PART_BYTES:
                yield from self.span(pin, 0, n_bytes, body)
            else:
                yield from self._parts(pin, n_bytes, body)

    def _ask(self, where: dict[str, str]) -> dict[str, Any] | None:
        try:
            answer: dict[str, Any] = retry_truncated_response(
                lambda: self._client.get_object(**where)
            )
        except ClientError as error:
            if is_absent(error):
                return None
            raise
        return answer

    def _parts(self, pin: dict[str, str], n_bytes: int, body: Any) -> Generator[bytes, None, None]:
        def read(start: int) -> Iterator[bytes]:
            stop = min(start + PART_BYTES, n_bytes)
            return self.span(pin, start, stop, None if start else body)

        return in_order(read, range(0, n_bytes, PART_BYTES))

    def _read_parts(self, pin: dict[str, str], target: memoryview, body: Any) -> None:
        def read(n: int) -> None:
            start = n * PART_BYTES
            self._fill(pin, start, target[start : start + PART_BYTES], None if n else body)

        in_parallel(read, range(-(-len(target) // PART_BYTES)))

    def _fill(self, pin: dict[str, str], start: int, target: memoryview, body: Any) -> None:
        n_read = 0
        for piece in self.span(pin, start, start + len(target), body):
            target[n_read : n_read + len(piece)] = piece
            n_read += len(piece)

    def span(self, pin: dict[str, str], start: int, stop: int, body: Any = None) -> Iterator[bytes]:
        """Return an object's bytes from `start` to `stop`, as they come.

        Parameters
        ----------
        pin
            What `pinned` gave.
        body
            An answer's body that stands at `start`, if there is one.

        Raises
        ------
        TransientError
            The object is no longer the one that was pinned.
        """
        deadline = time.monotonic() + self._patience
        for n in range(1, _N_TRIES + 1):
            body = self._open(pin, start, stop - 1) if body is None else body
            try:
                while start < stop:
                    piece = body.read(min(_PIECE_BYTES, stop - start))
                    if not piece:
                        raise IncompleteReadError(actual_bytes=0, expected_bytes=stop - start)
                    start += len(piece)
                    yield piece
                return
            except _BROKEN:
                if n == _N_TRIES or time.monotonic() > deadline:
                    raise
            body = None

    def _open(self, pin: dict[str, str], first: int, last: int) -> Any:
        try:
            span = f"bytes={first}-{last}"
            answer = retry_truncated_response(lambda: self._client.get_object(**pin, Range=span))
        except ClientError as error:
            if is_precondition_failed(error) or is_absent(error) or code_of(error) in _GONE:
                raise changed(pin) from error
            raise
        if not str(answer.get("ContentRange", "")).startswith(f"bytes {first}-{last}/"):
            raise ConfigurationError(
                f"the store gives all of 's3://{pin['Bucket']}/{pin['Key']}' where a part is asked",
                hint="check what stands between, such as a proxy that drops the Range header",
            )
        return answer["Body"]


def pinned(where: dict[str, str], answer: dict[str, Any]) -> dict[str, str]:
    """Ask for the very object that an answer was about: its version, where there are versions."""
    found = {**where, "IfMatch": answer["ETag"]}
    version = answer.get("VersionId", "null")
    return found if version == "null" else {**found, "VersionId": version}


def list_below(client: Any, bucket: str, prefix: str) -> list[dict[str, Any]]:
    """List the objects below a prefix."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return retry_truncated_response(
        lambda: [item for page in pages for item in page.get("Contents", ())]
    )


def changed(where: dict[str, str]) -> TransientError:
    """Say that an object is no longer the one that was pinned."""
    return TransientError(
        f"'s3://{where['Bucket']}/{where['Key']}' changed while it was read",
        hint="run again once it is written",
    )
