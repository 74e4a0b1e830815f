"""Each documented environment is installed, runs, and its version is fetched and verified."""

import json
from contextlib import contextmanager

import pytest
from support.kubernetes import call, forwarded
from support.servers import make_certificates

from job.contracts.lineage_key import LineageKey

POD_SECURITY = {
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "runAsGroup": 65532,
    "seccompProfile": {"type": "RuntimeDefault"},
}
RULES = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "prometheusrules.monitoring.coreos.com"},
    "spec": {
        "group": "monitoring.coreos.com",
        "scope": "Namespaced",
        "names": {"kind": "PrometheusRule", "plural": "prometheusrules"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "x-kubernetes-preserve-unknown-fields": True,
                    }
                },
            }
        ],
    },
}


@pytest.fixture
def publish(pcc_job, tmp_path):
    """Install, start a run, and fetch the channel's version, verified, like a consumer."""

    def do(namespace, options, store, channel, ca_bundle=None):
        namespace.helm("install", "env", "charts/pcc-training-job", *options)
        job = namespace.start("env", "env-now")
        code, message = namespace.ending_of(job)
        assert 0 == code
        scheme = "https" if ca_bundle else "http"
        secrets = namespace.get("secret", "rights")["data"]
        with forwarded(namespace, "minio", 9000) as port:
            environment = {name: decoded(value) for name, value in secrets.items()}
            environment |= {"AWS_ENDPOINT_URL": f"{scheme}://localhost:{port}"}
            environment |= {"AWS_CA_BUNDLE": ca_bundle} if ca_bundle else {}
            done = pcc_job("models", "fetch", channel, "out", "--store", store, **environment)
        assert done.returncode == 0, done.stderr
        assert json.loads(message)["version"] == json.loads(done.stdout)["version"]
        return json.loads(
            (tmp_path / json.loads(done.stdout)["path"] / "metadata.json").read_text()
        )

    return do


@pytest.fixture
def own_namespace(make_namespace):
    """Create a namespace for this test, and remove it with its store at the end."""
    found = make_namespace()
    yield found
    call("kubectl", "delete", "namespace", found.name, "--wait=false")


def decoded(value):
    import base64

    return base64.b64decode(value).decode()


def test_dev(own_namespace, open_bucket, values, publish):
    namespace = own_namespace
    open_bucket(namespace, secret="minio-rights")
    copy_secret(namespace, "minio-rights")

    metadata = publish(namespace, values("dev", quick=True), "s3://pcc/models-dev", "dev")

    assert "s3://pcc/curated/sample.parquet" == metadata["dataset"]["uri"]


def copy_secret(namespace, name):
    """Grant the rights to the tests under one name, whatever the environment calls them."""
    data = namespace.get("secret", name)["data"]
    meta = {"name": "rights"}
    namespace.apply({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": data})


def create_lineage_key(namespace):
    """Create the Secret that an environment mounts."""
    literal = f"--from-literal=keys={LineageKey.generate().to_text()}"
    namespace.kubectl("create", "secret", "generic", "pcc-training-lineage", literal)


@contextmanager
def claim(namespace, name, folder, image):
    """Create a claim on the cluster's default storage, or on a folder if there is none."""
    classes = json.loads(call("kubectl", "get", "storageclass", "-o", "json").stdout)["items"]
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    volume = f"{namespace.name}-{name}"
    if not classes:
        folder.chmod(0o777)
        host = {"path": str(folder), "type": "Directory"}
        size = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"]}
        content = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": volume}}
        namespace.apply({**content, "spec": {**size, "hostPath": host, "storageClassName": ""}})
        spec |= {"storageClassName": "", "volumeName": volume}
    meta = {"name": name}
    kind = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
    namespace.apply({**kind, "metadata": meta, "spec": spec})
    try:
        fill(namespace, name, image)
        yield
    finally:
        call("kubectl", "delete", "pv", volume, "--ignore-not-found", "--wait=false", check=False)


def fill(namespace, name, image):
    """Let the job's image write sample data to the claim's folder `pcc`."""
    container = {
        "name": "fill",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python", "-c"],
        "args": [
            "import pathlib, sys; from job.cli import main;"
            "pathlib.Path('/volume/pcc').mkdir();"
            "sys.argv = ['pcc-job', 'sample-data', '/volume/pcc/curated_training_data.parquet'];"
            "main()"
        ],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "volume", "mountPath": "/volume"}],
    }
    volume = {"name": "volume", "persistentVolumeClaim": {"claimName": name}}
    spec = {
        "restartPolicy": "Never",
        "securityContext": {**POD_SECURITY, "fsGroup": 65532},
        "containers": [container],
        "volumes": [volume],
    }
    namespace.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "fill"}, "spec": spec})
    namespace.kubectl(
        "wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/fill", "--timeout=90s"
    )


def test_staging(own_namespace, open_bucket, values, publish, tmp_path):
    """The table is on a claim, the suite in the values, and the store has its own authority."""
    namespace = own_namespace
    certificates = tmp_path / "certificates"
    certificates.mkdir()
    make_certificates(certificates, "minio")
    open_bucket(namespace, "pcc-staging", "pcc-training-s3", certificates)
    copy_secret(namespace, "pcc-training-s3")
    create_lineage_key(namespace)
    ca = f"--from-file=ca.crt={certificates / 'ca.pem'}"
    namespace.kubectl("create", "configmap", "private-authorities", ca)
    here = {"config": {"s3": {"endpoint_url": "https://minio:9000"}}}
    (tmp_path / "claim").mkdir()

    with claim(namespace, "curated-exports", tmp_path / "claim", "pcc-training-job:cluster"):
        metadata = publish(
            namespace,
            values("staging", here, quick=True),
            "s3://pcc-staging/models",
            "staging",
            str(certificates / "ca.pem"),
        )

    assert "/suites/trial.json" == metadata["settings"]["expectations"]["suite"]


@pytest.fixture
def production_things():
    """Create in the cluster what production requires, and remove it again."""
    meta = {"name": "batch"}
    priority = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "value": -10}
    given = json.dumps(
        {"apiVersion": "v1", "kind": "List", "items": [RULES, {**priority, "metadata": meta}]}
    )
    label = "node.kubernetes.io/instance-type"
    call("kubectl", "apply", "--filename", "-", given=given)
    call("kubectl", "wait", "--for=condition=Established", f"crd/{RULES['metadata']['name']}")
    call("kubectl", "label", "nodes", "--all", "--overwrite", f"{label}=m6i.2xlarge")
    yield
    call("kubectl", "label", "nodes", "--all", f"{label}-", check=False)
    call("kubectl", "delete", "--filename", "-", given=given, check=False)


def test_production(own_namespace, open_bucket, values, publish, production_things):
    """As documented, except for the cloud's role, its key service, and the size of its nodes."""
    namespace = own_namespace
    bucket = open_bucket(namespace, "pcc-models", "rights")
    create_lineage_key(namespace)
    source = {"Bucket": "pcc-models", "Key": "curated/sample.parquet"}
    bucket.client.create_bucket(Bucket="pcc-curated")
    key = "latest/curated_training_data.parquet"
    bucket.client.copy_object(Bucket="pcc-curated", Key=key, CopySource=source)
    here = {
        "config": {
            "dataset": {"min_rows": 500},
            "s3": {"endpoint_url": "http://minio:9000"},
            "store": {"encryption": None},
        },
        "credentials": {"existingSecret": "rights"},
        "resources": {"requests": {"cpu": "100m", "memory": "1Gi"}, "limits": {"cpu": "2"}},
        "networkPolicy": {"egress": [{"ports": [443, 9000]}]},
    }
    metadata = publish(
        namespace, values("production", here, quick=True), "s3://pcc-models/models", "production"
    )
    [rule] = namespace.items("prometheusrules")

    assert 2 == len(bucket.keys("models/lineage/v"))
    assert [] == bucket.keys("models/lineage/key")
    assert "lower" == metadata["settings"]["gate"]["floors_on"]
    assert rule["spec"]["groups"]
