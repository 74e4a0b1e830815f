"""The lines after a run and a validation: at most seven, and only what is broken."""

import pytest

from job.cli.result_lines import lay_out_run, lay_out_validation
from job.contracts.reports.results import RunResult
from job.contracts.reports.validation import RuleResult, ValidationReport

VERSION, CHAMPION = "v20260101_000000_aaaaaaaa", "v20250101_000000_bbbbbbbb"
DIGEST = f"sha256:{'0' * 64}"
PUBLISHED = RunResult.model_validate(
    {
        "run_id": "r1",
        "outcome": "published",
        "version": VERSION,
        "store_uri": "models",
        "scores": {"f1_macro": 0.9},
        "dataset": {"uri": "t.csv", "n_rows": 9, "file_digest": DIGEST, "content_digest": DIGEST},
        "stages": {},
        "duration_seconds": 12.34,
        "channel": "production",
        "score": {"metric": "f1_macro", "value": 0.9, "lower": 0.8, "upper": 0.95, "level": 0.95},
        "champion": {
            "version": CHAMPION,
            "metric": "f1_macro",
            "difference": {"value": 0.01, "lower": -0.02, "upper": 0.03},
            "problem": "",
        },
        "weakest_class": {"name": "erase", "recall": 0.5, "n_rows": 1},
        "report_uri": f"models/{VERSION}/report.html",
        "next_command": f"pcc-job report {VERSION} --open",
    }
)


def test_published_run_is_seven_lines():
    """Each says one thing."""
    assert [
        "published    accepted by the gate, and published (12.3 s)",
        f"version      {VERSION}, channel production",
        "f1_macro     0.9000 (95% interval 0.8000 to 0.9500)",
        f"champion     +0.0100 (-0.0200 to +0.0300), {CHAMPION}",
        "weakest      class 'erase': recall 0.5000 on 1 row",
        f"report       models/{VERSION}/report.html",
        f"next         pcc-job report {VERSION} --open",
    ] == lay_out_run(PUBLISHED)


def test_rejected_run_names_the_unmet_criteria():
    """The form is the same, with the run instead of the version."""
    result = PUBLISHED.copy_with(
        outcome="rejected",
        version=None,
        report_uri=None,
        unmet_criteria=("accuracy 0.9, minimum 0.99", "f1_macro 0.9, minimum 0.95"),
        next_command="pcc-job report r1 --open",
    )
    lines = lay_out_run(result)

    assert "run          r1" == lines[1]
    assert [
        "not met      accuracy 0.9, minimum 0.99",
        "not met      f1_macro 0.9, minimum 0.95",
    ] == (lines[5:7])
    assert "next         pcc-job report r1 --open" == lines[7]


def test_run_that_was_held_back_says_what_helps():
    """No candidate was trained, so there are no scores."""
    result = PUBLISHED.copy_with(
        outcome="held_back",
        version=None,
        score=None,
        champion=None,
        weakest_class=None,
        report_uri=None,
        next_command=None,
        reason="3 groups changed",
    )
    lines = lay_out_run(result)

    assert "held back    3 groups changed" == lines[2]
    assert "--override REASON" in lines[3]


def test_published_run_against_the_gate_says_so():
    """A reader must not take it for an accepted one."""
    assert "--override" in lay_out_run(PUBLISHED.copy_with(override="agreed"))[0]


def validation(*rules):
    return ValidationReport.of("labels", rules, n_rows=10, n_dropped=2, dropped_by_rule={})


def rule(name, **values):
    return RuleResult(rule=name, column="target", severity="critical", n_rows=10, **values)


def test_validation_without_a_broken_rule_is_one_line_and_the_dropped_rows():
    """Rules that hold are counted, not listed."""
    lines = lay_out_validation(validation(rule("a", is_met=True), rule("b", is_met=True)))

    assert ["2 of 2 rules hold (suite labels, 10 rows)", "2 rows dropped"] == lines


@pytest.mark.parametrize(
    ("values", "found", "expected"),
    [
        ({"n_broken": 3}, "3 of 10 rows", ""),
        ({"observed": 4, "thresholds": {"max_value": 3}}, "4", "max_value 3"),
        ({"has_failed_to_run": True}, "could not be checked", ""),
        ({}, "not as expected", ""),
    ],
)
def test_broken_rule_is_a_row_of_a_table(values, found, expected):
    """It has counts and thresholds, and no cell of the data."""
    lines = lay_out_validation(
        validation(rule("a", is_met=True), rule("b", is_met=False, **values))
    )

    assert "1 of 2 rules hold (suite labels, 10 rows)" == lines[0]
    assert f"b target critical {found} {expected}".split() == lines[3].split()


def test_rule_about_a_missing_column_is_not_counted():
    """It was not checked."""
    other = rule("b", is_met=True, is_applicable=False)
    lines = lay_out_validation(validation(rule("a", is_met=True), other))

    assert [
        "1 of 1 rule holds (suite labels, 10 rows)",
        "1 rule not checked: the table lacks the column",
    ] == lines[:2]
