"""Create objects on S3 conditionally: small ones with one request, large ones in parts."""

from __future__ import annotations

import base64
import contextlib
import hashlib
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from botocore.exceptions import BotoCoreError, ClientError

from job.adapters.stores.s3.errors import retry_truncated_response
from job.adapters.stores.s3.parts import PART_BYTES, in_parallel
from job.contracts.settings.store import StoreSpec

if TYPE_CHECKING:
    from job.adapters.stores.s3.api import S3Client


def write_options(spec: StoreSpec) -> dict[str, str]:
    """Return the request parameters of all writes, such as encryption."""
    options = {
        "ServerSideEncryption": spec.encryption,
        "SSEKMSKeyId": spec.kms_key_id,
        "StorageClass": spec.storage_class,
        "Tagging": urlencode(spec.tags) or None,
    }
    return {name: value for name, value in options.items() if value is not None}


def upload(
    client: S3Client,
    location: dict[str, str],
    data: bytes,
    options: dict[str, str],
    **condition: str,
) -> bool:
    """Write a complete object if the condition of the write holds.

    Parameters
    ----------
    options
        Request parameters of all writes, as returned by `write_options`.
    condition
        Request parameter with the condition, such as `IfNoneMatch="*"`.

    Returns
    -------
    is_checked
        Whether the store has compared the SHA-256 with the bytes that it received.

    Raises
    ------
    botocore.exceptions.ClientError
        The request failed, or the condition does not hold.
    """
    if len(data) > 2 * PART_BYTES:
        return _upload_parts(client, location, data, options, **condition)
    checksum = _sha256(data)
    answer = retry_truncated_response(
        lambda: client.put_object(
            **location, Body=data, ChecksumSHA256=checksum, **options, **condition
        )
    )
    return answer.get("ChecksumSHA256") == checksum


def _upload_parts(
    client: S3Client,
    location: dict[str, str],
    data: bytes,
    options: dict[str, str],
    **condition: str,
) -> bool:
    started = retry_truncated_response(
        lambda: client.create_multipart_upload(**location, ChecksumAlgorithm="SHA256", **options)
    )
    upload_id = {"UploadId": started["UploadId"]}
    view = memoryview(data)

    def send(n: int) -> tuple[dict[str, object], bool]:
        part = view[(n - 1) * PART_BYTES : n * PART_BYTES]
        checksum = _sha256(part)
        answer = client.upload_part(
            **location, **upload_id, PartNumber=n, Body=_Body(part), ChecksumSHA256=checksum
        )
        stored: dict[str, object] = {"PartNumber": n, "ETag": answer["ETag"]}
        is_checked = answer.get("ChecksumSHA256") == checksum
        return stored | ({"ChecksumSHA256": checksum} if is_checked else {}), is_checked

    try:
        parts = in_parallel(send, range(1, -(-len(data) // PART_BYTES) + 1))
        client.complete_multipart_upload(
            **location, **upload_id, MultipartUpload={"Parts": [p for p, _ in parts]}, **condition
        )
    except BaseException:
        # NOTE: `models prune` later aborts an upload that cannot be aborted now
        with contextlib.suppress(BotoCoreError, ClientError):
            client.abort_multipart_upload(**location, **upload_id)
        raise
    return all(is_checked for _, is_checked in parts)


class _Body:
    """A file object that botocore can sign, send and resend without copying its bytes."""

    def __init__(self, data: memoryview) -> None:
        self._data, self._position = data, 0

    def __len__(self) -> int:
        return len(self._data)

    def read(self, size: int) -> memoryview:
        piece = self._data[self._position : self._position + size]
        self._position += len(piece)
        return piece

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int) -> None:
        self._position = offset


def _sha256(data: bytes | memoryview) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()
