"""The decision of the gate, criterion by criterion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import Field

from job.contracts.reports.comparison import Comparison
from job.contracts.reports.part import Part, Rounded, RoundedProbability


class Criterion(Part):
    """One criterion of the gate: value, threshold, result and reason."""

    name: str
    # a number of bytes is an integer
    value: int | float | None
    threshold: int | float | None
    is_met: bool
    is_binding: bool = Field(description="Whether an unmet criterion rejects, or only warns.")
    reason: str
    lower: float | None = Field(None, description="Bounds of the value's interval, if it has one.")
    upper: float | None = None
    rule: Literal["margin", "default"] | None = Field(
        None,
        description="Rule of a comparison: `margin` if `gate.margin` decided, `default` if the "
        "table cannot show the margin and `gate.inconclusive` decided; null for other criteria.",
    )


class CanShow(Part):
    """The statistical power of the gate on this table: which differences it can detect."""

    metric: str
    standard_error: Rounded = Field(
        description="Standard error of the score difference between two retrainings of the same "
        "candidate. It is estimated from this run's comparison, and from two sets of folds; this "
        "is the larger estimate, or the only one."
    )
    equal_accepted: RoundedProbability = Field(
        description="Share of equally good candidates that pass the comparison with the champion."
    )
    largest_drop: Rounded = Field(
        description="A true drop of the metric by this much is accepted in 5% of the runs; smaller "
        "drops are accepted more often."
    )


def _list_reasons(criteria: Iterable[Criterion]) -> list[str]:
    return [c.reason for c in criteria if c.is_binding and not c.is_met]


def _is_accepted(decision: Mapping[str, Any]) -> bool:
    return not _list_reasons(decision["criteria"])


class GateDecision(Part):
    """The decision, with its criteria and comparisons."""

    can_show: CanShow | None = Field(None, description="null: nothing was compared.")
    criteria: tuple[Criterion, ...]
    comparisons: tuple[Comparison, ...] = ()
    is_accepted: bool = Field(
        default_factory=_is_accepted, description="Whether every binding criterion is met."
    )
    override: str | None = Field(
        None,
        description="Reason to publish the candidate although it is rejected; null without an "
        "override.",
    )

    @property
    def is_published(self) -> bool:
        """Whether the candidate may be published: it was accepted, or an operator overrides."""
        return self.is_accepted or self.override is not None

    @property
    def rests_on_default(self) -> bool:
        """Whether `gate.inconclusive` decides that a binding criterion is met."""
        return any(c.rule == "default" and c.is_met and c.is_binding for c in self.criteria)

    @property
    def reasons(self) -> list[str]:
        """Reasons why the candidate is rejected; empty if it is accepted."""
        return _list_reasons(self.criteria)
