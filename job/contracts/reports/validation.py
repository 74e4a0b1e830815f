"""Which expectations a table meets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    pass


Severity = Literal["critical", "warning", "info"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleResult:
    """One expectation and what it met.

    Attributes
    ----------
    rule
        The expectation's type.
    column
        Role or column it is about, or None for the whole table.
    is_met
        Whether it holds within its tolerance.
    n_broken
        Rows that break it; 0 for expectations about the whole column.
    rows
        Positions of those rows.
    thresholds
        The rule's own bounds, as configured.
    observed
        A number it measured, where it is a count or a share.
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
        """Return counts and thresholds; row positions stay inside the process."""
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
    """Every rule's result and what was dropped for it."""

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
