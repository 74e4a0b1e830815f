"""Build the unfitted preprocessing, and the input that it takes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.polynomial.polynomial import polyval
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    Normalizer,
    OneHotEncoder,
    RobustScaler,
    StandardScaler,
)

from job.contracts.dataset import Rows
from job.contracts.reports.geometry import AffineMap
from job.contracts.settings.dataset import ColumnsSpec
from job.contracts.settings.features import FeatureSpec

_RARE: Final = "__rare__"
_NONE: Final = "__none__"


def select_blocks(rows: Rows, feature_blocks: tuple[str, ...], columns: ColumnsSpec) -> Rows:
    """Leave out the feature blocks that are not in use."""
    kept = {
        name
        for block in ("numeric", "categorical", "boolean")
        if block in feature_blocks
        for name in getattr(columns, block)
    }
    return replace(
        rows,
        text=rows.text if "text" in feature_blocks else None,
        embeddings=rows.embeddings if "embeddings" in feature_blocks else None,
        frame=rows.frame[[name for name in rows.frame.columns if name in kept]],
    )


def make_input(rows: Rows, feature_blocks: tuple[str, ...]) -> Any:
    """Return X as the consumer gives it.

    Returns
    -------
    X
        Embeddings alone: float32 array of shape (n_samples, width).  Text alone: list of str.
        A mixture: DataFrame with columns `text`, `embeddings_0`... and the metadata's names.
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
    """Name the columns of an embedding in a mixture."""
    return [f"embeddings_{n}" for n in range(width)]


def make_preprocessing(
    rows: Rows,
    spec: FeatureSpec,
    columns: ColumnsSpec,
    text: Any,
    *,
    restoring: AffineMap | None = None,
) -> Any:
    """Build the preprocessing for these training rows, unfitted.

    Parameters
    ----------
    rows
        Categories are taken from them, and only if `spec.min_groups` different keys hold them.
    text
        What makes features of texts, or None where the features have no text.
    restoring
        The map that gives embeddings back their rows of length 1; None: they are standardized.
    """
    scaling = make_scaling() if restoring is None else make_restoring(restoring)
    if tuple(spec.use) == ("embeddings",):
        return scaling
    if tuple(spec.use) == ("text",):
        return text
    parts: list[tuple[str, Any, Any]] = []
    if "text" in spec.use:
        parts.append(("text", text, "text"))
    if "embeddings" in spec.use and rows.embeddings is not None:
        parts.append(("embeddings", scaling, embedding_column_names(rows.embeddings.shape[1])))
    if "numeric" in spec.use:
        parts.append(("numeric", _numeric(), list(columns.numeric)))
    if "boolean" in spec.use:
        imputer = SimpleImputer(
            strategy="most_frequent", add_indicator=True, keep_empty_features=True
        )
        parts.append(("boolean", make_pipeline(_as_float32(), imputer), list(columns.boolean)))
    if "categorical" in spec.use:
        names = list(columns.categorical)
        parts.append(("categorical", _categorical(rows, names, spec.min_groups), names))
    return ColumnTransformer(parts, sparse_threshold=0.3)


def make_scaling() -> Pipeline:
    """Build the preprocessing of embeddings, unfitted."""
    # unit rows after scaling: one grid of C suits every embedding model
    return make_pipeline(_as_float32(), StandardScaler(), Normalizer())


def make_restoring(found: AffineMap) -> Pipeline:
    """Build the preprocessing that gives embeddings back their rows of length 1.

    Its steps learn nothing: whatever they are fitted to, they stay as they are.
    """
    # a polynomial of degree 1 for each column, in the precision of the rows
    coefficients = np.stack([found.offset, found.scale]).astype(np.float32)
    return make_pipeline(
        _as_float32(),
        FunctionTransformer(np.take, kw_args={"indices": found.columns, "axis": 1}),
        FunctionTransformer(polyval, kw_args={"c": coefficients, "tensor": False}),
        Normalizer(),
    )


def _as_float32() -> FunctionTransformer:
    return FunctionTransformer(np.asarray, kw_args={"dtype": np.float32})


def _numeric() -> Pipeline:
    return make_pipeline(
        _as_float32(),
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        RobustScaler(),
        FunctionTransformer(np.arcsinh),  # linear near 0, logarithmic far out: damps outliers
        StandardScaler(),
    )


def _categorical(rows: Rows, names: list[str], min_groups: int) -> Pipeline:
    levels = []
    for name in names:
        values = rows.frame[name].fillna(_NONE)
        n_keys = pd.DataFrame({"level": values.to_numpy(), "key": rows.leakage_keys})
        counts = n_keys.groupby("level")["key"].nunique()
        kept = sorted(set(counts.index[counts >= min_groups]) - {_RARE})
        levels.append(np.array([*kept, _RARE], dtype=object))
    # NOTE: the bucket never occurs by name, so it alone is infrequent, and takes the rare levels
    # of the training rows and those that are met for the first time later
    encoder = OneHotEncoder(
        categories=levels,
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
