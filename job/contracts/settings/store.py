"""Settings of the store and of S3."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from job.contracts.settings.addresses import (
    STORE_SCHEMES,
    reject_credentials,
    require_readable,
)
from job.contracts.settings.base import Spec

Seconds = Annotated[float, Field(gt=0, le=3600)]


class StoreSpec(Spec):
    """Location of the published versions, and storage options."""

    uri: str = Field(
        "./models",
        min_length=1,
        description="Store of the published versions: a folder, or `s3://bucket/prefix`.",
    )
    encryption: Literal["AES256", "aws:kms"] | None = Field(
        None, description="Server-side encryption to request. Unset: the default of the bucket."
    )
    kms_key_id: str | None = Field(
        None,
        description="KMS key id, used if `store.encryption` is `aws:kms`. Unset: the default key "
        "of the account.",
    )
    storage_class: str | None = Field(
        None, description="Storage class, such as `STANDARD_IA`. Unset: the default of the store."
    )
    tags: dict[str, str] = Field(
        default_factory=dict, max_length=10, description="Tags of each object."
    )
    abandoned_after_hours: float = Field(
        24.0,
        gt=0,
        le=87_600,
        description="Age in hours at which `models prune` removes unfinished work as abandoned. "
        "Must be longer than the longest run.",
    )

    @field_validator("uri")
    @classmethod
    def _is_readable(cls, value: str) -> str:
        return require_readable(value, STORE_SCHEMES)

    @model_validator(mode="after")
    def _key_needs_kms(self) -> "StoreSpec":
        if self.kms_key_id is not None and self.encryption != "aws:kms":
            raise ValueError("store.kms_key_id needs store.encryption=aws:kms")
        return self


class S3Spec(Spec):
    """Connection to S3; credentials come from the environment, a profile or the platform."""

    endpoint_url: str | None = Field(
        None, description="URL of an S3-compatible store. Unset: `AWS_ENDPOINT_URL`, otherwise AWS."
    )
    region: str | None = Field(
        None,
        description="AWS region of the store. Unset: `AWS_REGION`, otherwise the region of the AWS "
        "profile.",
    )
    profile: str | None = Field(
        None,
        description="Profile in the AWS configuration files. Unset: `AWS_PROFILE`, otherwise the "
        "default profile.",
    )
    addressing: Literal["auto", "path", "virtual"] = Field(
        "auto",
        description="Style of the URLs. `path`: `https://host/bucket/key`. `virtual`: "
        "`https://bucket.host/key`. `auto`: `path` for custom endpoints, `virtual` for AWS.",
    )
    ca_bundle: str | None = Field(
        None,
        description="PEM file of trusted certificate authorities. Unset: `AWS_CA_BUNDLE`, "
        "otherwise `ca_bundle` of the AWS profile, otherwise the default authorities.",
    )
    checksums: Literal["auto", "when_required", "when_supported"] = Field(
        "auto",
        description="When to use CRC checksums of requests and responses. `when_supported`: for "
        "each operation that supports them. `when_required`: only for operations that require "
        "them. `auto`: `when_required` for custom endpoints, `when_supported` for AWS.",
    )
    connect_timeout_seconds: Seconds = Field(
        5.0, description="Maximum time to wait for a connection, in seconds."
    )
    read_timeout_seconds: Seconds = Field(
        30.0, description="Maximum time to wait for data from the store, in seconds."
    )
    max_attempts: int = Field(
        5,
        ge=1,
        le=20,
        description="Maximum number of attempts of each request, including the first.",
    )

    @field_validator("endpoint_url")
    @classmethod
    def _is_http(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("the URL must start with http:// or https://")
        return None if value is None else reject_credentials(value)
