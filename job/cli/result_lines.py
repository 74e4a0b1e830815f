"""Lay out the results of run, validate and gate as a few lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from job.cli.layout import lay_out_columns, lay_out_labelled
from job.contracts.messages import pluralize

if TYPE_CHECKING:
    from collections.abc import Iterable

    from job.contracts.reports.gate import Criterion
    from job.contracts.reports.headline import HeadlineScore
    from job.contracts.reports.intervals import Interval
    from job.contracts.reports.results import GateResult, RunResult
    from job.contracts.reports.validation import RuleResult, ValidationReport

_LABEL_WIDTH: Final = 12
_VERDICTS: Final = {
    "published": "accepted by the gate, and published",
    "already_published": "already published by an earlier attempt of this run",
    "dry_run": "would be published without --dry-run",
    "rejected": "the gate rejected the candidate; nothing was published",
    "held_back": "nothing was trained or published",
}


def lay_out_run(result: RunResult) -> list[str]:
    """Return at most seven labelled lines, and one for each criterion that is not met."""
    lines = [
        line
        for label, text in _list_facts(result)
        for line in lay_out_labelled(label, text, label_width=_LABEL_WIDTH)
    ]
    if result.next_command is None:
        advice = "wait for more new rows, or add --override REASON to the same command"
        return [*lines, *lay_out_labelled("next", advice, label_width=_LABEL_WIDTH)]
    return [*lines, f"{'next':<{_LABEL_WIDTH}} {result.next_command}"]  # not wrapped, to be copied


def _list_facts(result: RunResult) -> Iterable[tuple[str, str]]:
    verdict = _VERDICTS[result.outcome]
    if result.override is not None:
        verdict = "rejected by the gate, but published with --override"
    yield result.outcome.replace("_", " "), f"{verdict} ({result.duration_seconds:.1f} s)"
    if result.version is None:
        yield "run", result.run_id
    else:
        channel = f", channel {result.channel}" if result.channel else ", no channel"
        yield "version", f"{result.version}{channel}"
    if result.score is not None:
        yield result.score.metric, _describe_score(result.score)
    yield from _describe_champion(result)
    weakest = result.weakest_class
    if weakest is not None:
        rows = pluralize(weakest.n_rows, "row")
        yield "weakest", f"class '{weakest.name}': recall {weakest.recall:.4f} on {rows}"
    for reason in result.unmet_criteria:
        yield "not met", reason
    if result.reason is not None:
        yield "held back", result.reason
    if result.report_uri is not None:
        yield "report", result.report_uri


def _describe_score(score: HeadlineScore) -> str:
    if score.lower is None or score.upper is None or score.level is None:
        return f"{score.value:.4f}"
    level = f"{100 * score.level:g}% interval"
    return f"{score.value:.4f} ({level} {score.lower:.4f} to {score.upper:.4f})"


def _describe_champion(result: RunResult) -> Iterable[tuple[str, str]]:
    champion = result.champion
    if champion is None:
        if result.score is not None and result.outcome != "already_published":
            yield "champion", "none to compare with"
    elif champion.difference is None:
        yield "champion", f"not compared with {champion.version}: {champion.problem}"
    else:
        yield "champion", f"{_describe_difference(champion.difference)}, {champion.version}"


def _describe_difference(difference: Interval) -> str:
    return f"{difference.value:+.4f} ({difference.lower:+.4f} to {difference.upper:+.4f})"


def lay_out_validation(report: ValidationReport) -> list[str]:
    """Return how many rules hold, and a table of those that do not; it has no cell of the data."""
    applicable = [rule for rule in report.results if rule.is_applicable]
    broken = [rule for rule in applicable if not rule.is_met]
    n_met = len(applicable) - len(broken)
    rules = pluralize(len(applicable), "rule")
    n_other = len(report.results) - len(applicable)
    lines = [
        f"{n_met} of {rules} {'holds' if len(applicable) == 1 else 'hold'} "
        f"(suite {report.suite}, {pluralize(report.n_rows, 'row')})"
    ]
    if n_other:
        lines.append(f"{pluralize(n_other, 'rule')} not checked: the table lacks the column")
    if report.n_dropped:
        lines.append(f"{pluralize(report.n_dropped, 'row')} dropped")
    if broken:
        head = ("rule", "column", "severity", "found", "expected")
        lines += lay_out_columns(head, [_describe_rule(rule) for rule in broken])
    return lines


def _describe_rule(rule: RuleResult) -> tuple[object, ...]:
    expected = ", ".join(f"{key} {value:g}" for key, value in sorted(rule.thresholds.items()))
    return rule.rule, rule.column or "(table)", rule.severity, _describe_found(rule), expected


def _describe_found(rule: RuleResult) -> str:
    if rule.has_failed_to_run:
        return "could not be checked"
    found = [] if rule.observed is None else [f"{rule.observed:g}"]
    if rule.n_broken:
        found.append(f"{rule.n_broken} of {pluralize(rule.n_rows, 'row')}")
    return ", ".join(found) or "not as expected"


def lay_out_gate(result: GateResult) -> list[str]:
    """Return the lines of a table with counts and criteria; the JSON output also has scores."""
    counts = [f"{k:<20} {v}" for k, v in result.to_json().items() if k.startswith("n_")]
    rows = [(_describe_status(c), c.name, c.reason) for c in result.gate.criteria]
    verdict = "accepted" if result.gate.is_accepted else "rejected"
    head = f"{result.candidate} compared with {result.champion}: {verdict}"
    return [head, *counts, *lay_out_columns(("", "criterion", "reason"), rows)]


def _describe_status(criterion: Criterion) -> str:
    if criterion.is_met:
        return "met"
    return "not met" if criterion.is_binding else "warns"
