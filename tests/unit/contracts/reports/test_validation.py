"""validation.json says what was checked, and names no row."""

from job.contracts.reports.validation import RuleResult, ValidationReport


def make_rule(*, severity="critical", is_met=True, **more):
    return RuleResult(rule="r", column="c", severity=severity, is_met=is_met, n_rows=9, **more)


def make_report(*rules):
    return ValidationReport.of("s", rules, n_rows=9, n_dropped=0, dropped_by_rule={"b": 1, "a": 2})


def test_positions_of_rows_are_not_written():
    """They are needed to drop the rows."""
    rule = make_rule(n_broken=2, rows=(3, 4))

    assert (3, 4) == rule.rows
    assert "rows" not in rule.to_json()


def test_numbers_keep_their_type():
    """A count is not written as a fraction."""
    report = make_report(make_rule(thresholds={"min_value": 1, "mostly": 0.5}, observed=3))
    text = report.to_bytes().decode()

    assert '"min_value": 1,' in text
    assert '"observed": 3,' in text


def test_report_is_met_if_all_critical_rules_are():
    """Others are warnings."""
    report = make_report(make_rule(), make_rule(severity="warning", is_met=False))

    assert (True, 1) == (report.is_met, report.n_warnings)
    assert not make_report(make_rule(is_met=False)).is_met


def test_report_is_read_as_it_was_written():
    report = make_report(make_rule())

    assert report == ValidationReport.parse(report.to_bytes())
