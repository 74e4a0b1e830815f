"""Measure by how much a random split would overstate accuracy because of near-duplicates.

How it works
------------
1. A sample of whole groups is drawn by a seed.  To bound the time of a fit, the sample is smaller
   for tables with many columns or classes.
2. A ridge classifier is cross-validated on the sample twice: with folds of single rows, and with
   folds of whole groups.
3. The difference between the two accuracies is the optimism of a random split.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import sparse
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import StratifiedKFold

from job.contracts.arrays import Array
from job.contracts.dataset import Rows
from job.contracts.ports import Executor, MatrixAllocator
from job.contracts.reports.near_duplicates import Optimism
from job.contracts.settings.job_settings import TrainingSpec
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.split.folds import Fold, make_folds

_MAX_ROWS: Final = 5000
# A fit to n rows of d columns and K classes takes about n min(n, d) (min(n, d) + K)
# multiplications; this maximum allows 2,100 rows of texts, or more than 5,000 rows of 584 columns.
_MAX_PRODUCTS: Final = 10**10
_N_FOLDS: Final = 3
_ALPHA: Final = 0.1


def measure_optimism(
    rows: Rows, spec: TrainingSpec, matrices: MatrixAllocator, executor: Executor
) -> Optimism | None:
    """Compare a ridge classifier's accuracies in folds of single rows and of whole groups.

    Returns
    -------
    optimism
        Optimism of a random split, measured on a sample of whole groups.  None if fewer than two
        classes have groups for every fold.
    """
    sample = _sample_groups(rows, _count_rows(rows, spec), spec.random_state)
    y = sample.y.astype(str)
    if len(np.unique(y)) < 2:
        return None
    cutter = StratifiedKFold(_N_FOLDS, shuffle=True, random_state=spec.random_state)
    by_row = list(cutter.split(y, y))
    by_group = make_folds(sample, _N_FOLDS, spec.random_state)
    feature_matrices = FeatureMatrices(sample, spec.features, spec.columns, matrices, executor)
    with executor.pool():  # one BLAS thread: identical scores on any number of CPUs
        n_correct = [_count_correct(feature_matrices, y, fold) for fold in (*by_row, *by_group)]
    return Optimism(
        estimator="ridge_classifier",
        n_rows=len(sample),
        folds=_N_FOLDS,
        random_accuracy=sum(n_correct[:_N_FOLDS]) / len(sample),
        leakage_safe_accuracy=sum(n_correct[_N_FOLDS:]) / len(sample),
    )


def _count_correct(feature_matrices: FeatureMatrices, y: Array, fold: Fold) -> int:
    """Fit a ridge classifier to a fold; return how many test rows it predicts correctly."""
    train_index, test_index = fold
    # this model is not published, so rare terms can be used
    feature_matrix = feature_matrices.fit(train_index, min_groups=1)
    # with more columns than rows, cholesky solves the dual problem for all classes at once
    model = RidgeClassifier(
        _ALPHA, solver="cholesky", fit_intercept=not sparse.issparse(feature_matrix.X)
    )
    model.fit(feature_matrix.X, y[train_index])
    y_pred = model.predict(feature_matrix.transform(test_index))
    return int((y_pred == y[test_index]).sum())


def _count_rows(rows: Rows, spec: TrainingSpec) -> int:
    """Return the number of rows to sample, so that the time of a fit is bounded."""
    rank = n = np.arange(1, _MAX_ROWS + 1)
    # the number of term and category columns is not known yet, and can exceed the number of rows
    if spec.features.use == ("embeddings",):
        assert rows.embeddings is not None
        rank = np.minimum(n, rows.embeddings.shape[1])
    products = n * rank * (rank + len(set(rows.y)))
    return int(np.searchsorted(products, _MAX_PRODUCTS, side="right"))


def _sample_groups(rows: Rows, n_rows: int, random_state: int) -> Rows:
    """Draw whole groups, at most `n_rows` rows in total; drop classes with too few groups."""
    numbers, group_of_row, sizes = np.unique(rows.groups, return_inverse=True, return_counts=True)
    is_sampled = np.ones(len(numbers), bool)
    if len(rows) > n_rows:
        order = np.random.default_rng(random_state).permutation(len(numbers))
        # a group larger than a fold would leave no room for other groups
        order = order[sizes[order] <= n_rows / _N_FOLDS]
        is_sampled[:] = False
        is_sampled[order[np.cumsum(sizes[order]) <= n_rows]] = True
    sample, group_of_row = (
        rows.take(is_sampled[group_of_row]),
        group_of_row[is_sampled[group_of_row]],
    )
    classes, labels = np.unique(sample.y.astype(str), return_inverse=True)
    pairs = np.unique(labels * len(numbers) + group_of_row)
    n_groups = np.bincount(pairs // len(numbers), minlength=len(classes))
    return sample.take(n_groups[labels] >= _N_FOLDS)
