"""Fit the preprocessing to subsets of one table, without a copy of it."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

from job.contracts.dataset import Rows
from job.contracts.ports import Executor, MatrixAllocator
from job.contracts.reports.geometry import Geometry
from job.contracts.settings.dataset import ColumnsSpec
from job.contracts.settings.features import FeatureSpec
from job.contracts.settings.search import FeatureBlocks
from job.stages.features.preprocessing import make_input, make_preprocessing, select_blocks
from job.stages.features.scaling import FeatureMatrix, fit_scaling, restore_rows
from job.stages.features.term_counts import Terms

Array = npt.NDArray[Any]


class FeatureMatrices:
    """Makes matrices of the rows of one table.

    Parameters
    ----------
    rows
        The table.
    matrices, executor
        Make those of embeddings alone.
    geometry
        Of the rows that are trained on: where its status is `restored`, embeddings are restored
        instead of standardized. It is found once, not per fold. That leaks nothing: it is found
        without labels and without rows that are held out of training, and it undoes one map that
        all rows went through, so any large part of them determines the same map.
    """

    def __init__(
        self,
        rows: Rows,
        spec: FeatureSpec,
        columns: ColumnsSpec,
        matrices: MatrixAllocator,
        executor: Executor,
        *,
        geometry: Geometry | None = None,
    ) -> None:
        self._rows, self._spec, self._columns = rows, spec, columns
        self._matrices, self._executor = matrices, executor
        self._restoring = None if geometry is None else geometry.map

    def restores(self, feature_blocks: FeatureBlocks | None) -> bool:
        """Return whether these blocks are embeddings alone, and restored to rows of length 1."""
        used = self._spec.use if feature_blocks is None else feature_blocks
        return self._restoring is not None and tuple(used) == ("embeddings",)

    def fit(
        self,
        index: Array,
        feature_blocks: FeatureBlocks | None = None,
        min_groups: int | None = None,
    ) -> FeatureMatrix:
        """Fit the preprocessing to the rows at these positions.

        Parameters
        ----------
        use
            The feature blocks, of those of the spec; None for all of them.
        min_groups
            In place of the spec's, where only a part of the table is looked at.

        Raises
        ------
        TrainingError
            No term of any text is held by `min_groups` keys.
        """
        given = {"use": feature_blocks, "min_groups": min_groups}
        spec = self._spec.model_copy(update={k: v for k, v in given.items() if v is not None})
        if spec.use == ("embeddings",):
            assert self._rows.embeddings is not None
            ports, embeddings = (self._matrices, self._executor), self._rows.embeddings
            if self._restoring is not None:
                return restore_rows(embeddings, index, self._restoring, *ports)
            return fit_scaling(embeddings, index, *ports)
        terms = self._terms if "text" in spec.use else None
        inner = select_blocks(self._rows.take(index), spec.use, self._columns)
        text, columns = terms.union(index, spec.min_groups) if terms else (None, None)
        preprocess = make_preprocessing(inner, spec, self._columns, text, restoring=self._restoring)
        X = preprocess.fit_transform(self._input(index, spec.use))
        if columns is not None and spec.use != ("text",):
            # of text and embeddings the terms come first; of other blocks columns may come and go
            width = X.shape[1] - len(columns)
            has_both = set(spec.use) == {"text", "embeddings"}
            columns = np.concatenate([columns, -1 - np.arange(width)]) if has_both else None
        return FeatureMatrix(
            X=X,
            preprocess=preprocess,
            transform=lambda index: preprocess.transform(self._input(index, spec.use)),
            columns=columns,
        )

    @functools.cached_property
    def _terms(self) -> Terms:
        return Terms(self._rows, self._spec.analyzers)

    def _input(self, index: Array, feature_blocks: FeatureBlocks) -> Any:
        """Return the rows with positions for their texts."""
        if feature_blocks == ("text",):
            return index
        X = make_input(
            select_blocks(self._rows.take(index), feature_blocks, self._columns), feature_blocks
        )
        return X.assign(text=index) if "text" in feature_blocks else X
