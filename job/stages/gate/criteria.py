"""Compare a candidate with floors, ceilings, the champion and the anchor, and decide."""

from __future__ import annotations

from collections.abc import Iterator

from job.contracts.messages import pluralize
from job.contracts.reports.challenge import Challenge
from job.contracts.reports.comparison import Comparison
from job.contracts.reports.evaluation import CandidateEvaluation
from job.contracts.reports.gate import CanShow, Criterion, GateDecision
from job.contracts.reports.part import round_published
from job.contracts.reports.slices import SliceReport, SliceScore
from job.contracts.reports.stress import StressReport
from job.contracts.settings.gate import ChallengeFloorsSpec, FloorsSpec, GateSpec
from job.stages.gate.challenge_comparison import judge_challenge
from job.stages.gate.comparison_criteria import judge_comparison
from job.stages.gate.majority import judge_majority
from job.stages.gate.power import describe_power


def decide(
    evaluation: CandidateEvaluation,
    n_model_bytes: int,
    comparisons: tuple[Comparison, ...],
    spec: GateSpec,
    *,
    equal_error: tuple[str, float] | None = None,
) -> GateDecision:
    """Return the gate's decision on the candidate, with all its criteria.

    A score that is equal to its floor passes.  A missing score fails.

    Parameters
    ----------
    equal_error
        A pair: the metric, and the standard error of the score difference between two retrainings
        of the same candidate.  Without a champion, it determines the power of the gate: how small a
        loss the gate could detect.
    """
    criteria = list(_floor_criteria(evaluation, spec.floors, spec))
    criteria += _floor_criteria(
        evaluation.challenge, spec.challenge_floors, spec, prefix="challenge_"
    )
    if spec.beat_majority:
        criteria.append(judge_majority(evaluation.over_majority))
    criteria += _ceiling_criteria(evaluation, n_model_bytes, spec)
    if spec.slice_floor is not None:
        criteria.append(_slice_criterion(evaluation.slices, spec.slice_floor))
    if spec.stress_floor is not None:
        criteria.append(_stress_criterion(evaluation.stress, spec.stress_floor))
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
    """Return the power of the comparison with the champion.

    The power depends on a standard error.  This is the standard error of the comparison with the
    champion or that of `equal_error`, whichever is larger; without a champion, that of
    `equal_error`.
    """
    metric, standard_error = equal_error or ("", 0.0)
    for comparison in comparisons:
        if comparison.role != "champion" or comparison.basis == "challenge":
            continue
        if comparison.standard_error:
            metric = comparison.metric
            standard_error = max(standard_error, comparison.standard_error)
    return describe_power(standard_error, spec, metric) if standard_error > 0 else None


def _floor_criteria(
    evaluation: CandidateEvaluation | Challenge | None,
    floors: FloorsSpec | ChallengeFloorsSpec,
    spec: GateSpec,
    *,
    prefix: str = "",
) -> Iterator[Criterion]:
    """Yield one criterion per floor; it is met if the score exists and reaches the floor."""
    scores = {} if evaluation is None else evaluation.scores
    intervals = {} if evaluation is None else evaluation.intervals.scores
    level = 0.0 if evaluation is None else evaluation.intervals.level
    for name, floor in floors.model_dump().items():
        if floor is None:
            continue
        value, interval = scores.get(name), intervals.get(name)
        lower = upper = None
        if interval is not None:
            lower, upper = round_published(interval.lower), round_published(interval.upper)
        compared = lower if spec.floors_on == "lower" else value
        measured = "not measured" if value is None else f"{value:.4f}"
        if value is not None and lower is not None:
            measured += f" ({level:.0%} interval {lower:.4f} to {upper:.4f})"
        what = " for the lower end of its interval" if spec.floors_on == "lower" else ""
        yield Criterion(
            name=f"{prefix}{name}",
            value=value,
            threshold=floor,
            is_met=value is not None and compared is not None and compared >= floor,
            is_binding=True,
            reason=f"{prefix}{name} {measured}, minimum {floor}{what}",
            lower=lower,
            upper=upper,
        )


def _ceiling_criteria(
    evaluation: CandidateEvaluation, n_model_bytes: int, spec: GateSpec
) -> Iterator[Criterion]:
    """Yield the criteria of model size, latency and, if configured, calibration error."""
    if spec.calibration_error is not None:
        value = evaluation.scores.get("calibration_error")
        yield _ceiling_criterion("calibration_error", value, spec.calibration_error)
    yield _ceiling_criterion("model_bytes", n_model_bytes, spec.model_bytes)
    yield _ceiling_criterion(
        "latency_p95_ms",
        evaluation.latency.p95_ms,
        spec.latency_p95_ms,
        is_binding=spec.latency_severity == "reject",
    )


def _ceiling_criterion(
    name: str, value: float | None, ceiling: float, *, is_binding: bool = True
) -> Criterion:
    measured, maximum = "not measured" if value is None else f"{value:g}", f"{ceiling:g}"
    if isinstance(value, int):
        measured, maximum = f"{value:,}", f"{ceiling:,}"
    return Criterion(
        name=name,
        value=value,
        threshold=ceiling,
        is_met=value is not None and value <= ceiling,
        is_binding=is_binding,
        reason=f"{name} {measured}, maximum {maximum}",
    )


def _slice_criterion(slices: SliceReport | None, floor: float) -> Criterion:
    """Return the criterion that no slice (a subset of the rows) scores below the floor.

    It is met if at least one slice is measured and no slice is shown to be below the floor.
    """
    scores = sorted(() if slices is None else slices.scores, key=lambda score: score.upper_bound)
    low = [score for score in scores if round_published(score.upper_bound) < floor]
    shown = "; ".join(_describe_slice(score) for score in (low or scores)[:10])
    more = f"; and {len(low) - 10} more" if len(low) > 10 else ""
    wanted = f"required: no slice is shown to be below {floor:g}"
    reason = f"accuracy by slice, with simultaneous upper bounds: {shown}{more}; {wanted}"
    worst = scores[0] if scores else None
    return Criterion(
        name="slice_floor",
        value=round_published(worst.accuracy.value) if worst else None,
        threshold=floor,
        is_met=bool(scores) and not low,
        is_binding=True,
        reason=reason
        if scores
        else f"accuracy by slice not measured because no slice is large enough; {wanted}",
        upper=round_published(worst.upper_bound) if worst else None,
    )


def _stress_criterion(stress: StressReport | None, floor: float) -> Criterion:
    """Return the criterion of the mean accuracy on restandardized batches.

    Parameters
    ----------
    stress
        Scores on batches standardized on their own rows.  If None, the criterion is not met.
    """
    if stress is None:
        return Criterion(
            name="stress_accuracy",
            value=None,
            threshold=floor,
            is_met=False,
            is_binding=True,
            reason="accuracy in batches standardized on their own rows not measured, minimum "
            f"{floor:g}",
        )
    accuracy, interval = round_published(stress.accuracy), stress.interval
    return Criterion(
        name="stress_accuracy",
        value=accuracy,
        threshold=floor,
        is_met=accuracy >= floor,
        is_binding=True,
        reason=f"accuracy in batches standardized on their own rows {accuracy:.4f} (lowest "
        f"{stress.worst.accuracy:.4f}, mostly '{stress.worst.name}'), minimum {floor:g}",
        lower=None if interval is None else round_published(interval.lower),
        upper=None if interval is None else round_published(interval.upper),
    )


def _describe_slice(score: SliceScore) -> str:
    return (
        f"'{score.column}' = '{score.value}': {score.accuracy.value:.4f} (upper bound "
        f"{score.upper_bound:.4f}) on {pluralize(score.n_rows, 'row')}"
    )
