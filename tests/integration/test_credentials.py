"""Credentials come from a profile, a role or the environment: botocore's own chain."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest


@pytest.fixture
def rights(minio):
    """Return temporary credentials with a session token, from MinIO's own token service."""
    client = boto3.client(
        "sts",
        endpoint_url=minio.url,
        region_name="us-east-1",
        aws_access_key_id=minio.credentials["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=minio.credentials["AWS_SECRET_ACCESS_KEY"],
    )
    return client.assume_role(RoleArn="arn:x:ignored:by:minio:", RoleSessionName="test")[
        "Credentials"
    ]


@pytest.fixture
def serve():
    """Answer every request with a text, like a platform's credential service."""
    servers = []

    def start(text):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            do_POST = do_GET  # noqa: N815  # its name

            def log_message(self, *_):
                pass

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def works(job, bucket, environment, *more):
    done = job("doctor", "--store", f"s3://{bucket}/p", *more, environment=environment)
    assert 0 == done.wait(), done.stderr
    return done.result["is_fit"]


@pytest.fixture
def bare(minio):
    """Return an environment without credentials."""
    return {
        "AWS_ENDPOINT_URL_S3": minio.url,
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    }


@pytest.fixture
def profile(minio, tmp_path):
    """Write the AWS tools' files with one complete profile."""
    keys = minio.credentials
    (tmp_path / "credentials").write_text(
        f"[nightly]\naws_access_key_id = {keys['AWS_ACCESS_KEY_ID']}\n"
        f"aws_secret_access_key = {keys['AWS_SECRET_ACCESS_KEY']}\n"
    )
    (tmp_path / "config").write_text(
        f"[profile nightly]\nregion = us-east-1\nendpoint_url = {minio.url}\n"
    )
    return {
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
    }


def test_profile_of_the_settings(job, bucket, profile):
    assert works(job, bucket, profile, "--set", "s3.profile=nightly")


def test_profile_of_the_environment(job, bucket, profile):
    assert works(job, bucket, {**profile, "AWS_PROFILE": "nightly"})


def test_role_of_a_container(job, bucket, bare, rights, serve):
    """ECS and EKS Pod Identity provide credentials this way."""
    answer = {
        "AccessKeyId": rights["AccessKeyId"],
        "SecretAccessKey": rights["SecretAccessKey"],
        "Token": rights["SessionToken"],
        "Expiration": rights["Expiration"].isoformat(),
    }
    address = serve(json.dumps(answer))

    assert works(job, bucket, {**bare, "AWS_CONTAINER_CREDENTIALS_FULL_URI": address})


def test_web_identity(job, bucket, bare, rights, serve, tmp_path):
    """IRSA provides a token in a file, which is exchanged for temporary credentials."""
    (tmp_path / "token").write_text("a.b.c")
    address = serve(
        "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>"
        f"<AccessKeyId>{rights['AccessKeyId']}</AccessKeyId>"
        f"<SecretAccessKey>{rights['SecretAccessKey']}</SecretAccessKey>"
        f"<SessionToken>{rights['SessionToken']}</SessionToken>"
        f"<Expiration>{rights['Expiration'].isoformat()}</Expiration>"
        "</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
    )
    environment = {
        **bare,
        "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/job",
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"),
        "AWS_ENDPOINT_URL_STS": address,
    }

    assert works(job, bucket, environment)
