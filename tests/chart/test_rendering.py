"""The objects that the values produce."""

import re

import pytest
from support.chart import (
    CASES,
    CHART,
    EVERYTHING,
    MINIMAL,
    helm,
    job_spec,
    load,
    mounts,
    pods,
    render,
    variables,
    volumes,
    with_value,
)


def at(node, path):
    """Follow a dotted path to the container, of which there is only one."""
    for name in path.split("."):
        node = node[int(name)] if isinstance(node, list) else node[name]
    return node


@pytest.mark.parametrize("case", ["defaults", *CASES])
def test_lint_is_clean(case):
    """There is no error and no warning, in the chart alone and in each environment."""
    files = [] if case == "defaults" else ["-f", CASES[case]]
    done = helm("lint", "--strict", "--kube-version", "1.34.0", CHART, *files)

    assert (0, "") == (
        done.returncode,
        "".join(re.findall(r"\[(?:ERROR|WARNING)\].*", done.stdout)),
    )


@pytest.mark.parametrize(
    ("key", "kind", "path", "value"),
    [
        ("job.backoffLimit", "CronJob", "spec.jobTemplate.spec.backoffLimit", 0),
        (
            "job.ttlSecondsAfterFinished",
            "CronJob",
            "spec.jobTemplate.spec.ttlSecondsAfterFinished",
            0,
        ),
        (
            "job.terminationGracePeriodSeconds",
            "CronJob",
            "spec.jobTemplate.spec.template.spec.terminationGracePeriodSeconds",
            0,
        ),
        ("cronJob.successfulJobsHistoryLimit", "CronJob", "spec.successfulJobsHistoryLimit", 0),
        ("cronJob.failedJobsHistoryLimit", "CronJob", "spec.failedJobsHistoryLimit", 0),
        ("cronJob.suspend", "CronJob", "spec.suspend", False),
        (
            "podSecurityContext.runAsGroup",
            "CronJob",
            "spec.jobTemplate.spec.template.spec.securityContext.runAsGroup",
            0,
        ),
        ("podSecurityContext.fsGroup", "Pod", "spec.securityContext.fsGroup", 0),
        (
            "podSecurityContext.supplementalGroups",
            "Pod",
            "spec.securityContext.supplementalGroups",
            [0],
        ),
        ("tolerations", "Pod", "spec.tolerations.0.tolerationSeconds", 0),
        (
            "resources.limits",
            "CronJob",
            "spec.jobTemplate.spec.template.spec.containers.0.resources.limits.cpu",
            0.5,
        ),
        (
            "job.activeDeadlineSeconds",
            "CronJob",
            "spec.jobTemplate.spec.activeDeadlineSeconds",
            31536000,
        ),
    ],
)
def test_number_renders_as_it_is(key, kind, path, value):
    """Zero and false are values, and a large number does not become 3.1536e+07."""
    wrapped = {"tolerations": [{"tolerationSeconds": 0}], "resources.limits": {"cpu": 0.5}}
    objects = render(with_value(MINIMAL, key, wrapped.get(key, value)))

    assert (value, type(value)) == (at(objects[kind], path), type(at(objects[kind], path)))


@pytest.mark.parametrize("key", ["job.activeDeadlineSeconds", "job.ttlSecondsAfterFinished"])
def test_null_leaves_the_field_out(key):
    """Unset is not zero."""
    assert key.split(".")[1] not in job_spec(render(with_value(MINIMAL, key, None)))


def test_null_user_is_left_to_the_platform():
    """OpenShift rejects a user that it has not chosen."""
    values = MINIMAL | {
        "podSecurityContext": {"runAsUser": None, "runAsGroup": None, "fsGroup": None}
    }

    for pod in pods(render(values)).values():
        assert {"runAsNonRoot", "seccompProfile", "fsGroupChangePolicy"} == set(
            pod["spec"]["securityContext"]
        )


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ("2Gi", 2 * 2**30),
        ("1.5Gi", 3 * 2**29),
        ("512Mi", 2**29),
        ("3Ki", 3072),
        ("1Ti", 2**40),
        ("2Pi", 2**51),
        ("100k", 100_000),
        ("20M", 20_000_000),
        ("7G", 7_000_000_000),
        ("1T", 10**12),
        ("1500m", 1),
        ("123456789", 123456789),
        (1073741824, 2**30),
    ],
)
def test_job_is_told_how_much_it_may_write(size, expected):
    """The pod cannot see the limit of /tmp, and would be evicted instead of raising an error."""
    for pod in pods(render(with_value(MINIMAL, "tmp.sizeLimit", size))).values():
        assert str(expected) == variables(pod)["TMPDIR_LIMIT_BYTES"]["value"]
        assert {"emptyDir": {"sizeLimit": size}} == volumes(pod)["tmp"]


def test_one_claim_for_table_and_models_is_one_volume():
    """With two volumes of one claim, Kubernetes would wait for the second one forever."""
    values = with_value(MINIMAL, "dataset", {"existingClaim": "c", "subPath": "in"})
    pod = pods(render(values | {"store": {"existingClaim": "c", "subPath": "out"}}))["run"]
    mounted = [mounts(pod)[path] for path in ("/data", "/models")]

    assert [{"claimName": "c"}] == [
        item["persistentVolumeClaim"]
        for item in pod["spec"]["volumes"]
        if "persistentVolumeClaim" in item
    ]
    assert 1 == len({item["name"] for item in mounted})
    assert [("in", True), ("out", False)] == [
        (item["subPath"], item.get("readOnly", False)) for item in mounted
    ]


def test_network_policy_opens_dns_and_443_by_default():
    """No incoming traffic is allowed; outgoing DNS and HTTPS are."""
    spec = render(MINIMAL)["NetworkPolicy"]["spec"]
    kube_system = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}
    }

    assert ["Ingress", "Egress"] == spec["policyTypes"]
    assert "ingress" not in spec
    assert [
        {
            "to": [kube_system],
            "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}],
        },
        {"ports": [{"port": 443, "protocol": "TCP"}]},
    ] == spec["egress"]


def test_network_policy_opens_what_the_values_say_instead():
    """The configured addresses and ports replace 443."""
    rules = load(EVERYTHING)["networkPolicy"]["egress"]
    spec = render(EVERYTHING)["NetworkPolicy"]["spec"]

    assert [{"ipBlock": {"cidr": "169.254.20.10/32"}}] == spec["egress"][0]["to"]
    assert [(rule.get("to"), rule["ports"]) for rule in rules] == [
        (rule.get("to"), [port["port"] for port in rule["ports"]]) for rule in spec["egress"][1:]
    ]


def test_everything_is_where_it_belongs():
    """The container receives credentials, authorities, table and store from the values."""
    pod = pods(render(EVERYTHING))["run"]
    env = {
        name: item.get("value") or item["valueFrom"].get("secretKeyRef")
        for name, item in variables(pod).items()
    }
    mounted = {
        path: (item["name"], item.get("subPath"), item.get("readOnly", False))
        for path, item in mounts(pod).items()
    }

    assert {"name": "s3", "key": "id"} == env["AWS_ACCESS_KEY_ID"]
    assert {"name": "s3", "key": "secret"} == env["AWS_SECRET_ACCESS_KEY"]
    assert {"name": "s3", "key": "token"} == env["AWS_SESSION_TOKEN"]
    assert "/etc/pcc-job-ca/ca.crt" == env["AWS_CA_BUNDLE"]
    assert {
        "/etc/pcc-job": ("config", None, True),
        "/tmp": ("tmp", None, False),
        "/suites": ("suites", None, True),
        "/etc/pcc-job-ca": ("ca-bundle", None, True),
        "/etc/pcc-job-lineage": ("lineage", None, True),
        "/data": ("dataset", "exports", True),
        "/models": ("store", "pcc", False),
        "/scratch": ("scratch", "a", False),
        "/other": ("scratch", None, True),
    } == mounted
    assert {
        "ca-bundle": {
            "secret": {
                "secretName": "authorities",
                "items": [{"key": "bundle.pem", "path": "ca.crt"}],
            }
        },
        "dataset": {
            "csi": {
                "driver": "s3.csi.example.com",
                "readOnly": True,
                "volumeAttributes": {"bucket": "a"},
            }
        },
        "store": {"persistentVolumeClaim": {"claimName": "models"}},
    } == {k: v for k, v in volumes(pod).items() if k in ("ca-bundle", "dataset", "store")}
