"""How much better a model looks where near-duplicates stand on both sides of a split.

How it works
------------
1. A sample of whole groups is drawn, seeded.  Its size follows from the columns and classes, so
   that no fit needs more than a fixed number of multiplications, whatever the table's size.
2. One ridge classifier is cross-validated on it twice: in folds cut by rows, and in folds that
   keep each group on one side.
3. The difference of the two accuracies is what a random split would have claimed too much.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import StratifiedKFold

from job.contracts.dataset import Rows
from job.contracts.ports import Executor, MatrixAllocator
from job.contracts.reports.near_duplicates import Optimism
from job.contracts.settings.job_settings import TrainingSpec
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.split.folds import Fold, make_folds

Array = npt.NDArray[Any]
_MAX_ROWS: Final = 5000
# A fit to n rows of d columns and K classes takes about n min(n, d) (min(n, d) + K)
# multiplications; so many allow 2,100 rows of texts, and more than 5,000 of 584 columns.
_MAX_PRODUCTS: Final = 10**10
_N_FOLDS: Final = 3
_ALPHA: Final = 0.1


def measure_optimism(
    rows: Rows, spec: TrainingSpec, matrices: MatrixAllocator, executor: Executor
) -> Optimism | None:
    """Cross-validate one cheap classifier by rows, and by groups.

    Returns
    -------
    optimism
        Of a sample of whole groups, so that what leaks stays in it; None where fewer than two
        classes have groups for every fold.
    """
    some = _sample(rows, _count_rows(rows, spec), spec.random_state)
    y = some.y.astype(str)
    if len(np.unique(y)) < 2:
        return None
    cutter = StratifiedKFold(_N_FOLDS, shuffle=True, random_state=spec.random_state)
    by_row = list(cutter.split(y, y))
    by_unit = make_folds(some, _N_FOLDS, spec.random_state)
    feature_matrices = FeatureMatrices(some, spec.features, spec.columns, matrices, executor)

    def count_right(fold: Fold) -> int:
        inner, outer = fold
        # no term leaves this function, so rare ones may take part
        feature_matrix = feature_matrices.fit(inner, min_groups=1)
        # with many columns it is solved by rows, for all classes at once
        model = RidgeClassifier(
            _ALPHA, solver="cholesky", fit_intercept=not sparse.issparse(feature_matrix.X)
        )
        model.fit(feature_matrix.X, y[inner])
        return int((model.predict(feature_matrix.transform(outer)) == y[outer]).sum())

    with executor.pool():  # one BLAS thread: the same scores on any number of CPUs
        found = [count_right(fold) for fold in (*by_row, *by_unit)]
    return Optimism(
        estimator="ridge_classifier",
        n_rows=len(some),
        folds=_N_FOLDS,
        random_accuracy=sum(found[:_N_FOLDS]) / len(some),
        leakage_safe_accuracy=sum(found[_N_FOLDS:]) / len(some),
    )


def _count_rows(rows: Rows, spec: TrainingSpec) -> int:
    """Return how many rows may be looked at: most of those whose fits stay within the bound."""
    rank = n = np.arange(1, _MAX_ROWS + 1)
    # columns of terms and categories are unknown before the rows are, and may be more than these
    if spec.features.use == ("embeddings",):
        assert rows.embeddings is not None
        rank = np.minimum(n, rows.embeddings.shape[1])
    products = n * rank * (rank + len(set(rows.y)))
    return int(np.searchsorted(products, _MAX_PRODUCTS, side="right"))


def _sample(rows: Rows, n_rows: int, random_state: int) -> Rows:
    """Draw whole groups up to a number of rows, of the classes that every fold can have."""
    numbers, group_of_row, sizes = np.unique(rows.groups, return_inverse=True, return_counts=True)
    is_taken = np.ones(len(numbers), bool)
    if len(rows) > n_rows:
        order = np.random.default_rng(random_state).permutation(len(numbers))
        # a group that fills more than a fold would leave no room for others
        order = order[sizes[order] <= n_rows / _N_FOLDS]
        is_taken[:] = False
        is_taken[order[np.cumsum(sizes[order]) <= n_rows]] = True
    some, group_of_row = rows.take(is_taken[group_of_row]), group_of_row[is_taken[group_of_row]]
    classes, labels = np.unique(some.y.astype(str), return_inverse=True)
    pairs = np.unique(labels * len(numbers) + group_of_row)
    n_groups = np.bincount(pairs // len(numbers), minlength=len(classes))
    return some.take(n_groups[labels] >= _N_FOLDS)
