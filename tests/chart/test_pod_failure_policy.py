"""One table of exit codes: errors.py, the rendered podFailurePolicy, and docs/exit-codes.md."""

import re

import pytest
from support.chart import CASES, MINIMAL, ROOT, job_spec, pods, render

from job.errors import MEANINGS, POD_ACTIONS, ExitCode, PodAction
from scripts.generate_chart import CHART, pod_failure_policy


@pytest.fixture(scope="module")
def spec():
    return job_spec(render(MINIMAL))


def decision(rules, code, *, is_disrupted):
    """Decide like the Job controller: the first matching rule, else Count."""
    for rule in rules:
        if is_disrupted and {"type": "DisruptionTarget", "status": "True"} in rule.get(
            "onPodConditions", []
        ):
            return rule["action"]
        if code in rule.get("onExitCodes", {}).get("values", []):
            return rule["action"]
    return None


def test_every_code_has_its_meaning_and_its_action():
    """A new code cannot be forgotten."""
    assert set(ExitCode) == set(MEANINGS) == set(POD_ACTIONS)


@pytest.mark.parametrize("code", [code for code in ExitCode if code is not ExitCode.OK])
def test_policy_does_what_errors_say(spec, code):
    """Each code is in the policy, and a disruption precedes all codes."""
    rules = spec["podFailurePolicy"]["rules"]
    expected = {PodAction.FAIL_JOB: "FailJob"}.get(POD_ACTIONS[code], "Count")

    assert expected == decision(rules, code, is_disrupted=False)
    assert "Ignore" == decision(rules, code, is_disrupted=True)


def test_page_says_what_errors_say():
    """The operator's page has the same codes, meanings and actions."""
    block = (
        (ROOT / "docs/exit-codes.md")
        .read_text()
        .split("<!-- exit-codes -->")[1]
        .split("<!-- /exit-codes -->")[0]
    )
    rows = re.findall(r"^\| (\d+) \| (.+) \| (.+) \| (.+) \|$", block, re.MULTILINE)

    assert [(str(int(code)), *MEANINGS[code], str(POD_ACTIONS[code])) for code in ExitCode] == rows


@pytest.mark.parametrize("case", CASES)
def test_policy_is_one_that_the_api_server_takes(case):
    """Codes are distinct, sorted and not 0; the container exists; the pods are not restarted."""
    found = job_spec(render(CASES[case]))
    conditions = [
        rule["onExitCodes"] for rule in found["podFailurePolicy"]["rules"] if "onExitCodes" in rule
    ]

    assert "Never" == found["template"]["spec"]["restartPolicy"]
    for condition in conditions:
        assert sorted(set(condition["values"]) - {0}) == condition["values"]
        assert condition["containerName"] in [
            c["name"] for c in found["template"]["spec"]["containers"]
        ]


def test_ending_is_read_from_the_termination_log(spec):
    """The job writes it; if it cannot, the last lines of the log are used."""
    for pod in pods(render(MINIMAL)).values():
        container = pod["spec"]["containers"][0]
        assert "/dev/termination-log" == container["terminationMessagePath"]
        assert "FallbackToLogsOnError" == container["terminationMessagePolicy"]


def test_policy_is_what_the_generator_writes():
    """The template is not edited by hand."""
    assert pod_failure_policy() == (CHART / "templates" / "_pod-failure-policy.tpl").read_text()
