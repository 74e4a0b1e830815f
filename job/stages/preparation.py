"""Fit the preprocessing to subsets of one table, without a copy of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from job.contracts.dataset import MatrixRows, Rows
from job.contracts.dataset_specs import ColumnsSpec
from job.contracts.specs import FeatureSpec
from job.stages.features import make_input, make_preprocessing, make_scaling
from job.stages.terms import Terms, restore

Array = npt.NDArray[Any]
_BLOCK: Final = 8192


class Preparation:
    """Makes matrices of the rows of one table.

    Parameters
    ----------
    rows
        The table.
    """

    def __init__(self, rows: Rows, spec: FeatureSpec, columns: ColumnsSpec) -> None:
        self._rows, self._spec, self._columns = rows, spec, columns
        self._terms = Terms(rows, spec.analyzers) if "text" in spec.use else None

    def fit(self, index: Array) -> Prepared:
        """Fit the preprocessing to the rows at these positions.

        Raises
        ------
        TrainingError
            No term of any text is held by `min_groups` keys.
        """
        if tuple(self._spec.use) == ("embeddings",):
            assert self._rows.embeddings is not None
            return _fit_scaling(self._rows.embeddings, index)
        inner = self._rows.take(index)
        text = self._terms.union(index, self._spec.min_groups) if self._terms else None
        preprocess = make_preprocessing(inner, self._spec, self._columns, text)
        X = preprocess.fit_transform(self._input(index))
        return Prepared(
            X=X,
            preprocess=preprocess,
            transform=lambda index: preprocess.transform(self._input(index)),
        )

    def _input(self, index: Array) -> Any:
        """Give the rows with positions for their texts."""
        if tuple(self._spec.use) == ("text",):
            return index
        X = make_input(self._rows.take(index), self._spec.use)
        return X.assign(text=index) if self._terms else X


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Fitted preprocessing.

    Attributes
    ----------
    X
        The rows it was fitted to, shape (n_samples, n_features).
    transform
        Gives other rows of the table, by their positions, as a matrix.
    """

    X: Any
    preprocess: Any
    transform: Callable[[Array], Any]

    def published(self) -> Any:
        """Give the preprocessing that takes what the consumer has; `transform` ends with it."""
        return restore(self.preprocess)


def _fit_scaling(embeddings: MatrixRows, index: Array) -> Prepared:
    """Fit and transform block by block: no whole has a copy but its result."""
    rows = embeddings.take(index)
    pipeline = make_scaling()
    cast, scaler, normalizer = (step for _, step in pipeline.steps)
    for block in _blocks(rows):
        scaler.partial_fit(cast.fit_transform(rows.read(block)))
    normalizer.fit(rows.read(slice(1)))

    def transform(index: Array) -> Array:
        some = embeddings.take(index)
        X = np.empty(some.shape, np.float32)
        for block in _blocks(some):
            X[block] = normalizer.transform(scaler.transform(some.read(block)))
        return X

    return Prepared(X=transform(index), preprocess=pipeline, transform=transform)


def _blocks(rows: MatrixRows) -> list[slice]:
    return [slice(start, start + _BLOCK) for start in range(0, rows.shape[0], _BLOCK)]
