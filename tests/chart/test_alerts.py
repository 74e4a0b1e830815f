"""The alerts, tested on series in the format of kube-state-metrics."""

import subprocess

import pytest
import yaml
from support.chart import MINIMAL, program, render

HOUR = 3600
JOB = "pcc-training-job"
VALUES = MINIMAL | {
    "prometheusRule": {
        "enabled": True,
        "runbookUrl": "https://runbooks.example.com/x",
        "noSuccess": {"hours": 30, "severity": "critical"},
    }
}


@pytest.fixture(scope="module")
def rules():
    return render(VALUES)["PrometheusRule"]["spec"]


@pytest.fixture
def promtool(rules, tmp_path):
    """Ask promtool whether these alerts fire on these series, three days after the beginning of time."""
    tool = program("promtool", "promtool")
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules))

    def firing(*series):
        given = [{"series": name, "values": f"{value}x300"} for name, value in series]
        asked = [
            {"eval_time": "72h", "alertname": rule["alert"], "exp_alerts": []}
            for rule in rules["groups"][0]["rules"]
        ]
        found = set()
        for question in asked:
            test = {"rule_files": ["rules.yaml"], "evaluation_interval": "15m"}
            test["tests"] = [
                {"interval": "15m", "input_series": given, "alert_rule_test": [question]}
            ]
            (tmp_path / "test.yaml").write_text(yaml.safe_dump(test))
            done = subprocess.run(
                [tool, "test", "rules", "test.yaml"], cwd=tmp_path, capture_output=True, text=True
            )
            if done.returncode:
                assert "got:" in done.stderr + done.stdout, done.stderr + done.stdout
                found.add(question["alertname"])
        return found

    return firing


def cronjob(metric, value, name=JOB):
    return f'kube_cronjob_{metric}{{namespace="pcc",cronjob="{name}"}}', value


def job(number, hours, *, is_failed, owner=JOB):
    name = f"{owner}-{number}"
    common = f'namespace="pcc",job_name="{name}"'
    yield f"kube_job_created{{{common}}}", hours * HOUR
    yield f'kube_job_owner{{{common},owner_kind="CronJob",owner_name="{owner}"}}', 1
    if is_failed:
        yield f'kube_job_failed{{{common},condition="true"}}', 1


ACTIVE = cronjob("spec_suspend", 0)


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        ([ACTIVE, cronjob("status_last_successful_time", 50 * HOUR)], set()),
        ([ACTIVE, cronjob("status_last_successful_time", 40 * HOUR)], {"PccTrainingNoSuccess"}),
        ([cronjob("spec_suspend", 1), cronjob("status_last_successful_time", 40 * HOUR)], set()),
        ([ACTIVE, cronjob("created", 40 * HOUR)], {"PccTrainingNoSuccess"}),
        ([ACTIVE, cronjob("created", 50 * HOUR)], set()),
        ([ACTIVE, cronjob("created", 1), cronjob("status_last_successful_time", 50 * HOUR)], set()),
        ([cronjob("spec_suspend", 0, "other"), cronjob("created", 1, "other")], set()),
    ],
)
def test_no_success_fires_after_its_hours(promtool, series, expected):
    """It does not fire too early, for a suspended CronJob, or for another one."""
    assert expected == promtool(*series)


@pytest.mark.parametrize(
    ("jobs", "is_firing"),
    [
        ([(1, 60, True), (2, 65, True)], True),
        ([(1, 60, True)], False),
        ([(1, 40, True), (2, 65, True)], False),
        ([(1, 60, True), (2, 65, False)], False),
        ([(1, 60, True), (2, 65, True), (3, 70, False)], True),
    ],
)
@pytest.mark.parametrize("metric", ["status_last_successful_time", "created"])
def test_repeated_failure_counts_since_the_last_success(promtool, jobs, is_firing, metric):
    """Failed Jobs from before the last success, or of another CronJob, do not count."""
    series = [ACTIVE, cronjob(metric, 50 * HOUR), cronjob("created", 1, "other")]
    for number, hours, is_failed in jobs:
        series += job(number, hours, is_failed=is_failed)
        series += job(number, hours, is_failed=True, owner="other")

    assert is_firing == ("PccTrainingRepeatedFailure" in promtool(*series))


def test_alerts_say_what_to_do(rules):
    """Each alert has a severity, a summary, a diagnostic command, and the runbook."""
    found = {rule["alert"]: rule for rule in rules["groups"][0]["rules"]}

    assert {"PccTrainingNoSuccess": "critical", "PccTrainingRepeatedFailure": "warning"} == {
        name: rule["labels"]["severity"] for name, rule in found.items()
    }
    for rule in found.values():
        assert "pcc/pcc-training-job" in rule["annotations"]["summary"]
        assert "kubectl -n pcc get" in rule["annotations"]["description"]
        assert "https://runbooks.example.com/x" == rule["annotations"]["runbook_url"]


def test_rules_are_found_by_their_labels():
    """Prometheus selects rules by label."""
    labels = {"prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}}}

    assert (
        "prometheus" == render(MINIMAL | labels)["PrometheusRule"]["metadata"]["labels"]["release"]
    )
