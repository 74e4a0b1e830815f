"""The client's errors become configuration errors, or transient ones that a retry may solve."""

import pytest
from botocore import exceptions as boto
from botocore.exceptions import ClientError
from urllib3.exceptions import ProtocolError

from job.adapters.stores.s3.errors import translate
from job.errors import AccessDeniedError, ConfigurationError, TransientError


def translate_response(status, code, operation="GetObject"):
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return translate(ClientError(answer, operation), "store:9000")


@pytest.mark.parametrize(
    ("status", "code", "says"),
    [
        (403, "InvalidTokenId", "session token"),
        (400, "InvalidToken", "session token"),
        (400, "ExpiredToken", "expired"),
        (400, "kms:KeyNotFound", "kms:KeyNotFound"),
        (400, "KMS.NotFoundException", "KMS.NotFoundException"),
        (401, "Unauthorized", "401 Unauthorized in GetObject"),
        (403, "Nonsense", "403 Nonsense in GetObject"),
    ],
)
def test_permanent_error_is_a_configuration_error(status, code, says):
    error = translate_response(status, code)

    assert (ConfigurationError, True, True) == (
        type(error),
        says in error.message,
        "store:9000" in error.message,
    )


def test_missing_permission_is_named():
    error = translate_response(403, "AccessDenied")

    assert (AccessDeniedError, ("s3:GetObject",), 2) == (
        type(error),
        error.actions,
        error.exit_code,
    )
    assert "s3:GetObject" in error.hint


@pytest.mark.parametrize(
    ("status", "code"), [(503, "SlowDown"), (500, "X"), (429, "Y"), (418, "Z")]
)
def test_temporary_error_is_transient(status, code):
    assert TransientError is type(translate_response(status, code))


def test_truncated_response_is_transient():
    """botocore passes urllib3's error on."""
    assert TransientError is type(translate(ProtocolError("canary"), "store"))


def test_proxy_that_cannot_be_reached_is_named_as_one():
    """The endpoint is not the cause; the proxy's address may contain a password."""
    error = translate(
        boto.ProxyConnectionError(proxy_url="http://user:canary@proxy:1", error=OSError()), "store"
    )

    assert (TransientError, "the proxy for the store at store cannot be reached") == (
        type(error),
        error.message,
    )
    assert "HTTPS_PROXY" in error.hint
    assert "canary" not in error.message + error.hint
