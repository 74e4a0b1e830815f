"""Criteria of a comparison: the difference from champion or anchor, and the recall of each class.

How it works
------------
1. The difference of the metric is the candidate's score minus the champion's.  Its interval must be
   above `-gate.margin` (non-inferiority) or above 0 (superiority).
2. If the table has too few groups to show the margin even for equal models, `gate.inconclusive`
   decides.  With `tolerate`, a drop of at most `gate.max_drop` passes if it is within the margin or
   explained by chance (`job.stages.gate.power`).
3. A candidate is rejected if, for any class, the measured loss of recall exceeds
   `gate.recall_margin` and the interval of the change is below 0.  The intervals hold for all
   classes at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from scipy.stats import norm

from job.contracts.messages import pluralize
from job.contracts.metric_kinds import LabelMetric
from job.contracts.metrics import METRICS
from job.contracts.reports.comparison import Comparison, RecallChange
from job.contracts.reports.gate import Criterion
from job.contracts.reports.intervals import Interval
from job.contracts.settings.gate import GateSpec
from job.stages.gate.power import POWER, can_show_margin, tolerated_drop


def judge_comparison(
    comparison: Comparison, spec: GateSpec, equal_error: float = 0.0
) -> Iterator[Criterion]:
    """Yield the criterion of the metric's difference and, if configured, that of the recalls."""
    if comparison.role == "champion_model":
        # the comparison of the recipes decides: a hold-out of few groups depends too much on chance
        yield champion_criterion(comparison, spec, equal_error).copy_with(is_binding=False)
        return
    yield champion_criterion(comparison, spec, equal_error)
    if comparison.recalls and spec.recall_margin is not None:
        yield _recall_criterion(comparison, spec.recall_margin)


def champion_criterion(
    comparison: Comparison, spec: GateSpec, equal_error: float = 0.0
) -> Criterion:
    """Return the criterion of the candidate's difference from a champion or an anchor.

    The lower bound of the difference must be above minus the margin (non-inferiority) or above 0
    (superiority).  If the table is too small to show the margin even for equal models,
    `gate.inconclusive` decides.

    Parameters
    ----------
    equal_error
        Standard error of the score difference between two retrainings of the same candidate on
        this run's table; 0 if unknown.
    """
    difference = comparison.difference
    if difference is None:
        return _incomparable_criterion(comparison, spec)
    threshold = 0.0 if spec.rule == "superiority" else -spec.margin
    is_met = difference.lower > threshold
    is_open = difference.value >= threshold  # the margin is neither shown nor refuted
    reason = _describe_difference(comparison, difference, spec)
    standard_error = max(comparison.standard_error or 0.0, equal_error)
    if not is_met and _is_tolerated_by_default(difference, standard_error, spec):
        return _tolerance_criterion(comparison, difference, standard_error, spec, reason=reason)
    reason += f"; required: the lower end is above {threshold:g}"
    if not is_met and difference.upper > threshold:
        reason += _required_rows(comparison, difference, spec)
    return Criterion(
        name=comparison.role,
        value=difference.value,
        threshold=threshold,
        is_met=is_met,
        is_binding=spec.inconclusive != "warn" or not is_open,
        reason=reason,
        lower=difference.lower,
        upper=difference.upper,
        rule="margin",
    )


def _incomparable_criterion(comparison: Comparison, spec: GateSpec) -> Criterion:
    """Return the unmet criterion for a champion or anchor that could not be compared."""
    return Criterion(
        name=comparison.role,
        value=None,
        threshold=None,
        is_met=False,
        is_binding=spec.incomparable_champion == "reject" and not comparison.is_advisory,
        reason=f"{comparison.role} {comparison.version} cannot be compared: {comparison.problem}",
    )


def _is_tolerated_by_default(difference: Interval, standard_error: float, spec: GateSpec) -> bool:
    """Return whether `gate.inconclusive: tolerate` decides, because the margin cannot be shown."""
    if spec.rule == "superiority" or spec.inconclusive != "tolerate":
        return False
    if difference.is_by_count:  # the models agree on every row
        return True
    return not can_show_margin(standard_error, spec)


def _tolerance_criterion(
    comparison: Comparison,
    difference: Interval,
    standard_error: float,
    spec: GateSpec,
    *,
    reason: str,
) -> Criterion:
    """Return a criterion that accepts a small drop: the table has too few groups for the margin.

    `job.stages.gate.power` defines the largest drop that `gate.inconclusive: tolerate` accepts.
    """
    drop = tolerated_drop(standard_error, spec)
    half_width = float(norm.ppf(1 - spec.alpha)) * standard_error
    largest_drop = max(-difference.lower, half_width - difference.value, 0.0)
    is_share = isinstance(METRICS.get(comparison.metric), LabelMetric)
    ruled_out = f"{100 * largest_drop:.1f} points" if is_share else f"{largest_drop:.4f}"
    reason += (
        f"; {pluralize(comparison.n_groups, 'group')} cannot show the margin of {spec.margin:g}: "
        f"with a standard error of {standard_error:.4f}, only drops of more than {ruled_out} can "
        f"be ruled out; gate.inconclusive=tolerate accepts a score that is at most {drop:.4f} "
        "lower"
    )
    return Criterion(
        name=comparison.role,
        value=difference.value,
        threshold=-drop,
        is_met=difference.value >= -drop,
        is_binding=True,
        reason=reason,
        lower=difference.lower,
        upper=difference.upper,
        rule="default",
    )


def _describe_difference(comparison: Comparison, difference: Interval, spec: GateSpec) -> str:
    rows = f"{pluralize(comparison.n_rows, 'row')} in {pluralize(comparison.n_groups, 'group')}"
    whose: str = comparison.role
    if comparison.role == "champion_model":
        whose = "the model of champion"
    if comparison.basis == "shared_groups":
        whose = f"the recipe of {comparison.role}"
    if comparison.basis == "shared_groups":
        where = f"by cross-fitted predictions of {rows} shared with its table"
    else:
        where = f"on the same {rows}"
        if comparison.n_excluded:
            where += f" (without {pluralize(comparison.n_excluded, 'row')} that it was trained on)"
    return (
        f"{comparison.metric} {comparison.candidate_score:.4f}, {whose} {comparison.version} "
        f"{comparison.champion_score:.4f}, {where}: difference {difference.value:+.4f}, "
        f"{1 - 2 * spec.alpha:.0%} interval {difference.lower:+.4f} to {difference.upper:+.4f}"
    )


def _required_rows(comparison: Comparison, difference: Interval, spec: GateSpec) -> str:
    """Return a clause on how many rows the table needs so that an equal candidate is accepted.

    The width of an interval is inversely proportional to the square root of the number of rows.
    The clause is empty if there are enough rows already.
    """
    if spec.rule == "superiority" or not spec.margin:
        return "; too few rows to decide"
    if difference.is_by_count:
        radius = min((difference.upper - difference.lower) / 2, 0.999)
        n_required = comparison.n_rows * math.log1p(-radius) / math.log1p(-spec.margin)
        return (
            "; too few rows to decide: models that agree on all rows pass with about "
            f"{n_required:,.0f} rows"
        )
    z = norm.ppf(1 - spec.alpha)
    standard_error = (difference.upper - difference.lower) / (2 * z)
    n_required = comparison.n_rows * ((z + norm.ppf(POWER)) * standard_error / spec.margin) ** 2
    if n_required <= comparison.n_rows:
        return ""
    return (
        f"; too few rows to decide: an equal candidate is accepted {POWER:.0%} of the time with "
        f"about {n_required:,.0f} rows"
    )


def _recall_criterion(comparison: Comparison, margin: float) -> Criterion:
    """Return the criterion that no class has lost recall.

    A class has lost recall if its recall fell by more than the margin, and the upper bound of the
    change is below 0.
    """
    changes = sorted(comparison.recalls.items(), key=lambda named: named[1].difference.value)
    fallen = [named for named in changes if _has_fallen(named[1], margin)]
    worst_name, worst = changes[0]
    shown = "; ".join(_describe_recall_drop(*named) for named in fallen[:10])
    more = f"; and {len(fallen) - 10} more" if len(fallen) > 10 else ""
    return Criterion(
        name=f"{comparison.role}_recall",
        value=worst.difference.value,
        threshold=-margin,
        is_met=not fallen,
        is_binding=True,
        reason=f"recall by class, compared with {comparison.role} {comparison.version}, with "
        f"simultaneous bounds: {shown or 'no class is shown to have lost recall'}{more}; allowed "
        f"loss: {margin:g}"
        + (
            ""
            if fallen or worst.difference.value >= 0
            else f", largest loss: {_describe_recall_drop(worst_name, worst)}"
        ),
        lower=worst.difference.lower,
        upper=worst.difference.upper,
    )


def _has_fallen(change: RecallChange, margin: float) -> bool:
    return change.difference.value < -margin and change.difference.upper < 0


def _describe_recall_drop(name: str, change: RecallChange) -> str:
    interval = change.difference
    return (
        f"'{name}' {interval.value:+.4f} ({interval.lower:+.4f} to {interval.upper:+.4f}) "
        f"on {pluralize(change.n_rows, 'row')}"
    )
