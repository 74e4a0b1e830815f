"""Find the intervals in evaluation.json; the only place that knows how they lie there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """The two ends of an interval."""

    low: float
    high: float


def find_interval(
    evaluation: dict[str, Any], metric: str, name: str | None = None
) -> Interval | None:
    """Give the interval of a metric, of one class where `name` says which; None: there is none."""
    found = evaluation.get("intervals") or {}
    if name is not None:
        found = found.get("per_class", {}).get(name, {})
    ends = found.get(metric)
    return Interval(low=ends["low"], high=ends["high"]) if isinstance(ends, dict) else None


def describe_intervals(evaluation: dict[str, Any]) -> dict[str, Any] | None:
    """Give `level` and `method` of the intervals, as far as stated; None: there are none."""
    found = evaluation.get("intervals")
    if not found:
        return None
    return {name: found.get(name) for name in ("level", "method")}
