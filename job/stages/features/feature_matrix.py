"""Fit the preprocessing to subsets of one table's rows, without copying the table.

How it works
------------
1. If embeddings are the only feature block, they are scaled, or restored to rows of length 1, in
   chunks of rows (`scaling`).
2. Otherwise the steps of `preprocessing` are fitted to the rows of the subset.  Their input is the
   positions of rows instead of texts, because terms are counted once for all texts (`term_counts`).
3. If the columns of different subsets can be matched, they get ids.  Then a model can be
   warm-started from the coefficients of a model that was fitted to another subset.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import StandardScaler

from job.contracts.arrays import Array
from job.contracts.dataset import Rows
from job.contracts.ports import Executor, MatrixAllocator
from job.contracts.reports.geometry import Geometry
from job.contracts.settings.dataset import ColumnsSpec
from job.contracts.settings.features import FeatureSpec
from job.contracts.settings.search import FeatureBlocks
from job.stages.features.folding import ignore_flat_columns
from job.stages.features.preprocessing import make_input, make_preprocessing, select_blocks
from job.stages.features.scaling import FeatureMatrix, fit_scaling, restore_rows, scale_rows
from job.stages.features.term_counts import Terms


class FeatureMatrices:
    """Makes the feature matrices of subsets of one table's rows.

    Parameters
    ----------
    rows
        The rows of the table.
    allocator, executor
        Used only if embeddings are the only feature block, to allocate and fill the matrices.
    geometry
        The geometry of the training rows.  If `geometry.map` is set, embeddings are mapped to rows
        of length 1 instead of being standardized.  The map is estimated once, not per fold.  This
        leaks nothing, because the estimate uses no labels and no held-out rows.  The map inverts
        one transformation of all rows, so any large part of the rows determines the same map.
    """

    def __init__(
        self,
        rows: Rows,
        spec: FeatureSpec,
        columns: ColumnsSpec,
        allocator: MatrixAllocator,
        executor: Executor,
        *,
        geometry: Geometry | None = None,
    ) -> None:
        self._rows, self._spec, self._columns = rows, spec, columns
        self._allocator, self._executor = allocator, executor
        self._affine_map = None if geometry is None else geometry.map

    def restores(self, feature_blocks: FeatureBlocks | None) -> bool:
        """Return whether `fit` only maps embeddings to length 1, given these blocks."""
        used = self._spec.use if feature_blocks is None else feature_blocks
        return self._affine_map is not None and tuple(used) == ("embeddings",)

    def standardizes(
        self, feature_blocks: FeatureBlocks | None, *, takes_standardized: bool
    ) -> bool:
        """Return whether `fit` should standardize the columns for an estimator.

        Estimators with the same answer can share a matrix.
        """
        return takes_standardized and not self.restores(feature_blocks)

    def fit(
        self,
        index: Array,
        feature_blocks: FeatureBlocks | None = None,
        min_groups: int | None = None,
        *,
        is_standardized: bool = True,
    ) -> FeatureMatrix:
        """Fit the preprocessing to the rows at positions `index`; return it with the rows' matrix.

        Parameters
        ----------
        feature_blocks
            The feature blocks to use, a subset of `features.use`; None to use all.
        min_groups
            Used instead of `features.min_groups` if given, for example when `index` is a small part
            of the table.
        is_standardized
            Whether to standardize columns.  Columns of restored embeddings are never standardized.

        Raises
        ------
        TrainingError
            No term occurs in texts of at least `min_groups` persons.
        """
        updates = {"use": feature_blocks, "min_groups": min_groups}
        spec = self._spec.model_copy(update={k: v for k, v in updates.items() if v is not None})
        if spec.use == ("embeddings",):
            return self._fit_embeddings(index, is_standardized=is_standardized)
        return self._fit_blocks(index, spec, is_standardized=is_standardized)

    def _fit_embeddings(self, index: Array, *, is_standardized: bool) -> FeatureMatrix:
        """Restore the embeddings at positions `index` to length 1, or else scale them."""
        assert self._rows.embeddings is not None
        ports, embeddings = (self._allocator, self._executor), self._rows.embeddings
        if self._affine_map is not None:
            return restore_rows(embeddings, index, self._affine_map, *ports)
        scale = fit_scaling if is_standardized else scale_rows
        return scale(embeddings, index, *ports)

    def _fit_blocks(
        self, index: Array, spec: FeatureSpec, *, is_standardized: bool
    ) -> FeatureMatrix:
        """Fit the preprocessing of the feature blocks in `spec.use` to rows at these positions."""
        terms = self._terms if "text" in spec.use else None
        rows = select_blocks(self._rows.take(index), spec.use, self._columns)
        text, columns = terms.union(index, spec.min_groups) if terms else (None, None)
        preprocess = make_preprocessing(
            rows,
            spec,
            self._columns,
            text,
            affine_map=self._affine_map,
            is_standardized=is_standardized,
        )
        X = _fit_transform(preprocess, self._input(index, spec.use))
        if columns is not None and spec.use != ("text",):
            # besides terms, only embeddings have the same columns in each subset; they come last
            width = X.shape[1] - len(columns)
            is_matchable = set(spec.use) == {"text", "embeddings"}
            columns = np.concatenate([columns, -1 - np.arange(width)]) if is_matchable else None
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
        """Return the input of the preprocessing for these rows: row positions replace texts."""
        if feature_blocks == ("text",):
            return index
        X = make_input(
            select_blocks(self._rows.take(index), feature_blocks, self._columns), feature_blocks
        )
        return X.assign(text=index) if "text" in feature_blocks else X


def _fit_transform(preprocess: Any, X: Any) -> Any:
    """Fit and transform; do not scale up embedding columns that vary by rounding errors only."""
    matrix = preprocess.fit_transform(X)
    if not isinstance(preprocess, ColumnTransformer):
        return matrix
    embeddings = preprocess.named_transformers_.get("embeddings")
    if embeddings is None or not isinstance(embeddings[-1], StandardScaler):
        return matrix
    factor = np.ones(matrix.shape[1], matrix.dtype)
    factor[preprocess.output_indices_["embeddings"]] = ignore_flat_columns(embeddings[-1])
    if (factor == 1).all():
        return matrix
    return matrix @ sparse.diags(factor) if sparse.issparse(matrix) else matrix * factor
