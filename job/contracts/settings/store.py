"""Settings of the store and of S3."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from job.contracts.settings.addresses import (
    STORE_SCHEMES,
    reject_credentials,
    require_readable,
)
from job.contracts.settings.base import Spec

Seconds = Annotated[float, Field(gt=0)]


class StoreSpec(Spec):
    """Where versions are published, and how their objects are stored."""

    uri: str = Field("./models", min_length=1, description="Folder, or `s3://bucket/prefix`.")
    encryption: Literal["AES256", "aws:kms"] | None = Field(
        None, description="Server-side encryption that is asked for; unset: the bucket's own."
    )
    kms_key_id: str | None = Field(None, description="Key for `aws:kms`; unset: the account's.")
    storage_class: str | None = Field(None, description="As in `STANDARD_IA`.")
    tags: dict[str, str] = Field(
        default_factory=dict, max_length=10, description="Tags of each object."
    )
    abandoned_after_hours: float = Field(
        24.0, gt=0, description="Age at which `models prune` takes unfinished work for abandoned."
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
    """How S3 is reached; credentials come from the environment, a profile or the platform."""

    endpoint_url: str | None = Field(
        None, description="Address of an S3-compatible store; unset: `AWS_ENDPOINT_URL`, else AWS."
    )
    region: str | None = Field(None, description="Unset: `AWS_REGION` or the profile's.")
    profile: str | None = Field(None, description="Profile in the AWS configuration files.")
    addressing: Literal["auto", "path", "virtual"] = Field(
        "auto", description="`auto` is path on custom endpoints, virtual on AWS."
    )
    ca_bundle: str | None = Field(None, description="PEM file of certificate authorities.")
    checksums: Literal["auto", "when_required", "when_supported"] = Field(
        "auto",
        description="The client's CRC checksums; `auto` is `when_required` on custom endpoints.",
    )
    connect_timeout_seconds: Seconds = Field(5.0, description="Longest wait for a connection.")
    read_timeout_seconds: Seconds = Field(30.0, description="Longest silence of the store.")
    max_attempts: int = Field(5, ge=1, le=20, description="Tries of each request, the first too.")

    @field_validator("endpoint_url")
    @classmethod
    def _is_http(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("an endpoint begins with http:// or https://")
        return None if value is None else reject_credentials(value)
