"""Read confidence intervals from evaluation.json; no other module knows their layout."""

from __future__ import annotations

from collections.abc import Mapping
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
    """Return the interval of a metric, or of one class where `name` says which; None if absent."""
    intervals = evaluation.get("intervals") or {}
    scores = (
        intervals.get("scores", {})
        if name is None
        else intervals.get("per_class", {}).get(name, {})
    )
    return read_interval(scores.get(metric))


def read_interval(content: Mapping[str, Any] | None) -> Interval | None:
    """Read the ends beside a value, where it has any."""
    if not content or content.get("lower") is None or content.get("upper") is None:
        return None
    return Interval(low=content["lower"], high=content["upper"])


def describe_intervals(evaluation: dict[str, Any]) -> dict[str, Any] | None:
    """Return `level`, `method` and `n_groups`, where stated; None without intervals."""
    intervals = evaluation.get("intervals")
    if not intervals:
        return None
    return {name: intervals.get(name) for name in ("level", "method", "n_groups")}
