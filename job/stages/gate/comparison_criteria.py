"""Criteria of a comparison: the difference to the champion or the anchor, and recall by class."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from scipy.stats import norm

from job.contracts.messages import pluralize
from job.contracts.reports.comparison import Comparison, RecallChange
from job.contracts.reports.gate import Criterion
from job.contracts.reports.intervals import Interval
from job.contracts.settings.gate import GateSpec
from job.stages.gate.power import POWER, can_show_margin, tolerated_drop
from job.stages.metrics.label_metrics import AVERAGED


def judge_comparison(
    comparison: Comparison, spec: GateSpec, equal_error: float = 0.0
) -> Iterator[Criterion]:
    """Judge the difference of the metric, and then the recalls where they are looked at."""
    if comparison.role == "champion_model":
        # beside the comparison of the recipes; by itself a hold-out of few groups hangs on luck
        yield replace(against(comparison, spec, equal_error), is_binding=False)
        return
    yield against(comparison, spec, equal_error)
    if comparison.recalls and spec.recall_margin is not None:
        yield _recalls(comparison, spec.recall_margin)


def against(comparison: Comparison, spec: GateSpec, equal_error: float = 0.0) -> Criterion:
    """Judge the difference to a champion.

    Its lower end must be above what may be lost; where the table cannot show that of equal models,
    `gate.inconclusive` decides.

    Parameters
    ----------
    equal_error
        Standard error of the difference between two equal retrainings of tonight's table; 0 where
        it is not known.
    """
    difference, role = comparison.difference, comparison.role
    if difference is None:
        return Criterion(
            name=role,
            value=None,
            threshold=None,
            is_met=False,
            is_binding=spec.incomparable_champion == "reject" and not comparison.is_advisory,
            reason=f"{role} {comparison.version} cannot be compared: {comparison.problem}",
        )
    threshold = 0.0 if spec.rule == "superiority" else -spec.margin
    is_met = difference.lower > threshold
    is_open = difference.value >= threshold  # neither shown nor refuted
    reason = _difference(comparison, difference, spec)
    standard_error = max(comparison.standard_error or 0.0, equal_error)
    if not is_met and _decides_by_default(difference, standard_error, spec):
        return _by_default(comparison, difference, standard_error, spec, reason=reason)
    reason += f"; its lower end has to be above {threshold:g}"
    if not is_met and difference.upper > threshold:
        reason += _required_rows(comparison, difference, spec)
    return Criterion(
        name=role,
        value=difference.value,
        threshold=threshold,
        is_met=is_met,
        is_binding=spec.inconclusive != "warn" or not is_open,
        reason=reason,
        lower=difference.lower,
        upper=difference.upper,
        rule="margin",
    )


def _decides_by_default(difference: Interval, standard_error: float, spec: GateSpec) -> bool:
    """Return whether the table is too small for `gate.margin`, and `gate.inconclusive` decides."""
    if spec.rule == "superiority" or spec.inconclusive != "tolerate":
        return False
    if difference.is_by_count:  # the models agree on every row: the number of groups is the bound
        return True
    return not can_show_margin(standard_error, spec)


def _by_default(
    comparison: Comparison,
    difference: Interval,
    standard_error: float,
    spec: GateSpec,
    *,
    reason: str,
) -> Criterion:
    """Accept unless the score is lower by more than chance explains, or by `gate.max_drop`."""
    drop = tolerated_drop(standard_error, spec)
    critical_value = float(norm.ppf(1 - spec.alpha)) * standard_error
    shown = max(-difference.lower, critical_value - difference.value, 0.0)
    is_share = comparison.metric in AVERAGED
    ruled_out = f"{100 * shown:.1f} points" if is_share else f"{shown:.4f}"
    reason += (
        f"; {pluralize(comparison.n_groups, 'group')} cannot show the margin of {spec.margin:g}: "
        f"with a standard error of {standard_error:.4f}, drops of more than {ruled_out} can be "
        f"ruled out; by gate.inconclusive=tolerate a score that is at most {drop:.4f} lower is "
        "accepted"
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


def _difference(comparison: Comparison, difference: Interval, spec: GateSpec) -> str:
    rows = f"{pluralize(comparison.n_rows, 'row')} in {pluralize(comparison.n_groups, 'group')}"
    whose: str = comparison.role
    if comparison.role == "champion_model":
        whose = "the model of champion"
    if comparison.basis == "shared_groups":
        whose = f"the recipe of {comparison.role}"
    if comparison.basis == "shared_groups":
        where = f"by cross-fitted predictions of {rows} that share texts with its table"
    else:
        where = f"on the same {rows}"
        if comparison.n_excluded:
            where += f" ({pluralize(comparison.n_excluded, 'row')} that it was trained on left out)"
    return (
        f"{comparison.metric} {comparison.candidate_score:.4f} where {whose} "
        f"{comparison.version} has {comparison.champion_score:.4f} {where}: "
        f"difference {difference.value:+.4f}, {1 - 2 * spec.alpha:.0%} interval "
        f"{difference.lower:+.4f} to {difference.upper:+.4f}"
    )


def _required_rows(comparison: Comparison, difference: Interval, spec: GateSpec) -> str:
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
    wanted = comparison.n_rows * ((z + norm.ppf(POWER)) * error / spec.margin) ** 2
    if wanted <= comparison.n_rows:
        return ""
    return (
        f"; too few rows to tell: an equal candidate is accepted {POWER:.0%} of the time with "
        f"about {wanted:,.0f}"
    )


def _recalls(comparison: Comparison, margin: float) -> Criterion:
    """Reject what is shown to have lost recall in a class, and more of it than the margin."""
    changes = sorted(comparison.recalls, key=lambda change: change.difference.value)
    worst, fallen = changes[0], [c for c in changes if _is_fallen(c, margin)]
    shown = "; ".join(_describe_recall_drop(change) for change in fallen[:10])
    more = f"; and {len(fallen) - 10} more" if len(fallen) > 10 else ""
    return Criterion(
        name=f"{comparison.role}_recall",
        value=worst.difference.value,
        threshold=-margin,
        is_met=not fallen,
        is_binding=True,
        reason=f"recall against {comparison.role} {comparison.version}, by class, bounds for all "
        f"classes at once: {shown or 'no class is shown to have fallen'}{more}; at most "
        f"{margin:g} may be lost"
        + (
            ""
            if fallen or worst.difference.value >= 0
            else f", most was lost by {_describe_recall_drop(worst)}"
        ),
        lower=worst.difference.lower,
        upper=worst.difference.upper,
    )


def _is_fallen(change: RecallChange, margin: float) -> bool:
    return change.difference.value < -margin and change.difference.upper < 0


def _describe_recall_drop(change: RecallChange) -> str:
    bounds = change.difference
    return (
        f"'{change.name}' {bounds.value:+.4f} ({bounds.lower:+.4f} to {bounds.upper:+.4f}) on "
        f"{pluralize(change.n_rows, 'row')}"
    )
