"""How settings, suites and the run id reach the pod, and stay unchanged there."""

import json
import re

import pytest
from support.chart import (
    CASES,
    EVERYTHING,
    MINIMAL,
    container_of,
    load,
    mounts,
    pods,
    render,
    variables,
    volumes,
    with_value,
)

from job.adapters.suites import SuiteFolder
from job.cli.run_job import _RUN_ID
from job.settings import known_keys, load_settings


@pytest.mark.parametrize("case", CASES)
def test_pod_reads_the_settings_that_the_values_hold(case):
    """--config names the file of the volume that shows the annotation; the job can read it."""
    values = load(CASES[case])
    for pod in pods(render(CASES[case])).values():
        item = volumes(pod)["config"]["downwardAPI"]["items"][0]
        annotation = (
            item["fieldRef"]["fieldPath"].removeprefix("metadata.annotations['").removesuffix("']")
        )
        text = pod["metadata"]["annotations"][annotation]

        assert values["config"] == json.loads(text)
        assert f"--config=/etc/pcc-job/{item['path']}" == container_of(pod)["args"][1]
        assert mounts(pod)["/etc/pcc-job"]["name"] == "config"


def test_settings_keep_nulls_and_numbers(tmp_path):
    """null switches job features off; large integers stay integers; text stays text."""
    config = MINIMAL["config"] | {
        "publish": {"channel": None},
        "gate": {"floors": {"accuracy": None}, "model_bytes": 536870912},
        "split": {"salt": "1e5", "test_fraction": 1e-7},
        "random_state": 4294967295,
        "expectations": {"parameters": {"text": "yes: <a&b> 12:30 é\u2028'\"\\\n#"}},
    }
    annotations = pods(render({"config": config}))["run"]["metadata"]["annotations"]
    path = tmp_path / "config.yaml"
    path.write_text(annotations["pcc-training-job/config.yaml"])
    effective = load_settings(path, {}, ()).settings.model_dump(mode="json")

    assert "536870912" in path.read_text()
    for section, given in config.items():
        if isinstance(given, dict):
            given = {**effective[section], **given}
            if section == "gate":
                given["floors"] = {**effective["gate"]["floors"], "accuracy": None}
        assert given == effective[section]


@pytest.mark.parametrize("case", ["staging", "everything"])
def test_pod_reads_the_suite_that_the_values_hold(case, tmp_path):
    """A suite in the values is a file at the path in the settings."""
    values = load(CASES[case])
    wanted = values["config"]["expectations"]["suite"]
    pod = pods(render(CASES[case]))["run"]
    item = volumes(pod)["suites"]["downwardAPI"]["items"][0]
    annotation = item["fieldRef"]["fieldPath"].split("'")[1]
    path = tmp_path / item["path"]
    path.write_text(pod["metadata"]["annotations"][annotation])

    assert wanted == f"/suites/{item['path']}"
    assert mounts(pod)["/suites"]["name"] == "suites"
    assert next(iter(values["expectations"]["suites"].values())) == json.loads(path.read_text())
    if case == "staging":
        SuiteFolder(tmp_path).load(str(path))


def test_nothing_that_an_upgrade_replaces_holds_settings():
    """Changed settings change the next Job's pod template, and no object that a pod reads."""
    before, after = (
        render(with_value(MINIMAL, "config.store.uri", uri))
        for uri in ("s3://models/a", "s3://models/b")
    )
    changed = {kind for kind in before if before[kind] != after[kind]}

    assert changed == {"CronJob", "Pod"}
    assert not {"ConfigMap", "Secret"} & set(after)


def test_run_id_is_of_namespace_job_and_uid():
    """All pods of a Job share the run id; the longest one is valid for the job."""
    pod = pods(render(MINIMAL))["run"]
    fields = {
        name: item["valueFrom"]["fieldRef"]["fieldPath"]
        for name, item in variables(pod).items()
        if "valueFrom" in item
    }
    run_id = container_of(pod)["args"][2].removeprefix("--run-id=")
    longest = {"NAMESPACE": "n" * 63, "JOB_NAME": "j" * 63, "JOB_UID": "u" * 36}
    expanded = re.sub(r"\$\((\w+)\)", lambda match: longest[match[1]], run_id)

    assert {
        "NAMESPACE": "metadata.namespace",
        "JOB_NAME": "metadata.labels['batch.kubernetes.io/job-name']",
        "JOB_UID": "metadata.labels['batch.kubernetes.io/controller-uid']",
    } == fields
    assert f"{'n' * 63}.{'j' * 63}.{'u' * 36}" == expanded
    assert _RUN_ID.fullmatch(expanded)


@pytest.mark.parametrize("values", [MINIMAL, EVERYTHING], ids=["minimal", "everything"])
def test_no_variable_is_taken_for_a_setting(values):
    """The job rejects unknown PCC_JOB_* variables, including Kubernetes' own for a Service."""
    keys = {f"PCC_JOB_{key.replace('.', '__').upper()}" for key in known_keys()}
    for pod in pods(render(values)).values():
        assert set() == {name for name in variables(pod) if name.startswith("PCC_JOB_")} - keys
        assert pod["spec"]["enableServiceLinks"] is False


def test_pod_reads_the_lineage_keys_of_the_secret():
    """The variable names the file of the volume; only the owner and fsGroup may read the file."""
    secret = load(EVERYTHING)["lineage"]
    for pod in pods(render(EVERYTHING)).values():
        environment = {name: item.get("value") for name, item in variables(pod).items()}
        path = load_settings(None, environment, ()).settings.lineage.key_file
        mount = mounts(pod)[path.rpartition("/")[0]]
        volume = volumes(pod)[mount["name"]]["secret"]

        assert (True, secret["existingSecret"]) == (mount["readOnly"], volume["secretName"])
        assert 0o400 == volume["defaultMode"]
        assert [{"key": secret["secretKey"], "path": path.rpartition("/")[2]}] == volume["items"]


def test_unset_secret_leaves_the_key_to_the_store():
    """Without a Secret, the job gets no key file."""
    for pod in pods(render(MINIMAL)).values():
        assert [] == [
            name for name in (*variables(pod), *volumes(pod)) if "lineage" in name.lower()
        ]


@pytest.mark.parametrize("case", CASES)
def test_doctor_is_the_run_but_for_its_arguments(case):
    """If `helm test` passes, a run works as well: same rights, volumes, user and network."""
    found = pods(render(CASES[case]))
    arguments = {name: container_of(pod).pop("args") for name, pod in found.items()}
    own = set(variables(found["run"])) - set(variables(found["doctor"]))
    for pod in found.values():
        container_of(pod).pop("resources")
        environment = [
            item
            for item in container_of(pod).pop("env", [])
            if item["name"] not in ("NAMESPACE", "JOB_NAME", "JOB_UID")
        ]
        container_of(pod)["env"] = environment
    hooks = {
        k: found["doctor"]["metadata"]["annotations"].pop(k)
        for k in ("helm.sh/hook", "helm.sh/hook-delete-policy")
    }
    found["doctor"]["metadata"].pop("name")
    found["doctor"]["metadata"].pop("namespace")

    assert {"helm.sh/hook": "test", "helm.sh/hook-delete-policy": "before-hook-creation"} == hooks
    assert {"NAMESPACE", "JOB_NAME", "JOB_UID"} == own
    assert ["doctor", arguments["run"][1]] == arguments["doctor"]
    assert ["run", "doctor"] == [given[0] for given in arguments.values()]
    assert found["run"]["spec"] == found["doctor"]["spec"]
    assert found["run"]["metadata"] == found["doctor"]["metadata"]
