"""Two models on the same rows: the difference of their scores, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from job.contracts.gate_specs import PairedSpec
from job.contracts.judgement import Interval, RecallChange
from job.contracts.search_specs import Metric
from job.stages.bounds import bootstrap, bounded, find_ends, find_reach
from job.stages.label_scores import AVERAGED, LabelScores, count_groups, label_cells
from job.stages.predictions import Predictions
from job.stages.resampling import count_units, leave_one_out, resample, sum_units
from job.stages.row_scores import log_losses, roc_auc_influences

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Candidate less champion; None where the metric is undefined on these rows."""

    champion_score: float | None
    candidate_score: float | None
    interval: Interval | None
    recalls: tuple[RecallChange, ...]


def compare_pair(
    champion: Predictions, candidate: Predictions, groups: Array, spec: PairedSpec
) -> Difference:
    """Compare two models that know the same classes, on rows in the same order.

    Each end of the interval is a one-sided bound at `spec.alpha`.
    """
    rng = np.random.default_rng(spec.random_state)
    labels, recalls = _compare_labels(champion, candidate, groups, spec, rng)
    found = labels or _compare_rows(champion, candidate, groups, spec, rng)
    if found is None:
        return Difference(champion_score=None, candidate_score=None, interval=None, recalls=recalls)
    champion_score, candidate_score, interval = found
    return Difference(
        champion_score=champion_score,
        candidate_score=candidate_score,
        interval=interval,
        recalls=recalls,
    )


_Scored = tuple[float, float, Interval]


def _compare_labels(
    champion: Predictions,
    candidate: Predictions,
    groups: Array,
    spec: PairedSpec,
    rng: np.random.Generator,
) -> tuple[_Scored | None, tuple[RecallChange, ...]]:
    n, y_true = len(champion.classes), champion.y_true
    true, taken, hit = label_cells(y_true, candidate.y_pred, n)
    _, old_taken, old_hit = label_cells(y_true, champion.y_pred, n)
    cells = (true, taken, hit, old_taken + 2 * n, np.where(old_hit < 0, -1, old_hit + 2 * n))
    units = count_units(groups, y_true, cells, 5 * n)
    new_columns, old_columns = np.arange(3 * n), np.r_[:n, 3 * n : 5 * n]
    new, old = (LabelScores(units.total[:, some]) for some in (new_columns, old_columns))

    def measure(sums: Array) -> Array:
        return new.measure(sums[:, new_columns]) - old.measure(sums[:, old_columns])

    scores = [
        some.measure(units.total[:, columns])[0]
        for some, columns in ((old, old_columns), (new, new_columns))
    ]
    point, resampled = scores[1] - scores[0], resample(units, measure, spec.resamples, rng)
    counts = count_groups(groups, y_true, candidate.y_pred, n)
    changes = _recall_changes(
        champion.classes, y_true, [s[-n:] for s in scores], resampled[:, -n:], counts[1], spec.alpha
    )
    if spec.metric.value not in AVERAGED:
        return None, changes
    column = AVERAGED.index(spec.metric.value)
    only = slice(column, column + 1)
    left_out = leave_one_out(units, lambda sums: measure(sums)[:, only])
    ends = find_ends(point[only], resampled[:, only], left_out, units, spec.alpha)
    interval = bounded(
        point[column],
        *ends[:, 0],
        n_groups=new.spread(*counts)[column],
        tail=spec.alpha,
        least=-1.0,
    )
    return (float(scores[0][column]), float(scores[1][column]), interval), changes


def _recall_changes(
    names: tuple[str, ...],
    y_true: Array,
    scores: list[Array],
    resampled: Array,
    n_groups: Array,
    alpha: float,
) -> tuple[RecallChange, ...]:
    """Give each class's change between ends that hold for all classes at once (max T)."""
    n_rows, point = np.bincount(y_true, minlength=len(names)), scores[1] - scores[0]
    spread = resampled.std(axis=0)
    varies = (spread > 0) & (n_rows > 0)
    n_true, reach = int((n_rows > 0).sum()), [0.0, 0.0]
    if varies.any():
        distances = (resampled[:, varies] - point[varies]) / spread[varies]
        reach = [find_reach(sign * distances, alpha) for sign in (1, -1)]
    return tuple(
        RecallChange(
            name=name,
            n_rows=int(n_rows[c]),
            champion_recall=float(scores[0][c]),
            candidate_recall=float(scores[1][c]),
            difference=bounded(
                point[c],
                max(point[c] - reach[0] * spread[c], -1.0),
                min(point[c] + reach[1] * spread[c], 1.0),
                n_groups=n_groups[c],
                tail=alpha / max(n_true, 1),
                least=-1.0,
            ),
        )
        for c, name in enumerate(names)
        if n_rows[c]
    )


def _compare_rows(
    champion: Predictions,
    candidate: Predictions,
    groups: Array,
    spec: PairedSpec,
    rng: np.random.Generator,
) -> _Scored | None:
    """Compare by log loss or ROC-AUC, on the rows whose class the models know."""
    is_known = champion.is_known
    if not is_known.any():
        return None
    old, new = champion.take(is_known), candidate.take(is_known)
    if spec.metric is Metric.NEG_LOG_LOSS:
        values = [-log_losses(some) for some in (old, new)]
        scores = [float(some.mean()) for some in values]
    else:
        areas = [roc_auc_influences(some) for some in (old, new)]
        scores, values = [area for area, _ in areas], [shares for _, shares in areas]
    if np.isnan(scores).any():
        return None
    change = scores[1] - scores[0]
    values = [some - some.mean() for some in values]
    columns = np.stack([np.ones(len(values[0])), values[1] - values[0]], axis=1)
    units = sum_units(groups[is_known], old.y_true, columns)

    def measure(sums: Array) -> Array:
        return change + sums[:, 1:] / sums[:, :1]

    _, ends = bootstrap(units, measure, spec.resamples, rng, spec.alpha)
    low, high = ends[:, 0]
    interval = Interval(value=change, lower=float(low), upper=float(high))
    return scores[0], scores[1], interval
