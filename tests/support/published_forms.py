"""A small model of every form that the job can publish, encoded as in a version."""

from itertools import product

import numpy as np
import pandas as pd
from support.trained_models import WORDS, train

from job.adapters.codecs.canonical_joblib import JoblibCodec
from job.contracts.dataset import Rows
from job.contracts.matrix_rows import MatrixRows
from job.contracts.reports.geometry import AffineMap, Geometry
from job.stages.features.preprocessing import make_input

N_ROWS, WIDTH = 240, 8
USES = {
    "text": ("text",),
    "embeddings": ("embeddings",),
    "columns": ("numeric", "categorical", "boolean"),
    "text and columns": ("text", "numeric", "categorical", "boolean"),
    "all": ("text", "embeddings", "numeric", "categorical", "boolean"),
    "embeddings and columns": ("embeddings", "numeric", "categorical", "boolean"),
}
_LINEAR = ("logistic_regression", "linear_svc")
_RESTORED = {"is_restored": True}
# input, estimator, number of classes, and what differs from the defaults
FORMS = [
    *[(use, name, 3, {}) for use, name in product(USES, (*_LINEAR, "dummy"))],
    *[("text", name, 2, {}) for name in _LINEAR],
    *[(use, "prototypes", 3, {}) for use in ("embeddings", "embeddings and columns")],
    *[("embeddings", name, 2, _RESTORED) for name in (*_LINEAR, "dummy", "prototypes")],
    *[("embeddings", "prototypes", n, {**_RESTORED, "is_extended": True}) for n in (2, 3)],
    *[("text", "linear_svc", n, {"calibration": "temperature"}) for n in (2, 3)],
    *[("all", name, 3, {"class_weight": "balanced"}) for name in _LINEAR],
    *[("text", name, 3, {"engine": "reference"}) for name in _LINEAR],
    *[("text", _LINEAR[0], 3, {"analyzers": (name,)}) for name in ("word", "char_wb")],
]
NAMES = [
    ", ".join([use, name, f"{n} classes", *(f"{k} {v}" for k, v in options.items())])
    for use, name, n, options in FORMS
]


def make_rows(n_classes, *, is_far=False):
    """Draw rows whose labels can be learned from every block; `is_far` doubles embeddings."""
    rng = np.random.default_rng(0)
    number = np.arange(N_ROWS)
    label = number % n_classes
    text = [f"{WORDS[k]} {WORDS[n % 5]} {WORDS[n % 4]} it" for n, k in enumerate(label)]
    keys = np.array([f"k{n}" for n in number], dtype=object)
    X = rng.standard_normal((N_ROWS, WIDTH)) + 2 * np.eye(n_classes, WIDTH)[label]
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    frame = {"length": rng.random(N_ROWS) + label, "kind": [f"kind {n % 3}" for n in number]}
    return Rows(
        y=np.array(["abc"[n] for n in label], dtype=object),
        leakage_keys=keys,
        text_keys=keys,
        text=np.array(text, dtype=object),
        embeddings=MatrixRows(((1 + is_far) * X).astype(np.float32), number),
        frame=pd.DataFrame(frame | {"is_new": number % 2}).astype(
            {"length": np.float32, "kind": object, "is_new": np.float32}
        ),
    )


def _find_geometry():
    affine_map = AffineMap(
        columns=np.arange(WIDTH), scale=np.full(WIDTH, 0.5), offset=np.zeros(WIDTH)
    )
    counts = {"n_rows": N_ROWS, "n_distinct_rows": N_ROWS, "width": WIDTH}
    return Geometry(status="restored", map=affine_map, **counts)


def train_form(use, estimator, n_classes, options):
    """Train a model as the job does; return the pipeline and an input of 5 rows."""
    given = dict(options)
    is_restored, is_extended = given.pop("is_restored", False), given.pop("is_extended", False)
    analyzers = given.pop("analyzers", ("word", "char_wb"))
    rows = make_rows(n_classes, is_far=is_restored)
    model = train(
        USES[use],
        estimator,
        rows=rows,
        geometry=_find_geometry() if is_restored else None,
        is_extended=is_extended,
        analyzers=analyzers,
        search=given,
        **({"n_centers": 8} if estimator == "prototypes" else {}),
    ).pipeline
    return model, make_input(rows.take(np.arange(5)), USES[use])


def encode_form(*form):
    """Return the bytes of `model.joblib` of a form."""
    return JoblibCodec().encode(train_form(*form)[0])
