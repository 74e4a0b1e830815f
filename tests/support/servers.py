"""Real object stores in containers, over HTTP, and over HTTPS with a certificate authority."""

import base64
import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, field

import docker
import trustme
from botocore.exceptions import BotoCoreError, ClientError
from testcontainers.core.container import DockerContainer

from job.adapters.stores.s3.client import connect
from job.contracts.settings.store import S3Spec

MINIO = "quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z"
MC = "quay.io/minio/mc:RELEASE.2025-08-13T08-35-41Z"
VERSITYGW = "versity/versitygw:v1.7.0"
ACCESS_KEY, SECRET_KEY = "test-operator", "canary-root-secret-4711"
KMS_KEY = "test-key"
KINDS = ("minio", "minio-tls", "versitygw", "versitygw-tls")


@dataclass
class Server:
    """A running store: its address and credentials."""

    kind: str
    url: str
    ca_bundle: str | None
    container: DockerContainer
    credentials: dict[str, str] = field(
        default_factory=lambda: {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": "us-east-1",
        }
    )

    @property
    def spec(self):
        return S3Spec(endpoint_url=self.url, region="us-east-1", ca_bundle=self.ca_bundle)

    @property
    def environment(self):
        """Environment variables for a process that uses the server, as a user would set them."""
        variables = {**self.credentials, "AWS_ENDPOINT_URL": self.url}
        return variables | ({"AWS_CA_BUNDLE": self.ca_bundle} if self.ca_bundle else {})

    def await_restart(self):
        """Wait until the server answers again; a restarted container may have a different port."""
        self.container.get_wrapped_container().reload()
        self.url = f"{self.url.rpartition(':')[0]}:{self.container.get_exposed_port(9000)}"
        _wait(self)

    @property
    def address(self):
        """IP address on the containers' own network."""
        container = self.container.get_wrapped_container()
        container.reload()
        networks = container.attrs["NetworkSettings"]["Networks"]
        return next(iter(networks.values()))["IPAddress"]


@contextmanager
def running(kind, folder):
    """Run a server of this kind, and wait until it answers."""
    is_tls = kind.endswith("-tls")
    certificates = make_certificates(folder) if is_tls else None
    container = _minio(certificates) if kind.startswith("minio") else _versitygw(certificates)
    port = 9000 if kind.startswith("minio") else 7070
    with container:
        scheme = "https" if is_tls else "http"
        url = f"{scheme}://localhost:{container.get_exposed_port(port)}"
        bundle = str(certificates / "ca.pem") if certificates else None
        server = Server(kind, url, bundle, container)
        _wait(server)
        yield server


def _minio(certificates):
    container = (
        DockerContainer(MINIO)
        .with_exposed_ports(9000)
        .with_env("MINIO_ROOT_USER", ACCESS_KEY)
        .with_env("MINIO_ROOT_PASSWORD", SECRET_KEY)
        .with_env("MINIO_KMS_SECRET_KEY", f"{KMS_KEY}:{base64.b64encode(bytes(32)).decode()}")
    )
    if certificates:
        container.with_volume_mapping(str(certificates), "/certs", "ro")
    return container.with_command("server /data" + (" --certs-dir /certs" if certificates else ""))


def _versitygw(certificates):
    container = (
        DockerContainer(VERSITYGW)
        .with_exposed_ports(7070)
        .with_env("ROOT_ACCESS_KEY", ACCESS_KEY)
        .with_env("ROOT_SECRET_KEY", SECRET_KEY)
    )
    tls = ""
    if certificates:
        container.with_volume_mapping(str(certificates), "/certs", "ro")
        tls = "--cert /certs/public.crt --key /certs/private.key "
    return container.with_command(f"--port :7070 {tls}posix /tmp")


def make_certificates(folder, *names):
    """Issue a certificate for this machine and these names, by a new authority."""
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1", *names)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    issued.cert_chain_pems[0].write_to_path(str(folder / "public.crt"))
    issued.private_key_pem.write_to_path(str(folder / "private.key"))
    for path in folder.iterdir():
        path.chmod(0o644)
    return folder


def client_of(server):
    """Return a boto3 client with the server's own credentials, independent of the environment."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=server.url,
        verify=server.ca_bundle,
        region_name="us-east-1",
        aws_access_key_id=server.credentials["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=server.credentials["AWS_SECRET_ACCESS_KEY"],
        config=Config(
            s3={"addressing_style": "path"}, request_checksum_calculation="when_required"
        ),
    )


def copy_objects(client, source, target):
    """Copy all objects of one bucket to another."""
    for item in client.list_objects_v2(Bucket=source)["Contents"]:
        place = {"Bucket": source, "Key": item["Key"]}
        client.copy_object(Bucket=target, Key=item["Key"], CopySource=place)


def connection_of(server):
    """Return the connection that the adapter uses."""
    return connect(server.spec)


def _wait(server):
    client = client_of(server)
    for _ in range(120):
        try:
            client.list_buckets()
            return
        except (BotoCoreError, ClientError) as error:
            last = error
            time.sleep(0.25)
    raise RuntimeError(f"the store at {server.url} did not start") from last


def add_user(server, name, secret, policy, folder):
    """Create a user with only this policy on MinIO; return its credentials as variables."""
    (folder / f"{name}.json").write_text(json.dumps(policy))
    folder.chmod(0o755)
    script = " && ".join(
        (
            f"mc alias set it http://{server.address}:9000 {ACCESS_KEY} {SECRET_KEY}",
            f"mc admin user add it {name} {secret}",
            f"mc admin policy create it {name} /policies/{name}.json",
            f"mc admin policy attach it {name} --user {name}",
        )
    )
    docker.from_env().containers.run(
        MC,
        entrypoint=["/bin/sh", "-c"],
        command=[script],
        volumes={str(folder): {"bind": "/policies", "mode": "ro"}},
        remove=True,
    )
    return {"AWS_ACCESS_KEY_ID": name, "AWS_SECRET_ACCESS_KEY": secret}
