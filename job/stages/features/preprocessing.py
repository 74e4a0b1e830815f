"""Build the unfitted preprocessing steps of a model, and the input X of these steps.

How it works
------------
1. Embeddings are scaled to rows of length 1.  If the rows had length 1 before the table's columns
   were standardized (`geometry`), they are restored instead.
2. Columns of embeddings that were not restored are standardized for linear models, and divided by
   the square root of the width.  Rows then have length 1 on average, so the same grid of C suits
   every width.
3. Numbers are scaled robustly and imputed.  Booleans are imputed.  Both get missing indicators.
   Center and scale of a number are rounded to a coarse grid, so they do not reveal single rows.
4. Categories are one-hot encoded.  Categories of few persons, and categories that occur only after
   training, share the column `__rare__`, so the model file contains no rare value.
5. A `ColumnTransformer` joins several feature blocks.  All steps are those of scikit-learn.
6. Standardization is always the last step of a block.  Before a model is published, it is folded
   into the coefficients (`folding`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.polynomial.polynomial import polyval
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, OneHotEncoder, StandardScaler

from job.contracts.arrays import Array
from job.contracts.dataset import Rows
from job.contracts.reports.geometry import AffineMap
from job.contracts.settings.dataset import ColumnsSpec
from job.contracts.settings.features import FeatureSpec

_RARE: Final = "__rare__"
_NONE: Final = "__none__"
_MIN_SCALE: Final = 1e-30  # relative to the largest number; others overflow single precision


def select_blocks(rows: Rows, feature_blocks: tuple[str, ...], columns: ColumnsSpec) -> Rows:
    """Return the rows with these feature blocks only."""
    selected = {
        name
        for block in ("numeric", "categorical", "boolean")
        if block in feature_blocks
        for name in getattr(columns, block)
    }
    return replace(
        rows,
        text=rows.text if "text" in feature_blocks else None,
        embeddings=rows.embeddings if "embeddings" in feature_blocks else None,
        frame=rows.frame[[name for name in rows.frame.columns if name in selected]],
    )


def make_input(rows: Rows, feature_blocks: tuple[str, ...]) -> Any:
    """Return the model's input X for these rows, in the form that a consumer passes.

    Returns
    -------
    X
        Embeddings alone: float32 array of shape (n_samples, width).  Text alone: list of str.
        Otherwise: DataFrame with columns `text`, `embeddings_0`... and the metadata columns.
    """
    if tuple(feature_blocks) == ("embeddings",):
        return None if rows.embeddings is None else rows.embeddings.read()
    if tuple(feature_blocks) == ("text",):
        assert rows.text is not None
        return rows.text.tolist()
    blocks: list[pd.DataFrame] = []
    if "text" in feature_blocks:
        blocks.append(pd.DataFrame({"text": rows.text}))
    if "embeddings" in feature_blocks and rows.embeddings is not None:
        names = embedding_column_names(rows.embeddings.shape[1])
        blocks.append(pd.DataFrame(rows.embeddings.read(), columns=names))
    blocks.append(rows.frame.reset_index(drop=True))
    return pd.concat(blocks, axis=1)


def embedding_column_names(width: int) -> list[str]:
    """Return the names of the embedding's columns in the DataFrame of `make_input`."""
    return [f"embeddings_{n}" for n in range(width)]


def make_preprocessing(
    rows: Rows,
    spec: FeatureSpec,
    columns: ColumnsSpec,
    text: Any,
    *,
    affine_map: AffineMap | None = None,
    is_standardized: bool = True,
) -> Any:
    """Build the unfitted preprocessing for these training rows.

    Parameters
    ----------
    rows
        The training rows.  A category that at least `spec.min_groups` persons have gets a column.
    text
        The unfitted transformer of texts, or None if `spec.use` does not include text.
    affine_map
        Map that restores embeddings to rows of length 1; None to scale rows to length 1 instead.
    is_standardized
        Whether the columns of embeddings and numbers are standardized.
    """
    if affine_map is not None:
        scaling = make_restoring(affine_map)
    else:
        scaling = make_scaling() if is_standardized else make_unit_rows()
    alone: dict[tuple[str, ...], Any] = {("embeddings",): scaling, ("text",): text}
    if tuple(spec.use) in alone:
        return alone[tuple(spec.use)]
    parts: list[tuple[str, Any, Any]] = []
    weights = None
    if "text" in spec.use:
        parts.append(("text", text, "text"))
    if "embeddings" in spec.use and rows.embeddings is not None:
        width = rows.embeddings.shape[1]
        parts.append(("embeddings", scaling, embedding_column_names(width)))
        if isinstance(scaling[-1], StandardScaler):
            weights = {"embeddings": standardized_weight(width)}
    parts += _list_column_parts(rows, spec, columns, is_standardized=is_standardized)
    return ColumnTransformer(parts, sparse_threshold=0.3, transformer_weights=weights)


def _list_column_parts(
    rows: Rows, spec: FeatureSpec, columns: ColumnsSpec, *, is_standardized: bool
) -> list[tuple[str, Any, Any]]:
    """Return name, transformer and columns of the numeric, boolean and categorical blocks."""
    parts: list[tuple[str, Any, Any]] = []
    if "numeric" in spec.use:
        names = list(columns.numeric)
        numeric = _numeric(rows.frame[names], is_standardized=is_standardized)
        parts.append(("numeric", numeric, names))
    if "boolean" in spec.use:
        parts.append(("boolean", _boolean(), list(columns.boolean)))
    if "categorical" in spec.use:
        names = list(columns.categorical)
        parts.append(("categorical", _categorical(rows, names, spec.min_groups), names))
    return parts


def make_scaling() -> Pipeline:
    """Build the preprocessing that scales embeddings to length 1, then standardizes columns."""
    return make_pipeline(_as_float32(), Normalizer(), StandardScaler())


def make_unit_rows() -> Pipeline:
    """Build the preprocessing that scales rows to length 1; it has no fitted state."""
    return make_pipeline(_as_float32(), Normalizer())


def standardized_weight(width: int) -> float:
    """Return the factor that scales standardized rows of this width to length 1 on average."""
    return float(width**-0.5)


def make_restoring(affine_map: AffineMap) -> Pipeline:
    """Build the preprocessing that restores embeddings to rows of length 1.

    The steps of the pipeline have no fitted state.
    """
    return make_pipeline(
        _as_float32(),
        FunctionTransformer(np.take, kw_args={"indices": affine_map.columns, "axis": 1}),
        _affine(affine_map.offset, affine_map.scale),
        Normalizer(),
    )


def _as_float32() -> FunctionTransformer:
    return FunctionTransformer(np.asarray, kw_args={"dtype": np.float32})


def _affine(offset: Array, scale: Array) -> FunctionTransformer:
    """Return a step that computes offset + scale * x, by column, in the precision of the rows."""
    coefficients = np.stack([offset, scale]).astype(np.float32)  # a polynomial for each column
    return FunctionTransformer(polyval, kw_args={"c": coefficients, "tensor": False})


def _numeric(frame: pd.DataFrame, *, is_standardized: bool) -> Pipeline:
    """Build the preprocessing of numbers, with center and scale of these training rows."""
    center, scale = _find_coarse_range(frame.to_numpy(np.float64))
    return make_pipeline(
        _as_float32(),
        _affine(-center / scale, 1 / scale),
        FunctionTransformer(np.arcsinh),  # linear near 0, logarithmic far out: damps outliers
        _with_indicator(FunctionTransformer(np.nan_to_num)),  # 0 is the center
        *([StandardScaler()] if is_standardized else []),
    )


def _find_coarse_range(values: Array) -> tuple[Array, Array]:
    """Return center and scale of each column, shape (n_columns,) each, on a coarse grid.

    The scale is the power of two that is nearest, in ratio, to the interquartile range.  The center
    is the multiple of the scale that is nearest to the median.  A single row, whatever its value,
    rarely changes scale or center, and then moves them by one step of the grid only.
    """
    quartiles = np.zeros((4, values.shape[1]))
    for n, column in enumerate(values.T):
        known = column[np.isfinite(column)]
        if len(known):
            quartiles[:, n] = *np.percentile(known, (25, 50, 75)), np.abs(known).max()
    low, median, high, largest = quartiles
    width = np.maximum(high - low, _MIN_SCALE * np.maximum(largest, 1.0))
    scale = np.where(high > low, 2.0 ** np.round(np.log2(width)), 1.0)
    return scale * np.round(median / scale), scale


def _boolean() -> Pipeline:
    imputer = SimpleImputer(strategy="most_frequent", keep_empty_features=True)
    return make_pipeline(_as_float32(), _with_indicator(imputer))


def _with_indicator(imputer: SimpleImputer | FunctionTransformer) -> FeatureUnion:
    """Return an imputer with an indicator for each column, even if no training cell is missing."""
    return FeatureUnion([("value", imputer), ("is_missing", MissingIndicator(features="all"))])


def _categorical(rows: Rows, names: list[str], min_groups: int) -> Pipeline:
    categories = []
    for name in names:
        values = rows.frame[name].fillna(_NONE)
        pairs = pd.DataFrame({"level": values.to_numpy(), "person": rows.persons})
        n_persons = pairs.groupby("level")["person"].nunique()
        frequent = sorted(set(n_persons.index[n_persons >= min_groups]) - {_RARE})
        categories.append(np.array([*frequent, _RARE], dtype=object))
    # NOTE: no row has the value `__rare__`, so it is the only infrequent category, and receives the
    # rare values of the training rows as well as values that only occur later
    encoder = OneHotEncoder(
        categories=categories,
        min_frequency=1,
        handle_unknown="infrequent_if_exist",
        dtype=np.float32,
    )
    # a consumer's missing category may be NaN or None
    imputers = [
        SimpleImputer(
            strategy="constant", fill_value=_NONE, missing_values=missing, keep_empty_features=True
        )
        for missing in (np.nan, None)
    ]
    return make_pipeline(*imputers, encoder)
