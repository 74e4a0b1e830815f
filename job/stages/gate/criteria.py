"""Hold a candidate against floors, ceilings, the champion and the anchor."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from scipy.stats import norm

from job.contracts.decisions import Criterion, GateDecision
from job.contracts.gate_specs import GateSpec
from job.contracts.judgement import Comparison, Interval, RecallChange
from job.contracts.lists import counted

_POWER = 0.8  # chance of acceptance for which wanted rows are counted


def decide(
    evaluation: Mapping[str, Any],
    n_model_bytes: int,
    comparisons: tuple[Comparison, ...],
    spec: GateSpec,
) -> GateDecision:
    """Judge; equal to a floor is enough, and a missing score is not.

    Parameters
    ----------
    evaluation
        `scores`, `latency`, `intervals` and `slices`, as in evaluation.json.
    """
    criteria = list(_floors(evaluation, spec))
    criteria += _ceilings(evaluation, n_model_bytes, spec)
    if spec.slice_floor is not None:
        criteria.append(_slices(evaluation.get("slices"), spec.slice_floor))
    for comparison in comparisons:
        criteria.append(against(comparison, spec))
        if comparison.recalls and spec.recall_margin is not None:
            criteria.append(_recalls(comparison, spec.recall_margin))
    return GateDecision(criteria=tuple(criteria), comparisons=comparisons)


def _floors(evaluation: Mapping[str, Any], spec: GateSpec) -> Iterator[Criterion]:
    level = evaluation["intervals"]["level"]
    for name, floor in spec.floors.model_dump().items():
        if floor is None:
            continue
        value = evaluation["scores"].get(name)
        ends = evaluation["intervals"]["scores"].get(name, {})
        lower, upper = ends.get("lower"), ends.get("upper")
        least = lower if spec.floors_on == "lower" else value
        found = "not measured" if value is None else f"{value:.4f}"
        if value is not None and lower is not None:
            found += f" ({level:.0%} interval {lower:.4f} to {upper:.4f})"
        what = "of its lower end is wanted" if spec.floors_on == "lower" else "is wanted"
        yield Criterion(
            name=name,
            value=value,
            threshold=floor,
            is_met=value is not None and least is not None and least >= floor,
            is_binding=True,
            reason=f"{name} {found}, at least {floor} {what}",
            lower=lower,
            upper=upper,
        )


def _ceilings(
    evaluation: Mapping[str, Any], n_model_bytes: int, spec: GateSpec
) -> Iterator[Criterion]:
    if spec.calibration_error is not None:
        value = evaluation["scores"].get("calibration_error")
        yield _at_most("calibration_error", value, spec.calibration_error)
    yield _at_most("model_bytes", n_model_bytes, spec.model_bytes)
    yield _at_most(
        "latency_p95_ms",
        evaluation["latency"]["p95_ms"],
        spec.latency_p95_ms,
        is_binding=spec.latency_severity == "reject",
    )


def _at_most(
    name: str, value: float | None, ceiling: float, *, is_binding: bool = True
) -> Criterion:
    found, most = "not measured" if value is None else f"{value:g}", f"{ceiling:g}"
    if isinstance(value, int):
        found, most = f"{value:,}", f"{ceiling:,}"
    return Criterion(
        name=name,
        value=value,
        threshold=ceiling,
        is_met=value is not None and value <= ceiling,
        is_binding=is_binding,
        reason=f"{name} {found}, at most {most} is wanted",
    )


def _slices(found: Mapping[str, Any] | None, floor: float) -> Criterion:
    """Reject where a slice is shown to be below the floor, or where none can be shown."""
    scores = sorted((found or {}).get("scores", []), key=lambda some: some["upper_bound"])
    low = [some for some in scores if some["upper_bound"] < floor]
    shown = "; ".join(_slice(some) for some in (low or scores)[:10])
    more = f"; and {len(low) - 10} more" if len(low) > 10 else ""
    wanted = f"none may be shown to be below {floor:g}"
    reason = f"accuracy by slice, upper bounds for all slices at once: {shown}{more}; {wanted}"
    worst = scores[0] if scores else None
    return Criterion(
        name="slice_floor",
        value=worst["accuracy"]["value"] if worst else None,
        threshold=floor,
        is_met=bool(scores) and not low,
        is_binding=True,
        reason=reason
        if scores
        else f"accuracy by slice not measured, no slice is large enough; {wanted}",
        upper=worst["upper_bound"] if worst else None,
    )


def _slice(some: Mapping[str, Any]) -> str:
    return (
        f"'{some['column']}' is '{some['value']}' {some['accuracy']['value']:.4f} (at most "
        f"{some['upper_bound']:.4f}) on {counted(some['n_rows'], 'row')}"
    )


def against(comparison: Comparison, spec: GateSpec) -> Criterion:
    """Judge the difference to a champion: its lower end must be above what may be lost."""
    difference, role = comparison.difference, comparison.role
    if difference is None:
        return Criterion(
            name=role,
            value=None,
            threshold=None,
            is_met=False,
            is_binding=spec.incomparable_champion == "reject",
            reason=f"{role} {comparison.version} cannot be compared: {comparison.problem}",
        )
    threshold = 0.0 if spec.rule == "superiority" else -spec.margin
    is_met = difference.lower > threshold
    is_open = difference.value >= threshold  # neither shown nor refuted
    reason = _difference(comparison, difference, spec)
    reason += f"; its lower end has to be above {threshold:g}"
    if not is_met and difference.upper > threshold:
        reason += _wanted_rows(comparison, difference, spec)
    return Criterion(
        name=role,
        value=difference.value,
        threshold=threshold,
        is_met=is_met,
        is_binding=spec.inconclusive == "reject" or not is_open,
        reason=reason,
        lower=difference.lower,
        upper=difference.upper,
    )


def _difference(comparison: Comparison, difference: Interval, spec: GateSpec) -> str:
    rows = f"{counted(comparison.n_rows, 'row')} in {counted(comparison.n_groups, 'group')}"
    seen = ""
    if comparison.n_excluded:
        seen = f" ({counted(comparison.n_excluded, 'row')} that it was trained on left out)"
    return (
        f"{comparison.metric} {comparison.candidate_score:.4f} where {comparison.role} "
        f"{comparison.version} has {comparison.champion_score:.4f} on the same {rows}{seen}: "
        f"difference {difference.value:+.4f}, {1 - 2 * spec.alpha:.0%} interval "
        f"{difference.lower:+.4f} to {difference.upper:+.4f}"
    )


def _wanted_rows(comparison: Comparison, difference: Interval, spec: GateSpec) -> str:
    """Say how many rows would tell an equal candidate; an interval shrinks with their root."""
    if spec.rule == "superiority" or not spec.margin:
        return "; too few rows to tell"
    if difference.is_by_count:
        radius = min((difference.upper - difference.lower) / 2, 0.999)
        wanted = comparison.n_rows * math.log1p(-radius) / math.log1p(-spec.margin)
        return (
            f"; too few rows to tell: models that agree on all rows pass from about {wanted:,.0f}"
        )
    z = norm.ppf(1 - spec.alpha)
    error = (difference.upper - difference.lower) / (2 * z)
    wanted = comparison.n_rows * ((z + norm.ppf(_POWER)) * error / spec.margin) ** 2
    if wanted <= comparison.n_rows:
        return ""
    return (
        f"; too few rows to tell: an equal candidate is accepted {_POWER:.0%} of the time with "
        f"about {wanted:,.0f}"
    )


def _recalls(comparison: Comparison, margin: float) -> Criterion:
    """Reject what is shown to have lost recall in a class, and more of it than the margin."""
    changes = sorted(comparison.recalls, key=lambda change: change.difference.value)
    worst, fallen = changes[0], [c for c in changes if _is_fallen(c, margin)]
    shown = "; ".join(_fall(change) for change in fallen[:10])
    more = f"; and {len(fallen) - 10} more" if len(fallen) > 10 else ""
    return Criterion(
        name=f"{comparison.role}_recall",
        value=worst.difference.value,
        threshold=-margin,
        is_met=not fallen,
        is_binding=True,
        reason=f"recall against {comparison.role} {comparison.version}, by class, bounds for all "
        f"classes at once: {shown or 'no class is shown to have fallen'}{more}; at most "
        f"{margin:g} may be lost" + ("" if fallen else f", most was lost by {_fall(worst)}"),
        lower=worst.difference.lower,
        upper=worst.difference.upper,
    )


def _is_fallen(change: RecallChange, margin: float) -> bool:
    return change.difference.value < -margin and change.difference.upper < 0


def _fall(change: RecallChange) -> str:
    ends = change.difference
    return (
        f"'{change.name}' {ends.value:+.4f} ({ends.lower:+.4f} to {ends.upper:+.4f}) on "
        f"{counted(change.n_rows, 'row')}"
    )
