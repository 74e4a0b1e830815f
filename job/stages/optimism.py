"""How much better a model looks where near-duplicates stand on both sides of a split."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import StratifiedKFold

from job.contracts.dataset import Rows
from job.contracts.duplicates import Optimism
from job.contracts.ports import Executor, MatrixMaker
from job.contracts.specs import TrainingSpec
from job.stages.folds import Fold
from job.stages.preparation import Preparation
from job.stages.search.candidates import make_folds

Array = npt.NDArray[Any]
_N_ROWS: Final = 5000
_N_FOLDS: Final = 3
_ALPHA: Final = 0.1


def measure_optimism(
    rows: Rows, spec: TrainingSpec, matrices: MatrixMaker, executor: Executor
) -> Optimism | None:
    """Cross-validate one cheap classifier by rows, and by families or groups.

    A larger table is sampled by whole units, seeded: what leaks stays in the sample.  None where
    fewer than two classes have units for every fold.
    """
    some = _sample(rows, spec.random_state)
    y = some.y.astype(str)
    if len(np.unique(y)) < 2:
        return None
    cutter = StratifiedKFold(_N_FOLDS, shuffle=True, random_state=spec.random_state)
    by_row = list(cutter.split(y, y))
    by_unit = make_folds(some, _N_FOLDS, spec.random_state)
    preparation = Preparation(some, spec.features, spec.columns, matrices, executor)

    def count_right(fold: Fold) -> int:
        inner, outer = fold
        # no term leaves this function, so rare ones may take part
        prepared = preparation.fit(inner, min_groups=1)
        # with many columns it is solved by rows, for all classes at once
        model = RidgeClassifier(
            _ALPHA, solver="cholesky", fit_intercept=not sparse.issparse(prepared.X)
        )
        model.fit(prepared.X, y[inner])
        return int((model.predict(prepared.transform(outer)) == y[outer]).sum())

    found = [count_right(fold) for fold in (*by_row, *by_unit)]
    return Optimism(
        estimator="ridge_classifier",
        n_rows=len(some),
        folds=_N_FOLDS,
        random_accuracy=sum(found[:_N_FOLDS]) / len(some),
        leakage_safe_accuracy=sum(found[_N_FOLDS:]) / len(some),
    )


def _sample(rows: Rows, random_state: int) -> Rows:
    """Take whole units up to a number of rows, of the classes that every fold can have."""
    numbers, units, sizes = np.unique(rows.units, return_inverse=True, return_counts=True)
    order = np.random.default_rng(random_state).permutation(len(numbers))
    is_taken = np.zeros(len(numbers), bool)
    is_taken[order[np.cumsum(sizes[order]) <= max(_N_ROWS, sizes[order[:1]].sum())]] = True
    some, units = rows.take(is_taken[units]), units[is_taken[units]]
    classes, labels = np.unique(some.y.astype(str), return_inverse=True)
    pairs = np.unique(labels * len(numbers) + units)
    n_units = np.bincount(pairs // len(numbers), minlength=len(classes))
    return some.take(n_units[labels] >= _N_FOLDS)
