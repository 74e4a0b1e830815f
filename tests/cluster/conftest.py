"""A cluster with the image, a namespace that enforces Pod Security `restricted`, and a store."""

import os
import subprocess
import uuid
from contextlib import ExitStack

import pytest
import yaml
from support.containers import docker
from support.kubernetes import (
    ACCESS_KEY,
    SECRET_KEY,
    Namespace,
    call,
    forwarded,
    minio_manifests,
)
from support.requirements import skip_without
from support.servers import MINIO

from job.samples import write_sample

IMAGE = "pcc-training-job:cluster"
OPEN = {"accuracy": None, "precision_macro": None, "recall_macro": None, "f1_macro": None}
QUICK = {
    "gate": {"floors": OPEN, "margin": 0.5},
    "search": {"estimators": {"dummy": {}}, "folds": 2},
}


@pytest.fixture(scope="session")
def cluster(docker_engine):
    """Find the cluster that was created for tests, and load the images into it.

    The tests label nodes and remove objects by name, so no other cluster must be used.
    """
    made = os.environ.get("PCC_TEST_CLUSTER")
    if not made or made != os.environ.get("KUBECONFIG"):
        skip_without("cluster", 'none for tests is named: eval "$(make -s cluster-up)"')
    try:
        call("kubectl", "version", timeout=30)
        call("helm", "version", timeout=30)
    except (AssertionError, OSError, subprocess.TimeoutExpired) as error:
        skip_without("cluster", f"it does not answer, or helm is not there: {error}")
    docker("build", "--quiet", "--tag", IMAGE, ".")
    call("scripts/cluster.sh", "load", IMAGE, MINIO)


@pytest.fixture(scope="session")
def make_namespace(cluster):
    """Create namespaces that enforce Pod Security `restricted`; remove them after the session."""
    made = []

    def make():
        found = Namespace(f"pcc-test-{uuid.uuid4().hex[:8]}")
        made.append(found)
        call("kubectl", "create", "namespace", found.name)
        level = "pod-security.kubernetes.io/enforce=restricted"
        call("kubectl", "label", "namespace", found.name, level)
        return found

    yield make
    for found in made:
        call("kubectl", "delete", "namespace", found.name, "--wait=false", check=False)


class Bucket:
    """A bucket of a MinIO in the cluster, accessed from the tests."""

    def __init__(self, name, url, ca_bundle=None):
        import boto3
        from botocore.config import Config

        self.name = name
        self.client = boto3.client(
            "s3",
            endpoint_url=url,
            verify=ca_bundle,
            region_name="us-east-1",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 10}),
        )

    def keys(self, prefix):
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.name, Prefix=prefix
        )
        return [item["Key"] for page in pages for item in page.get("Contents", ())]

    def clear(self, prefix):
        """Remove all objects below a prefix."""
        for key in self.keys(prefix):
            self.client.delete_object(Bucket=self.name, Key=key)

    def versions(self, store="models-dev"):
        """Return the complete versions."""
        names = [key.split("/") for key in self.keys(f"{store}/v")]
        return sorted(parts[1] for parts in names if parts[2:] == ["manifest.json"])


@pytest.fixture(scope="session")
def open_bucket(small_table):
    """Return the bucket of a namespace's MinIO, created and filled with the sample table."""
    with ExitStack() as stack:

        def give(namespace, name="pcc", secret="minio-rights", certificates=None):
            namespace.apply(*minio_manifests(certificates))
            namespace.kubectl("rollout", "status", "deployment/minio", "--timeout=120s")
            port = stack.enter_context(forwarded(namespace, "minio", 9000))
            url = f"{'https' if certificates else 'http'}://localhost:{port}"
            bucket = Bucket(name, url, str(certificates / "ca.pem") if certificates else None)
            bucket.client.create_bucket(Bucket=name)
            bucket.client.upload_file(str(small_table), name, "curated/sample.parquet")
            keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
            literals = [f"--from-literal={name}={value}" for name, value in keys.items()]
            namespace.kubectl("create", "secret", "generic", secret, *literals)
            return bucket

        yield give


@pytest.fixture(scope="session")
def small_table(tmp_path_factory):
    path = tmp_path_factory.mktemp("cluster") / "sample.parquet"
    write_sample(path, n_rows=600, seed=5, is_csv=False)
    return path


@pytest.fixture(scope="session")
def namespace(make_namespace):
    return make_namespace()


@pytest.fixture(scope="session")
def bucket(namespace, open_bucket):
    return open_bucket(namespace)


@pytest.fixture
def values(tmp_path):
    """Write a values file that overrides an environment's values; return helm's arguments."""
    number = iter(range(99))

    def write(environment, *changes, quick=False):
        image = {
            "repository": IMAGE.partition(":")[0],
            "tag": IMAGE.partition(":")[2],
            "digest": "",
        }
        content = {"image": {**image, "pullPolicy": "IfNotPresent"}}
        for change in ({"config": QUICK}, *changes) if quick else changes:
            content = merged(content, change)
        path = tmp_path / f"values-{next(number)}.yaml"
        path.write_text(yaml.safe_dump(content))
        base = f"charts/pcc-training-job/ci/{environment}-values.yaml"
        return ["--values", base, "--values", str(path)]

    return write


def merged(content, change):
    """Merge one mapping over another, level by level."""
    both = {**content}
    for key, value in change.items():
        old = content.get(key)
        both[key] = (
            merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
        )
    return both


@pytest.fixture
def install(namespace, bucket, values):
    """Install the chart as in dev, with the test's own store prefix; uninstall it at the end."""
    releases = []

    def make(*changes, where=namespace):
        release = f"r{uuid.uuid4().hex[:6]}"
        store = {"uri": f"s3://pcc/{release}"}
        # dev has no retries, but a store on a busy machine may not answer in time
        least = {"config": {"store": store}, "job": {"backoffLimit": 2}}
        options = values("dev", least, *changes, quick=True)
        where.helm("install", release, "charts/pcc-training-job", *options)
        releases.append((where, release))
        return release

    yield make
    for where, release in releases:
        where.helm("uninstall", release, check=False)
