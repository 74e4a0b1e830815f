"""A connection is built from settings, environment and profile; nothing is sent yet."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from botocore.utils import parse_timestamp
from structlog.testing import capture_logs

from job.adapters.stores.s3 import S3Store
from job.adapters.stores.s3.client import _parse_time, connect
from job.contracts.settings.store import S3Spec, StoreSpec
from job.errors import ConfigurationError, TransientError


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
def test_endpoint_that_is_not_an_address_is_a_configuration_error(monkeypatch, address):
    """The message does not repeat the endpoint."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)

    with pytest.raises(
        ConfigurationError, match="endpoint of the store is not a valid URL"
    ) as excinfo:
        connect(S3Spec())

    assert "AWS_ENDPOINT_URL" in excinfo.value.hint
    assert "canary" not in excinfo.value.message + excinfo.value.hint


def config_of(**settings):
    connection = connect(S3Spec(**settings))
    return connection.client.meta.config, connection


def test_custom_endpoint_is_addressed_by_path_without_needless_checksums():
    config, connection = config_of(endpoint_url="http://store:9000")

    assert ("path", "when_required", "when_required", "store:9000") == (
        config.s3["addressing_style"],
        config.request_checksum_calculation,
        config.response_checksum_validation,
        connection.host,
    )


def test_aws_is_addressed_virtually_with_checksums():
    config, connection = config_of(region="eu-central-1")

    assert ("virtual", "when_supported", "when_supported", "s3.eu-central-1.amazonaws.com") == (
        config.s3["addressing_style"],
        config.request_checksum_calculation,
        config.response_checksum_validation,
        connection.host,
    )


@pytest.mark.parametrize("endpoint", ["http://store:9000", None])
@pytest.mark.parametrize("addressing", ["path", "virtual"])
@pytest.mark.parametrize("checksums", ["when_required", "when_supported"])
def test_explicit_settings_apply_to_any_endpoint(endpoint, addressing, checksums):
    config, _ = config_of(endpoint_url=endpoint, addressing=addressing, checksums=checksums)

    assert (addressing, checksums) == (
        config.s3["addressing_style"],
        config.request_checksum_calculation,
    )


def test_body_is_retried_as_long_as_a_request():
    """Each attempt may take the read timeout."""
    _, connection = config_of(read_timeout_seconds=7, max_attempts=3)

    assert 21 == connection.body_retry_seconds


class _Absent(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_error(404)

    def log_message(self, *_):
        pass


def test_store_that_cannot_be_reached_yet_is_waited_for(monkeypatch):
    """A store restarts, or a network policy is applied to a new pod, within seconds."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    server = HTTPServer(("127.0.0.1", 0), _Absent, bind_and_activate=False)
    server.server_bind()
    spec = S3Spec(endpoint_url=f"http://127.0.0.1:{server.server_port}", max_attempts=3)
    store = S3Store(connect(spec), StoreSpec(uri="s3://bucket/p"))
    serve = threading.Timer(1.5, lambda: (server.server_activate(), server.serve_forever()))
    with server, capture_logs() as logs:
        serve.start()
        found = store.get("key", max_bytes=2**20)
        server.shutdown()

    assert found is None
    assert [("store_not_reached", 1), ("store_not_reached", 2)] == [
        (entry["event"], entry["pause_seconds"]) for entry in logs
    ]


def test_store_that_is_never_reached_is_a_transient_error(monkeypatch):
    """There is no pause after the last attempt."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        spec = S3Spec(endpoint_url=f"http://127.0.0.1:{taken.getsockname()[1]}", max_attempts=1)
        store = S3Store(connect(spec), StoreSpec(uri="s3://bucket/p"))
        with capture_logs() as logs, pytest.raises(TransientError, match="cannot be reached"):
            store.get("key", max_bytes=2**20)

    assert [] == logs


@pytest.mark.parametrize(
    "value",
    [
        *("2026-12-01T01:15:34.123Z", "2026-12-01T01:15:34Z", "2026-12-01T01:15:34.123456789Z"),
        *("2026-12-01T01:15:34+02:00", "Tue, 01 Dec 2026 01:15:34 GMT", "1764550534", 1764550534),
        *("20261201T011534Z", "2026-12-01T01:15:34.1Z"),
    ],
)
def test_times_are_parsed_as_botocore_parses_them(value):
    assert _parse_time(value) == parse_timestamp(value)
    assert _parse_time(value).utcoffset() == parse_timestamp(value).utcoffset()
