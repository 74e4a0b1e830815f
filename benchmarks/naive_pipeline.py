"""The plain scikit-learn pipeline that the search benchmark compares with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler
from sklearn.svm import LinearSVC

KINDS = {"logistic_regression": LogisticRegression, "linear_svc": LinearSVC}


def naive_pipeline(table: str, width: int, estimator: str) -> Pipeline:
    """Build the features of the job with scikit-learn alone."""
    scale = make_pipeline(StandardScaler(), Normalizer())
    weigh = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    features: Any = {"embeddings": scale, "privacyqa": scale, "texts": weigh}.get(table)
    if features is None:
        names = [f"embeddings_{n}" for n in range(width)]
        features = ColumnTransformer([("text", weigh, "text"), ("embeddings", scale, names)])
    return Pipeline([("features", features), ("model", KINDS[estimator](max_iter=1000))])


def as_double(X: Any) -> Any:
    """Return the input with numbers as float64; texts stay unchanged."""
    if isinstance(X, list):
        return X
    if isinstance(X, pd.DataFrame):
        return X.astype({name: np.float64 for name in X.columns if name != "text"})
    return X.astype(np.float64)
