"""Hold a candidate against floors, ceilings, the champion and the anchor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from job.contracts.messages import pluralize
from job.contracts.reports.comparison import Comparison
from job.contracts.reports.gate import CanShow, Criterion, GateDecision
from job.contracts.settings.gate import ChallengeFloorsSpec, FloorsSpec, GateSpec
from job.stages.gate.challenge_comparison import judge_challenge
from job.stages.gate.comparison_criteria import judge_comparison
from job.stages.gate.power import describe_power


def decide(
    evaluation: Mapping[str, Any],
    n_model_bytes: int,
    comparisons: tuple[Comparison, ...],
    spec: GateSpec,
    *,
    equal_error: tuple[str, float] | None = None,
) -> GateDecision:
    """Judge; equal to a floor is enough, and a missing score is not.

    Parameters
    ----------
    evaluation
        `scores`, `latency`, `intervals`, `slices`, `stress` and `challenge`, as in
        evaluation.json.
    equal_error
        Metric, and standard error of its difference between two equal retrainings, as the folds of
        this table have it: what the gate can show where there is no champion yet.
    """
    criteria = list(_floors(evaluation, spec.floors, spec))
    found = evaluation.get("challenge") or {}
    criteria += _floors(found, spec.challenge_floors, spec, prefix="challenge_")
    criteria += _ceilings(evaluation, n_model_bytes, spec)
    if spec.slice_floor is not None:
        criteria.append(_slices(evaluation.get("slices"), spec.slice_floor))
    if spec.stress_floor is not None:
        criteria.append(_stress(evaluation.get("stress"), spec.stress_floor))
    for comparison in comparisons:
        if comparison.basis == "challenge":
            criteria.append(judge_challenge(comparison, spec))
            continue
        criteria += judge_comparison(comparison, spec, equal_error[1] if equal_error else 0.0)
    return GateDecision(
        criteria=tuple(criteria),
        comparisons=comparisons,
        can_show=_can_show(comparisons, equal_error, spec),
    )


def _can_show(
    comparisons: tuple[Comparison, ...], equal_error: tuple[str, float] | None, spec: GateSpec
) -> CanShow | None:
    """Return what the comparison with the champion can show, or what one on this table could."""
    metric, standard_error = equal_error or ("", 0.0)
    for some in comparisons:
        if some.role == "champion" and some.basis != "challenge" and some.standard_error:
            metric, standard_error = some.metric, max(standard_error, some.standard_error)
    return describe_power(standard_error, spec, metric) if standard_error > 0 else None


def _floors(
    evaluation: Mapping[str, Any],
    floors: FloorsSpec | ChallengeFloorsSpec,
    spec: GateSpec,
    *,
    prefix: str = "",
) -> Iterator[Criterion]:
    """Compare scores with their floors; a score that is missing reaches none."""
    intervals = evaluation.get("intervals", {"level": 0.0, "scores": {}})
    for name, floor in floors.model_dump().items():
        if floor is None:
            continue
        value = evaluation.get("scores", {}).get(name)
        bounds = intervals["scores"].get(name, {})
        lower, upper = bounds.get("lower"), bounds.get("upper")
        least = lower if spec.floors_on == "lower" else value
        found = "not measured" if value is None else f"{value:.4f}"
        if value is not None and lower is not None:
            found += f" ({intervals['level']:.0%} interval {lower:.4f} to {upper:.4f})"
        what = "of its lower end is wanted" if spec.floors_on == "lower" else "is wanted"
        yield Criterion(
            name=f"{prefix}{name}",
            value=value,
            threshold=floor,
            is_met=value is not None and least is not None and least >= floor,
            is_binding=True,
            reason=f"{prefix}{name} {found}, at least {floor} {what}",
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


def _stress(found: Mapping[str, Any] | None, floor: float) -> Criterion:
    """Reject where the mean accuracy on standardized batches is low, or was not measured."""
    if found is None:
        return Criterion(
            name="stress_accuracy",
            value=None,
            threshold=floor,
            is_met=False,
            is_binding=True,
            reason="accuracy in batches that are standardized anew not measured, at least "
            f"{floor:g} is wanted",
        )
    bounds = found["interval"] or {}
    worst = found["worst"]
    return Criterion(
        name="stress_accuracy",
        value=found["accuracy"],
        threshold=floor,
        is_met=found["accuracy"] >= floor,
        is_binding=True,
        reason=f"accuracy in batches that are standardized anew {found['accuracy']:.4f} (lowest "
        f"{worst['accuracy']:.4f}, mostly '{worst['class']}'), at least {floor:g} is wanted",
        lower=bounds.get("lower"),
        upper=bounds.get("upper"),
    )


def _slice(some: Mapping[str, Any]) -> str:
    return (
        f"'{some['column']}' is '{some['value']}' {some['accuracy']['value']:.4f} (at most "
        f"{some['upper_bound']:.4f}) on {pluralize(some['n_rows'], 'row')}"
    )
