"""Compute the accuracy by similarity to the training rows, with intervals over groups."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np

from job.contracts.arrays import Array
from job.contracts.reports.wording import SimilarityBin, SimilarityReport
from job.stages.evaluation.wording_similarity import Similarity
from job.stages.metrics.confidence_bounds import MIN_GROUPS
from job.stages.metrics.group_bootstrap import GroupBootstrap
from job.stages.metrics.predictions import Predictions

EDGES: Final = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
# Of 64 requests that were worded differently from the upstream's table, 90% have a similarity to
# it below 0.41 (by texts; 0.44 by embeddings).  Of the table's own held-out rows, only 10% have a
# similarity below these values.
NEW_BELOW: Final = 0.4


def score_by_similarity(
    predictions: Predictions, bootstrap: GroupBootstrap, similarity: Similarity
) -> SimilarityReport | None:
    """Compute the accuracy in each bin of similarity, with its confidence interval over groups.

    Parameters
    ----------
    bootstrap
        The bootstrap over the groups of the evaluated rows.

    Returns
    -------
    report
        None if no row was compared with training rows.
    """
    values, is_compared = similarity.values, ~np.isnan(similarity.values)
    if not is_compared.any():
        return None
    bootstrap = bootstrap.restarted()
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
        n_new_groups=len(np.unique(bootstrap.groups[is_new])),
        min_groups=MIN_GROUPS,
        level=bootstrap.level,
        bins=_score_bins(values, predictions, bootstrap),
    )


def _score_bins(
    values: Array, predictions: Predictions, bootstrap: GroupBootstrap
) -> tuple[SimilarityBin, ...]:
    """Return the accuracy in each bin of similarity; rows without similarity are in no bin."""
    # NOTE: the first and the last bin include values beyond their outer edges
    numbers = np.where(np.isnan(values), -1, np.digitize(values, EDGES[1:-1]))
    is_right = predictions.y_pred == predictions.y_true
    return tuple(
        _score_bin(edges, is_right[numbers == number], bootstrap.take(numbers == number))
        for number, edges in enumerate(pairwise(EDGES))
    )


def _score_bin(
    edges: tuple[float, float], is_right: Array, bootstrap: GroupBootstrap
) -> SimilarityBin:
    """Return the accuracy in one bin of similarity, and the bin's numbers of rows and groups.

    A bin with too few groups gets no interval.
    """
    lower, upper = edges
    return SimilarityBin(
        lower=lower,
        upper=upper,
        n_rows=len(is_right),
        n_groups=bootstrap.n_groups,
        accuracy=float(is_right.mean()) if len(is_right) else None,
        interval=bootstrap.share_interval(is_right) if bootstrap.n_groups >= MIN_GROUPS else None,
    )
