"""What the gate decides, criterion by criterion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from job.contracts.judgement import Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One thing the gate looked at: value, threshold, verdict, reason.

    Attributes
    ----------
    lower, upper
        The ends of the value's interval, where it has one.
    """

    name: str
    value: float | None
    threshold: float | None
    is_met: bool
    is_binding: bool
    reason: str
    lower: float | None = None
    upper: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Give the criterion as it stands in the report."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class GateDecision:
    """The verdict and all that led to it.

    Attributes
    ----------
    override
        Why the candidate is published although it is rejected, or None: then it is not.
    """

    criteria: tuple[Criterion, ...]
    comparisons: tuple[Comparison, ...] = ()
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
    def reasons(self) -> list[str]:
        """Why the candidate is rejected, if it is."""
        return [c.reason for c in self.criteria if c.is_binding and not c.is_met]

    def to_json(self) -> dict[str, Any]:
        """Give the verdict with its criteria."""
        return {
            "is_accepted": self.is_accepted,
            "override": self.override,
            "criteria": [criterion.to_json() for criterion in self.criteria],
            "comparisons": [comparison.to_json() for comparison in self.comparisons],
        }
