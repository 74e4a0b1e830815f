"""The report of the validation: which expectations a table meets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["critical", "warning", "info"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleResult:
    """The result of one expectation.

    Attributes
    ----------
    rule
        The expectation's type.
    column
        Role or column that it concerns; None for the whole table.
    is_met
        Whether it is met within its tolerance.
    n_broken
        Rows that violate it; 0 for expectations about a whole column.
    rows
        Positions of those rows.
    thresholds
        The configured bounds of the rule.
    observed
        The observed number, if it is a count or a share.
    """

    rule: str
    column: str | None
    severity: Severity
    is_met: bool
    n_rows: int
    n_broken: int = 0
    rows: tuple[int, ...] = field(default=(), repr=False)
    thresholds: tuple[tuple[str, Any], ...] = ()
    observed: float | None = None
    has_failed_to_run: bool = False
    is_applicable: bool = True

    def to_json(self) -> dict[str, Any]:
        """Return counts and thresholds, without row positions."""
        return {
            "rule": self.rule,
            "column": self.column,
            "severity": self.severity,
            "is_met": self.is_met,
            "n_rows": self.n_rows,
            "n_broken": self.n_broken,
            "thresholds": dict(self.thresholds),
            "observed": self.observed,
            "has_failed_to_run": self.has_failed_to_run,
            "is_applicable": self.is_applicable,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationReport:
    """The results of all rules, and the rows that were dropped."""

    suite: str
    results: tuple[RuleResult, ...]
    n_rows: int
    n_dropped: int
    dropped_by_rule: tuple[tuple[str, int], ...]

    def to_json(self) -> dict[str, Any]:
        """Return the content of validation.json."""
        return {
            "suite": self.suite,
            "n_rows": self.n_rows,
            "n_dropped": self.n_dropped,
            "dropped_by_rule": dict(self.dropped_by_rule),
            "is_met": all(r.is_met for r in self.results if r.severity == "critical"),
            "n_warnings": sum(not r.is_met and r.severity != "critical" for r in self.results),
            "rules": [result.to_json() for result in self.results],
        }
