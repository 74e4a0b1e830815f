"""Exit code and message show who must act if a store refuses or cannot be reached."""

import re
import socket
import uuid

import pytest
from support.policies import grant, read_policy
from support.proxy import FaultyProxy
from support.servers import SECRET_KEY, client_of
from support.versions import listed_names


def refused(job, *arguments, environment, code, says):
    done = job(*arguments, environment=environment)
    assert code == done.wait(), done.stderr
    assert re.search(says, done.stderr), done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_secret(job, minio, bucket):
    environment = {**minio.environment, "AWS_SECRET_ACCESS_KEY": "canary-wrong-secret"}
    refused(
        job,
        *("doctor", "--store", f"s3://{bucket}/p"),
        environment=environment,
        code=2,
        says=r"localhost:\d+.*credentials",
    )


def test_unknown_access_key(job, minio, bucket):
    environment = {**minio.environment, "AWS_ACCESS_KEY_ID": "nobody"}
    refused(
        job,
        *("doctor", "--store", f"s3://{bucket}/p"),
        environment=environment,
        code=2,
        says="credentials",
    )


def test_no_credentials(job, minio, bucket):
    environment = {
        "AWS_ENDPOINT_URL": minio.url,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        "AWS_CONFIG_FILE": "/nonexistent",
    }
    refused(
        job,
        *("doctor", "--store", f"s3://{bucket}/p"),
        environment=environment,
        code=2,
        says="no credentials were found",
    )


def test_profile_that_is_not_there(job, minio, bucket):
    refused(
        job,
        *("doctor", "--store", f"s3://{bucket}/p", "--set", "s3.profile=nobody"),
        environment=minio.environment,
        code=2,
        says="the AWS profile does not exist",
    )


def test_absent_bucket(job, minio):
    refused(
        job,
        *("doctor", "--store", f"s3://{uuid.uuid4().hex}/p"),
        environment=minio.environment,
        code=2,
        says="the bucket does not exist",
    )


def test_certificate_of_an_unknown_authority(job, servers):
    server = servers("minio-tls")
    environment = {k: v for k, v in server.environment.items() if k != "AWS_CA_BUNDLE"}
    refused(
        job,
        *("doctor", "--store", "s3://models/p"),
        environment=environment,
        code=2,
        says=r"localhost:\d+.*certificate",
    )


def test_ca_bundle_from_the_settings(job, servers):
    server = servers("minio-tls")
    client_of(server).create_bucket(Bucket="trusted")
    environment = {k: v for k, v in server.environment.items() if k != "AWS_CA_BUNDLE"}
    done = job(
        *("doctor", "--store", "s3://trusted/p", "--set", f"s3.ca_bundle={server.ca_bundle}"),
        environment=environment,
    )

    assert 0 == done.wait(), done.stderr


def test_absent_ca_bundle(job, servers):
    server = servers("minio-tls")
    refused(
        job,
        *("doctor", "--store", "s3://models/p", "--set", "s3.ca_bundle=/nonexistent.pem"),
        environment=server.environment,
        code=2,
        says="CA bundle",
    )


QUICK = ("--set", "s3.max_attempts=2", "--set", "s3.connect_timeout_seconds=1")


def test_refused_connection(job, minio):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    refused(
        job,
        *("doctor", "--store", "s3://models/p", *QUICK),
        environment={**minio.environment, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"},
        code=75,
        says=f"127.0.0.1:{port}",
    )


def test_unknown_host(job, minio):
    refused(
        job,
        *("doctor", "--store", "s3://models/p", *QUICK),
        environment={**minio.environment, "AWS_ENDPOINT_URL": "http://store.invalid:9000"},
        code=75,
        says="store.invalid:9000",
    )


@pytest.mark.parametrize(
    ("answer", "code", "says"),
    [
        ((403, "RequestTimeTooSkewed"), 2, "clock"),
        ((400, "ExpiredToken"), 2, "expired"),
        ((403, "AccessDenied"), 2, "s3:PutObject"),
        ((400, "IllegalLocationConstraintException"), 2, "region"),
        ((503, "SlowDown"), 75, "503"),
        ((500, "InternalError"), 75, "500"),
        ((418, "Teapot"), 75, "Teapot"),
        ("reset", 75, "connection"),
        ("stall", 75, "in time"),
    ],
    ids=str,
)
def test_answers_of_a_store_in_trouble(job, minio, bucket, answer, code, says):
    with FaultyProxy(minio.url, lambda *_: answer) as proxy:
        refused(
            job,
            *("doctor", "--store", f"s3://{bucket}/p", *QUICK),
            *("--set", "s3.read_timeout_seconds=1"),
            environment={**minio.environment, "AWS_ENDPOINT_URL": proxy.url},
            code=code,
            says=says,
        )


def test_store_that_ignores_conditions_is_no_place_for_a_channel(job, quick, minio, bucket):
    """The version is published; the message contains the store's response."""
    with FaultyProxy(minio.url, lambda *_: "ignored") as proxy:
        environment = {**minio.environment, "AWS_ENDPOINT_URL": proxy.url}
        store = f"s3://{bucket}/p"
        refused(
            job,
            *("doctor", "--store", store),
            environment=environment,
            code=2,
            says="creates_once",
        )
        refused(job, *quick(store), environment=environment, code=2, says="answered 200")
        listed = job("models", "list", "--store", store, environment=environment)
        assert 0 == listed.wait(), listed.stderr

    assert (1, {}) == (
        len(listed_names(listed.result)),
        listed.result["channels"],
    )


def test_store_that_ignores_conditions_takes_versions(job, quick, minio, bucket):
    with FaultyProxy(minio.url, lambda *_: "ignored") as proxy:
        environment = {**minio.environment, "AWS_ENDPOINT_URL": proxy.url}
        done = job(
            *quick(f"s3://{bucket}/p", "--set", "publish.channel=null"), environment=environment
        )
        assert 0 == done.wait(), done.stderr


@pytest.fixture
def limited(minio, bucket, tmp_path):
    """Return the job's permissions without some actions."""

    def make(*missing):
        rights = read_policy("job", bucket, "models")
        for statement in rights["Statement"]:
            statement["Action"] = [a for a in statement["Action"] if a not in missing]
        rights["Statement"] = [s for s in rights["Statement"] if s["Action"]]
        return grant(minio, rights, tmp_path)

    return make


@pytest.mark.parametrize(
    ("missing", "left"),
    [
        (("s3:ListBucket",), 0),
        (("s3:DeleteObject",), 1),
        (("s3:ListBucket", "s3:DeleteObject"), 1),
    ],
    ids=str,
)
@pytest.mark.parametrize("command", ["doctor", "run"])
def test_missing_actions_are_all_named(job, quick, minio, bucket, limited, command, missing, left):
    """The probe continues where possible, and removes its object if it is allowed to."""
    store = f"s3://{bucket}/models"
    arguments = ("doctor", "--store", store) if command == "doctor" else quick(store)
    refused(
        job, *arguments, environment=limited(*missing), code=2, says="lack " + ", ".join(missing)
    )
    found = client_of(minio).list_objects_v2(Bucket=bucket, Prefix="models/probe/")

    assert left == found["KeyCount"]


def test_bad_session_token(job, minio, bucket):
    refused(
        job,
        *("doctor", "--store", f"s3://{bucket}/p"),
        environment={**minio.environment, "AWS_SESSION_TOKEN": "canary-token"},
        code=2,
        says="session token is not valid",
    )


@pytest.mark.parametrize("address", ["nonsense", "http://localhost:99999"])
def test_endpoint_that_is_no_address(job, minio, address):
    refused(
        job,
        *("doctor", "--store", "s3://models/p"),
        environment={**minio.environment, "AWS_ENDPOINT_URL": address},
        code=2,
        says="endpoint of the store is not a valid URL",
    )


def test_proxy_that_cannot_be_reached(job, minio):
    """The message blames the proxy, not the store, and does not show its password."""
    refused(
        job,
        *("doctor", "--store", "s3://models/p", *QUICK),
        environment={**minio.environment, "HTTP_PROXY": f"http://user:{SECRET_KEY}@127.0.0.1:9"},
        code=75,
        says="the proxy for the store",
    )


def test_no_credential_is_written_anywhere(job, quick, minio, bucket, tmp_path):
    """This covers debug logs, records and artifacts, and also the proxy's password."""
    store = f"s3://{bucket}/p"
    with FaultyProxy(minio.url) as proxy:
        environment = {
            **minio.environment,
            "AWS_SESSION_TOKEN": "",
            "HTTP_PROXY": proxy.url.replace("//", "//user:canary-proxy-secret@"),
            "PCC_JOB_LOGS__LEVEL": "debug",
        }
        done = job(*quick(store), environment=environment)
        assert 0 == done.wait(), done.stderr
        assert len(proxy.requests) > 20
    client = client_of(minio)
    keys = [item["Key"] for item in client.list_objects_v2(Bucket=bucket)["Contents"]]
    texts = [client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys]
    texts += [done.stdout.encode(), done.stderr.encode()]

    assert [] == [t[:80] for t in texts if SECRET_KEY.encode() in t or b"canary" in t]


@pytest.mark.parametrize(
    "setting",
    ["store.uri=s3://key:canary@bucket/p", "s3.endpoint_url=http://key:canary@host:9000"],
)
def test_credentials_in_an_address_are_refused(job, setting):
    done = job("config", "show", "--set", setting)

    assert (2, False) == (done.wait(), "canary" in done.stderr + done.stdout)
