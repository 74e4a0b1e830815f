"""The section on expectations: every rule with its counts, the unmet ones first."""

import pytest
from support.pages import Reader, parse
from support.reports import HOSTILE, make_reports

from job.adapters.rendering.report import render_report
from job.adapters.rendering.sections import SECTIONS
from job.contracts.reports.metadata import Metadata
from job.contracts.reports.validation import RuleResult, ValidationReport


def rule(name, *, severity="warning", is_met=True, **more):
    return RuleResult(
        **{"rule": name, "column": "target", "severity": severity, "is_met": is_met}
        | {"n_rows": 1234}
        | more
    )


RULES = (
    rule("expect_column_to_exist", severity="critical"),
    rule("not_for_this_table", severity="info", column="confidence", is_applicable=False),
    rule("target_missing", severity="critical", n_broken=7, thresholds={"mostly": 0.99}),
    rule("labels_look_alike", is_met=False, n_broken=56, observed=2),
    rule("timestamp_cells_unreadable", is_met=False, n_broken=1234, looks_like="day_first"),
    rule("regex_fails", is_met=False, has_failed_to_run=True),
)


def draw(*rules, dropped=None):
    metadata, evaluation = make_reports()
    report = ValidationReport.of(
        "a_suite", rules, n_rows=1234, n_dropped=7, dropped_by_rule=dropped or {}
    )
    page = render_report(Metadata.model_validate(metadata), parse(evaluation), report)
    return page, Reader(page).text.partition("before the split: ")[2]


def test_every_expectation_has_a_line_with_its_counts():
    """Rule, column, severity, checked rows, violating rows, bounds and result."""
    _, text = draw(*RULES, dropped={"target: target_missing": 7})

    assert "of suite a_suite, and the built-in rules. 2 of 5 are met, and 7 of 1,234 rows" in text
    for line in (
        "target_ missing target critical 1,234 7 mostly 0.99 met",
        "labels_ look_ alike target warning 1,234 56 not met: found 2",
        "timestamp_ cells_ unreadable target warning 1,234 1,234 not met: looks like day first",
        "regex_ fails target warning 1,234 0 could not be checked",
        "confidence info 1,234 0 not checked: the table lacks the column",
        "target: target_ missing 7",
    ):
        assert line in text


def test_unmet_expectations_come_first():
    """What does not apply comes last."""
    _, text = draw(*RULES)
    places = [text.index(f"{name} ") for name in ("alike", "target_ missing", "this_ table")]

    assert sorted(places) == places


def test_section_follows_the_data_and_is_left_out_without_a_validation():
    """A folder of an earlier release may lack validation.json."""
    page, _ = draw(*RULES)
    found = [a["id"] for tag, a in Reader(page).elements if tag == "section"]
    metadata, evaluation = make_reports()
    without = render_report(Metadata.model_validate(metadata), parse(evaluation))

    assert "expectations" == found[found.index("data") + 1]
    assert 'id="expectations"' not in without
    assert "expectations" not in {section.anchor for section in SECTIONS}


@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_a_suite_are_escaped(name):
    """A suite is a file of somebody, too."""
    page, _ = draw(rule(name, column=name), dropped={name: 1})
    before, _ = draw(rule("plain"), dropped={"plain": 1})

    assert tags_of(before) == tags_of(page)


def tags_of(page):
    """Return the tags, except those that only isolate and break names."""
    return [tag for tag, _ in Reader(page).elements if tag not in ("wbr", "bdi")]
