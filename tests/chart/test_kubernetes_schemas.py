"""The objects match the API's schemas and Pod Security, and pass kube-score."""

import json
import subprocess
from copy import deepcopy
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from support.chart import CASES, MINIMAL, pods, program, render, template, with_value

VERSIONS = tuple(f"1.{minor}" for minor in range(29, 38))
# a kind of the Prometheus operator: no part of Kubernetes
FOREIGN = {"PrometheusRule"}
OPTIONAL_SCORES = (
    "container-seccomp-profile",
    "container-ports-check",
    "container-memory-requests-equal-limits",
    "container-ephemeral-storage-request-equals-limit",
)
EXCEPTIONS = {
    ("dev", "container-image-pull-policy"): "images are loaded onto the nodes by hand",
    (
        "production",
        "container-image-pull-policy",
    ): "the image is given by digest, which never moves",
}
SPACES = "securityContext"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", CASES)
def test_objects_fit_the_schemas(case, version):
    """Each object is strictly valid in each version that the chart supports."""
    for kind, document in render(CASES[case]).items():
        if kind not in FOREIGN:
            kubernetes_validate.validate(document, version, strict=True)


def test_versions_are_those_of_the_chart():
    """The oldest version is the chart's minimum, the newest the latest one with schemas."""
    limit = yaml.safe_load((Path(CASES["dev"]).parents[1] / "Chart.yaml").read_text())[
        "kubeVersion"
    ]

    assert f">={VERSIONS[0]}.0-0" == limit
    assert VERSIONS[-1] == kubernetes_validate.latest_version().rpartition(".")[0]


@pytest.fixture(scope="module")
def standalone_schemas(tmp_path_factory):
    """Write the newest schemas for kubeconform: file references, in a folder per version."""
    source = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
    version = kubernetes_validate.latest_version()
    folder = tmp_path_factory.mktemp("schemas")
    target = folder / f"v{version}-standalone-strict"
    target.mkdir()
    for path in (source / f"v{version}-local-strict").glob("*.json"):
        schema = json.loads(path.read_text().replace("/api/_definitions.json", "_definitions.json"))
        schema.pop("$id", None)
        (target / path.name).write_text(json.dumps(schema))
    return folder, version


@pytest.mark.parametrize("case", CASES)
def test_kubeconform_finds_nothing(case, standalone_schemas):
    """A second validator of the newest schemas also rejects duplicate keys."""
    folder, version = standalone_schemas
    command = [
        "kubeconform",
        "-strict",
        "-summary",
        "-output",
        "json",
        "-kubernetes-version",
        version,
    ]
    command += ["-schema-location", str(folder), "-skip", ",".join(FOREIGN)]
    program("kubeconform")
    done = subprocess.run(
        command, input=template(CASES[case]).stdout, capture_output=True, text=True
    )
    summary = json.loads(done.stdout)["summary"]

    assert (0, 0, 4) == (summary["invalid"], summary["errors"], summary["valid"]), done.stdout


@pytest.mark.parametrize("case", CASES)
def test_kube_score_finds_what_is_explained(case):
    """Each finding has a reason above, and each reason has its finding."""
    command = ["kube-score", "score", "-", "-o", "json", "--kubernetes-version", "v1.34"]
    command += [word for name in OPTIONAL_SCORES for word in ("--enable-optional-test", name)]
    program("kube-score")
    done = subprocess.run(
        command, input=template(CASES[case]).stdout, capture_output=True, text=True
    )
    found = {
        (case, check["check"]["id"])
        for scored in json.loads(done.stdout)
        for check in scored["checks"]
        if not check["skipped"] and check["grade"] < 10
    }

    assert {key for key in EXCEPTIONS if key[0] == case} == found


def violations(pod):
    """Return the violations of Pod Security *restricted* (v1.37) in a pod spec."""
    spec, found = pod["spec"], []
    context = spec.get("securityContext", {})
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(name):
            found.append(name)
    allowed = {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
    for volume in spec.get("volumes", ()):
        found += [f"volume {kind}" for kind in set(volume) - {"name"} - allowed]
    if context.get("sysctls"):
        found.append("sysctls")
    for container in (*spec["containers"], *spec.get("initContainers", ())):
        own = container.get("securityContext", {})
        both = context | own
        if own.get("privileged"):
            found.append("privileged")
        if own.get("allowPrivilegeEscalation") is not False:
            found.append("allowPrivilegeEscalation")
        if "ALL" not in own.get("capabilities", {}).get("drop", ()):
            found.append("capabilities.drop")
        if set(own.get("capabilities", {}).get("add", ())) - {"NET_BIND_SERVICE"}:
            found.append("capabilities.add")
        if both.get("runAsNonRoot") is not True:
            found.append("runAsNonRoot")
        if both.get("runAsUser") == 0:
            found.append("runAsUser")
        if both.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
            found.append("seccompProfile")
        if any(port.get("hostPort") for port in container.get("ports", ())):
            found.append("hostPort")
    return found


@pytest.mark.parametrize("case", CASES)
def test_pods_are_restricted(case):
    """A namespace that enforces *restricted* admits the run and `helm test`."""
    for pod in pods(render(CASES[case])).values():
        assert [] == violations(pod)
        assert pod["spec"]["containers"][0][SPACES]["readOnlyRootFilesystem"] is True
        assert pod["spec"]["automountServiceAccountToken"] is False


@pytest.mark.parametrize(
    ("path", "value", "violation"),
    [
        ("spec.hostNetwork", True, "hostNetwork"),
        ("spec.securityContext.runAsNonRoot", False, "runAsNonRoot"),
        ("spec.securityContext.runAsUser", 0, "runAsUser"),
        ("spec.securityContext.seccompProfile", {}, "seccompProfile"),
        ("spec.volumes", [{"name": "x", "hostPath": {"path": "/"}}], "volume hostPath"),
        ("containers.allowPrivilegeEscalation", True, "allowPrivilegeEscalation"),
        ("containers.capabilities", {}, "capabilities.drop"),
        ("containers.privileged", True, "privileged"),
    ],
)
def test_checks_of_pod_security_find_what_they_look_for(path, value, violation):
    """The test above can fail."""
    pod = deepcopy(pods(render(MINIMAL))["doctor"])
    if path.startswith("containers."):
        pod["spec"]["containers"][0][SPACES][path.split(".")[1]] = value
    else:
        pod = with_value(pod, path, value)

    assert [violation] == violations(pod)
