"""Translate botocore's errors to `JobError`s whose messages name the host but no access key."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from botocore import exceptions as boto
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from job.errors import AccessDeniedError, ConfigurationError, JobError, TransientError

T = TypeVar("T")
_N_RETRIES: Final = 3
_PERMISSIONS: Final = {
    "HeadObject": "s3:GetObject",
    "ListObjectsV2": "s3:ListBucket",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
}
_CLOCK: Final = (
    "the clock of this machine differs too much from the store's",
    "set the clock, for example by NTP",
)
_KEYS: Final = (
    "the credentials are invalid",
    "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile",
)
_EXPIRED: Final = ("the session token has expired", "renew the credentials")
_TOKEN: Final = ("the session token is not valid", "renew the credentials")
_REGION: Final = ("the bucket is in another region", "set s3.region")
_REQUEST: Final = ("it does not support this request", "check store.* and s3.* in the settings")
_SERVICE_ERRORS: Final = {
    "RequestTimeTooSkewed": _CLOCK,
    "InvalidAccessKeyId": _KEYS,
    "SignatureDoesNotMatch": _KEYS,
    "ExpiredToken": _EXPIRED,
    "ExpiredTokenException": _EXPIRED,
    "RequestExpired": _EXPIRED,
    "TokenRefreshRequired": _EXPIRED,
    "InvalidToken": _TOKEN,
    "InvalidTokenId": _TOKEN,
    "NoSuchBucket": ("the bucket does not exist", "create the bucket, or correct the URI"),
    "InvalidBucketName": ("the bucket name is invalid", "correct the URI"),
    "PermanentRedirect": _REGION,
    "301": _REGION,
    "AuthorizationHeaderMalformed": _REGION,
    "IllegalLocationConstraintException": _REGION,
    "InvalidStorageClass": ("it does not support the storage class", "check store.storage_class"),
    "InvalidArgument": _REQUEST,
    "InvalidRequest": _REQUEST,
    "InvalidTag": ("it does not accept the tags", "check store.tags"),
    "NotImplemented": _REQUEST,
    "KeyTooLongError": ("the prefix is too long", "choose a shorter prefix in store.uri"),
}
_CLIENT_ERRORS: Final[tuple[tuple[type[Exception], str, str], ...]] = (
    (
        boto.NoCredentialsError,
        "no credentials were found",
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or s3.profile",
    ),
    (
        boto.PartialCredentialsError,
        "the credentials are incomplete",
        "set both the access key and the secret key",
    ),
    (
        boto.CredentialRetrievalError,
        "credentials could not be retrieved",
        "check the profile or role",
    ),
    (boto.ProfileNotFound, "the AWS profile does not exist", "check s3.profile and AWS_PROFILE"),
    (boto.TokenRetrievalError, "the sign-on token could not be retrieved", "sign on again"),
    (boto.UnauthorizedSSOTokenError, "the sign-on has expired", "sign on again"),
    (boto.InvalidConfigError, "the AWS configuration file is wrong", "correct the file"),
    (boto.ConfigParseError, "the AWS configuration file is wrong", "correct the file"),
    (boto.InvalidProxiesConfigError, "the proxy settings are wrong", "check HTTPS_PROXY"),
    (boto.NoRegionError, "the region is not set", "set s3.region"),
    (boto.ParamValidationError, "the request is not valid", "check the URI"),
)
_PRECONDITION_CODES: Final = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")


def error_code(error: ClientError) -> str:
    """Return S3's error code; for a HEAD request it is only the HTTP status."""
    return str(error.response.get("Error", {}).get("Code", ""))


def http_status(error: ClientError) -> int:
    """Return the HTTP status of the response."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def count_retries(error: ClientError) -> int:
    """Return how often botocore has retried the request."""
    return int(error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0))


def is_absent(error: ClientError) -> bool:
    """Return whether the object does not exist; a missing bucket is a different error."""
    return error_code(error) in ("NoSuchKey", "404", "NotFound", "NoSuchUpload")


def is_precondition_failed(error: ClientError) -> bool:
    """Return whether a conditional write was rejected because another writer came first."""
    return error_code(error) in _PRECONDITION_CODES or http_status(error) == 412


def retry_truncated_response(function: Callable[[], T]) -> T:
    """Call a function that sends a request; retry if the body of the response is truncated.

    NOTE: botocore retries a request that got no response, but does not catch this error of urllib3.
    Retrying is harmless: only errors, listings and the first steps of writes have a response body.
    """
    for _ in range(_N_RETRIES):
        with contextlib.suppress(HTTPError):
            return function()
    return function()


@contextmanager
def translating_errors(host: str, what: str = "") -> Iterator[None]:
    """Convert botocore errors in the `with` block to `JobError`s; `what` names the operation."""
    try:
        yield
    except (BotoCoreError, ClientError, HTTPError, OSError, ValueError) as error:
        raise translate(error, host, what) from error


def translate(error: Exception, host: str, what: str = "") -> JobError:
    """Return the `JobError` for a botocore error, without request content or signatures."""
    where = f"the store at {host}" + (f" ('{what}')" if what else "")
    if isinstance(error, ClientError):
        return _translate_service_error(error, where)
    for kind, reason, hint in _CLIENT_ERRORS:
        if isinstance(error, kind):
            return ConfigurationError(f"{where} cannot be used: {reason}", hint=hint)
    if isinstance(error, boto.SSLError) and "certificate" in str(error).lower():
        return ConfigurationError(
            f"{where} has a TLS certificate that is not trusted",
            hint="set s3.ca_bundle to a PEM file with the authority that signed it",
        )
    if isinstance(error, boto.ProxyConnectionError):
        return TransientError(
            f"the proxy for {where} cannot be reached",
            hint="run again; check HTTP_PROXY, HTTPS_PROXY and NO_PROXY",
        )
    if isinstance(error, (boto.SSLError, boto.HTTPClientError, boto.ConnectionError)):
        is_unreachable = isinstance(error, boto.EndpointConnectionError)
        reason = "cannot be reached" if is_unreachable else "closed the connection"
        if isinstance(error, (boto.ReadTimeoutError, boto.ConnectTimeoutError)):
            reason = "did not answer in time"
        return TransientError(f"{where} {reason}", hint="run again; check s3.endpoint_url")
    if isinstance(error, (boto.ResponseStreamingError, boto.IncompleteReadError, HTTPError)):
        return TransientError(f"{where} closed the connection", hint="run again")
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return TransientError(
            "the temporary folder is full",
            hint="free disk space, or set TMPDIR to a folder with more space",
        )
    if isinstance(error, (OSError, ValueError)):
        return ConfigurationError(
            f"{where} cannot be used: its address or CA bundle is wrong",
            hint="check s3.endpoint_url, s3.ca_bundle, s3.region and AWS_CA_BUNDLE",
        )
    return TransientError(f"{where} failed: {type(error).__name__}", hint="run again")


def _translate_service_error(error: ClientError, where: str) -> JobError:
    code, status = error_code(error), http_status(error)
    if code in _SERVICE_ERRORS:
        reason, hint = _SERVICE_ERRORS[code]
        return ConfigurationError(f"{where} rejected the request: {reason} ({code})", hint=hint)
    if code in ("AccessDenied", "403", "Forbidden", "AllAccessDisabled", "AccountProblem"):
        action = _PERMISSIONS.get(error.operation_name, f"s3:{error.operation_name}")
        return access_denied(where, [action])
    if code.lower().startswith("kms"):
        return ConfigurationError(
            f"{where} rejected the KMS key: {code}", hint="check store.kms_key_id"
        )
    if status in (401, 403):
        return ConfigurationError(
            f"{where} rejected the request: {status} {code} in {error.operation_name}",
            hint="check the credentials and their permissions",
        )
    return TransientError(
        f"{where} failed: {status} {code} in {error.operation_name}",
        hint="run again; if it fails again, ask the operator of the store",
    )


def access_denied(where: str, actions: list[str]) -> AccessDeniedError:
    """Return the error that lists the missing permissions; `actions` are their names."""
    also = " (and s3:ListBucket, if the object may not exist)"
    names = ", ".join(actions)
    return AccessDeniedError(
        f"{where} denied access: the credentials lack {names}",
        hint=f"grant {names}{also if actions == ['s3:GetObject'] else ''}",
        actions=tuple(actions),
    )
