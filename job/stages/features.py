"""Build the unfitted preprocessing, and the input that it takes."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    Normalizer,
    OneHotEncoder,
    RobustScaler,
    StandardScaler,
)

from job.contracts.dataset import Rows
from job.contracts.dataset_specs import ColumnsSpec
from job.contracts.specs import FeatureSpec
from job.errors import TrainingError

_RARE: Final = "__rare__"
_NONE: Final = "__none__"
ANALYZERS: Final = (("word", (1, 2)), ("char_wb", (2, 5)))


def make_input(rows: Rows, use: tuple[str, ...]) -> Any:
    """Give X as the consumer gives it.

    Returns
    -------
    X
        Embeddings alone: float32 array of shape (n_samples, width).  Text alone: list of str.
        A mixture: DataFrame with columns `text`, `embeddings_0`... and the metadata's names.
    """
    if tuple(use) == ("embeddings",):
        return rows.embeddings
    if tuple(use) == ("text",):
        assert rows.text is not None
        return rows.text.tolist()
    blocks: list[pd.DataFrame] = []
    if "text" in use:
        blocks.append(pd.DataFrame({"text": rows.text}))
    if "embeddings" in use and rows.embeddings is not None:
        names = embedding_names(rows.embeddings.shape[1])
        blocks.append(pd.DataFrame(rows.embeddings, columns=names))
    blocks.append(rows.frame.reset_index(drop=True))
    return pd.concat(blocks, axis=1)


def embedding_names(width: int) -> list[str]:
    """Name the columns of an embedding in a mixture."""
    return [f"embeddings_{n}" for n in range(width)]


def make_preprocessing(rows: Rows, spec: FeatureSpec, columns: ColumnsSpec) -> Any:
    """Build the preprocessing for these training rows, unfitted.

    Vocabulary terms and categories are taken from the rows, and only if `spec.min_groups`
    different keys hold them.

    Raises
    ------
    TrainingError
        No term of any text is held by so many keys.
    """
    if tuple(spec.use) == ("embeddings",):
        return _embeddings()
    if tuple(spec.use) == ("text",):
        return _text(rows, spec.min_groups)
    parts: list[tuple[str, Any, Any]] = []
    if "text" in spec.use:
        parts.append(("text", _text(rows, spec.min_groups), "text"))
    if "embeddings" in spec.use and rows.embeddings is not None:
        parts.append(("embeddings", _embeddings(), embedding_names(rows.embeddings.shape[1])))
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


def _embeddings() -> Pipeline:
    # unit rows after scaling: one grid of C suits every embedding model
    return make_pipeline(_as_float32(), StandardScaler(), Normalizer())


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


def _text(rows: Rows, min_groups: int) -> FeatureUnion:
    assert rows.text is not None
    parts = []
    for analyzer, ngram_range in ANALYZERS:
        terms = _common_terms(rows, analyzer, ngram_range, min_groups)
        if terms:
            counts = CountVectorizer(
                analyzer=analyzer, ngram_range=ngram_range, vocabulary=terms, dtype=np.float32
            )
            parts.append((analyzer, make_pipeline(counts, TfidfTransformer(sublinear_tf=True))))
    if not parts:
        raise TrainingError(
            f"no term of the text column is held by {min_groups} different keys",
            hint="add rows, or lower features.min_groups",
        )
    return FeatureUnion(parts)


def _common_terms(
    rows: Rows, analyzer: str, ngram_range: tuple[int, int], min_groups: int
) -> dict[str, int]:
    vectorizer = CountVectorizer(
        analyzer=analyzer, ngram_range=ngram_range, binary=True, dtype=np.float32
    )
    try:
        occurs = vectorizer.fit_transform(rows.text)
    except ValueError:
        return {}  # no text has a term
    keys, inverse = np.unique(rows.keys, return_inverse=True)
    n_rows = len(rows)
    by_key = sparse.csr_matrix(
        (np.ones(n_rows, np.float32), (inverse, np.arange(n_rows))), shape=(len(keys), n_rows)
    )
    n_keys = (by_key @ occurs).getnnz(axis=0)
    terms = vectorizer.get_feature_names_out()[n_keys >= min_groups]
    return {term: position for position, term in enumerate(terms.tolist())}


def _categorical(rows: Rows, names: list[str], min_groups: int) -> Pipeline:
    levels = []
    for name in names:
        values = rows.frame[name].fillna(_NONE)
        n_keys = pd.DataFrame({"level": values.to_numpy(), "key": rows.keys})
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
