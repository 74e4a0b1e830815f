"""Accuracy by similarity to the training rows, with confidence intervals over groups."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from job.contracts.reports.wording import SimilarityBin, SimilarityReport
from job.contracts.settings.evaluation import EvaluationSpec
from job.stages.evaluation.wording_similarity import Similarity
from job.stages.metrics.confidence_bounds import MIN_GROUPS, bootstrap, interval_or_count_bound
from job.stages.metrics.group_bootstrap import count_by_group
from job.stages.metrics.predictions import Predictions

Array = npt.NDArray[Any]
EDGES: Final = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
# Of 64 requests that were worded differently from the upstream's table, nine in ten have a
# similarity to it below 0.41 (by texts; 0.44 by embeddings), of its own held-out rows one in ten.
NEW_BELOW: Final = 0.4


def score_by_similarity(
    predictions: Predictions,
    groups: Array,
    similarity: Similarity,
    *,
    spec: EvaluationSpec,
    random_state: int,
) -> SimilarityReport | None:
    """Compute the accuracy in each bin of similarity, with its confidence interval over groups.

    Parameters
    ----------
    groups
        Group of each evaluated row, shape (n_rows,).

    Returns
    -------
    report
        None if no row was compared with training rows.
    """
    values = similarity.values
    is_compared = ~np.isnan(values)
    if not is_compared.any():
        return None
    y_true, rng = predictions.y_true, np.random.default_rng(random_state)
    is_right = predictions.y_pred == y_true
    # NOTE: the first and the last bin include values beyond their outer edges
    numbers = np.digitize(values, EDGES[1:-1])
    bins = []
    for number, (lower, upper) in enumerate(pairwise(EDGES)):
        mask = is_compared & (numbers == number)
        scores = _score_bin(is_right[mask], y_true[mask], groups[mask], spec, rng)
        bins.append(SimilarityBin(lower=lower, upper=upper, **scores))
    is_new = is_compared & (values < NEW_BELOW)
    return SimilarityReport(
        of=similarity.of,
        n_rows=int(is_compared.sum()),
        n_items=similarity.n_items,
        n_sampled_items=similarity.n_sampled_items,
        n_trained_items=similarity.n_trained_items,
        n_sampled_trained_items=similarity.n_sampled_trained_items,
        median=float(np.median(values[is_compared])),
        new_below=NEW_BELOW,
        n_new_rows=int(is_new.sum()),
        n_new_groups=len(np.unique(groups[is_new])),
        min_groups=MIN_GROUPS,
        level=spec.confidence,
        bins=tuple(bins),
    )


def _score_bin(
    is_right: Array, y: Array, groups: Array, spec: EvaluationSpec, rng: np.random.Generator
) -> dict[str, Any]:
    """Return rows, groups, accuracy and interval of a bin, as far as it has enough groups."""
    n_groups = len(np.unique(groups))
    counts = {"n_rows": len(is_right), "n_groups": n_groups}
    if not len(is_right):
        return counts
    accuracy = float(is_right.mean())
    if n_groups < MIN_GROUPS:
        return {**counts, "accuracy": accuracy}
    columns = (np.zeros(len(y), int), np.where(is_right, 1, -1))
    group_sums, alpha = count_by_group(groups, y, columns, 2), (1 - spec.confidence) / 2
    (point,), bounds = bootstrap(
        group_sums, lambda sums: sums[:, 1:] / sums[:, :1], spec.resamples, rng, alpha
    )
    interval = interval_or_count_bound(point, *bounds[:, 0], n_groups=n_groups, alpha=alpha)
    return {**counts, "accuracy": accuracy, "interval": interval}
