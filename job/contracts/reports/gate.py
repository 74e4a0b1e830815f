"""The decision of the gate, criterion by criterion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from job.contracts.reports.comparison import Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One criterion of the gate: value, threshold, result and reason.

    Attributes
    ----------
    lower, upper
        Bounds of the value's interval, if it has one.
    rule
        Rule of a comparison: `margin` if `gate.margin` decided, `default` if the table cannot show
        the margin and `gate.inconclusive` decided.
    """

    name: str
    value: float | None
    threshold: float | None
    is_met: bool
    is_binding: bool
    reason: str
    lower: float | None = None
    upper: float | None = None
    rule: Literal["margin", "default"] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the criterion as it is published in the report."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class CanShow:
    """The statistical power of the gate on this table.

    Attributes
    ----------
    standard_error
        Standard error of the metric's difference between two equal retrainings: that of this run's
        comparison or, if it is larger or there is none, that between two sets of folds.
    equal_accepted
        Share of equally good candidates that pass the comparison with the champion.
    largest_drop
        True drop of the metric that passes in 5 % of the runs; smaller drops pass more often.
    """

    metric: str
    standard_error: float
    equal_accepted: float
    largest_drop: float

    def to_json(self) -> dict[str, Any]:
        """Return the part `can_show` of the gate's decision."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {k: round(v, 6) if isinstance(v, float) else v for k, v in values.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class GateDecision:
    """The decision, with its criteria and comparisons.

    Attributes
    ----------
    override
        Reason to publish the candidate although it is rejected; None without an override.
    """

    criteria: tuple[Criterion, ...]
    comparisons: tuple[Comparison, ...] = ()
    can_show: CanShow | None = None
    override: str | None = None

    @property
    def is_accepted(self) -> bool:
        """Whether every binding criterion is met."""
        return not self.reasons

    @property
    def is_published(self) -> bool:
        """Whether the candidate may be published, accepted or not."""
        return self.is_accepted or self.override is not None

    @property
    def rests_on_default(self) -> bool:
        """Whether a binding criterion is met only because the table cannot show `gate.margin`."""
        return any(c.rule == "default" and c.is_met and c.is_binding for c in self.criteria)

    @property
    def reasons(self) -> list[str]:
        """Reasons why the candidate is rejected; empty if it is accepted."""
        return [c.reason for c in self.criteria if c.is_binding and not c.is_met]

    def to_json(self) -> dict[str, Any]:
        """Return the decision as it is published in the report."""
        return {
            "is_accepted": self.is_accepted,
            "override": self.override,
            "can_show": None if self.can_show is None else self.can_show.to_json(),
            "criteria": [criterion.to_json() for criterion in self.criteria],
            "comparisons": [comparison.to_json() for comparison in self.comparisons],
        }
