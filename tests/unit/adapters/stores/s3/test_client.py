"""A connection is made as settings, environment and profile say; nothing is sent yet."""

import pytest

from job.adapters.stores.s3.client import connect
from job.contracts.settings.store import S3Spec
from job.errors import ConfigurationError


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")


@pytest.mark.parametrize(
    "address",
    [
        *("nonsense", "http://", "http://host:99999", "http://host:x", "http://host:0"),
        "http://key:canary@host:9000",
    ],
)
def test_endpoint_that_is_no_address_is_the_operators(monkeypatch, address):
    """What it holds is not repeated."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)

    with pytest.raises(ConfigurationError, match="endpoint of the store is not an address") as told:
        connect(S3Spec())

    assert "AWS_ENDPOINT_URL" in told.value.hint
    assert "canary" not in told.value.message + told.value.hint


def config_of(**settings):
    found = connect(S3Spec(**settings))
    return found.client.meta.config, found


def test_custom_endpoint_is_addressed_by_path_without_needless_checksums():
    config, found = config_of(endpoint_url="http://store:9000")

    assert ("path", "when_required", "when_required", "store:9000") == (
        config.s3["addressing_style"],
        config.request_checksum_calculation,
        config.response_checksum_validation,
        found.host,
    )


def test_aws_is_addressed_virtually_with_checksums():
    config, found = config_of(region="eu-central-1")

    assert ("virtual", "when_supported", "when_supported", "s3.eu-central-1.amazonaws.com") == (
        config.s3["addressing_style"],
        config.request_checksum_calculation,
        config.response_checksum_validation,
        found.host,
    )


@pytest.mark.parametrize("endpoint", ["http://store:9000", None])
@pytest.mark.parametrize("addressing", ["path", "virtual"])
@pytest.mark.parametrize("checksums", ["when_required", "when_supported"])
def test_what_is_asked_for_counts_on_any_endpoint(endpoint, addressing, checksums):
    config, _ = config_of(endpoint_url=endpoint, addressing=addressing, checksums=checksums)

    assert (addressing, checksums) == (
        config.s3["addressing_style"],
        config.request_checksum_calculation,
    )


def test_patience_is_that_of_a_request():
    """Each try may be silent for so long."""
    _, found = config_of(read_timeout_seconds=7, max_attempts=3)

    assert 21 == found.body_retry_seconds
