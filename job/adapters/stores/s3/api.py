"""Types of the boto3 calls that this package makes, and of the response fields that it reads.

boto3 has no type annotations; `connect` returns its untyped client as an `S3Client`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NotRequired, Protocol, TypedDict


class Body(Protocol):
    """The bytes of an object, read as they arrive."""

    def read(self, amt: int) -> bytes:
        """Return at most `amt` bytes; an empty result marks the end."""

    def close(self) -> None:
        """Close the connection to the store, or return it to the client's pool."""


class HeadAnswer(TypedDict):
    """Metadata of an object, without its bytes."""

    ContentLength: int
    ETag: str
    LastModified: datetime
    VersionId: NotRequired[str]


class GetAnswer(HeadAnswer):
    """The response of a `GET`: an object or a range of it."""

    Body: Body
    ContentRange: NotRequired[str]


class WriteAnswer(TypedDict):
    """The response of a write. If it has no checksum, the store did not verify the bytes."""

    ETag: str
    ChecksumSHA256: NotRequired[str]


class UploadAnswer(TypedDict):
    """The response that starts a multipart upload."""

    UploadId: str


class ListedObject(TypedDict):
    """One object of a listing."""

    Key: str
    Size: int
    LastModified: datetime


class ListedFolder(TypedDict):
    """All listed objects whose keys are equal up to a slash; `Prefix` is this part of the keys."""

    Prefix: str


class ListedUpload(TypedDict):
    """An unfinished multipart upload, as S3 lists it."""

    Key: str
    UploadId: str
    Initiated: datetime


class Page(TypedDict):
    """One page of a listing; an empty page has neither objects nor folders nor uploads."""

    Contents: NotRequired[list[ListedObject]]
    CommonPrefixes: NotRequired[list[ListedFolder]]
    Uploads: NotRequired[list[ListedUpload]]


class Metadata(TypedDict):
    """Facts about a response; the names of headers are in lower case."""

    HTTPHeaders: dict[str, str]


class ListAnswer(TypedDict):
    """The response of a listing, as far as it is read."""

    ResponseMetadata: Metadata


class Paginator(Protocol):
    """Requests the pages of a listing one after the other."""

    def paginate(self, **request: str) -> Iterable[Page]:
        """Yield the pages."""


class S3Client(Protocol):
    """boto3's S3 client; parameters have the names of the S3 API."""

    def get_object(self, **request: str) -> GetAnswer:
        """Request an object, or a range of its bytes."""

    def head_object(self, **request: str) -> HeadAnswer:
        """Request the size and the other headers of an object."""

    def put_object(self, **request: object) -> WriteAnswer:
        """Write an object."""

    def create_multipart_upload(self, **request: str) -> UploadAnswer:
        """Start a multipart upload."""

    def upload_part(self, **request: object) -> WriteAnswer:
        """Write one part of an upload."""

    def complete_multipart_upload(self, **request: object) -> object:
        """Combine the parts of an upload into an object."""

    def abort_multipart_upload(self, **request: str) -> object:
        """Abort an upload and remove its parts."""

    def delete_object(self, **request: str) -> object:
        """Remove an object."""

    def list_objects_v2(self, **request: object) -> ListAnswer:
        """Request one page of a listing."""

    def get_paginator(self, operation_name: str) -> Paginator:
        """Return the paginator of a listing."""
