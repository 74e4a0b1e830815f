"""Small models of every kind, trained as a run trains them."""

import numpy as np
import pandas as pd
from support.executors import InTurn
from support.matrices import IN_MEMORY

from job.adapters.codecs.canonical_joblib import JoblibCodec
from job.contracts.dataset import Rows
from job.contracts.matrix_rows import MatrixRows
from job.contracts.reports.geometry import AffineMap, Geometry
from job.contracts.reports.search import CandidateScore, SearchReport
from job.contracts.settings.dataset import ColumnsSpec
from job.contracts.settings.features import FeatureSpec
from job.contracts.settings.job_settings import PackageSpec, TrainingSpec
from job.contracts.settings.search import SearchSpec
from job.model_form.encoding import encode_form
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.packaging.metadata import describe_input
from job.stages.packaging.plain_form import describe_model
from job.stages.training.compatibility import make_compatible, use_double_precision
from job.stages.training.refit import train_model
from job.stages.training.temperature_scaling import can_be_scaled, scale_coefficients

WORDS = ("delete", "account", "please", "share", "data", "never")
PARAMETERS = {
    "logistic_regression": {"C": 1.0},
    "linear_svc": {"C": 1.0},
    "prototypes": {"n_centers": 3},
    "dummy": {},
}
COLUMNS = ColumnsSpec(numeric=("length",), categorical=("kind",), boolean=("is_new",))
USES = (
    ("embeddings",),
    ("text",),
    ("text", "numeric", "categorical", "boolean"),
    ("embeddings", "numeric", "categorical", "boolean"),
    ("text", "embeddings", "numeric", "categorical", "boolean"),
)


def make_rows(n_rows=90, *, n_classes=3, has_gaps=False):
    """Return rows with every kind of column; with gaps, some numbers and levels are missing."""
    rng = np.random.default_rng(0)
    text = [f"{WORDS[n % 6]} {WORDS[n % 5]} {WORDS[n % 4]}" for n in range(n_rows)]
    keys = np.array([f"k{n}" for n in range(n_rows)], dtype=object)
    frame = {"length": rng.random(n_rows), "kind": [f"kind {n % 3}" for n in range(n_rows)]}
    frame = pd.DataFrame(frame | {"is_new": np.arange(n_rows) % 2}).astype(
        {"length": np.float32, "kind": object, "is_new": np.float32}
    )
    embeddings = rng.random((n_rows, 4), dtype=np.float32)
    if has_gaps:
        for place, name in enumerate(frame):
            frame.loc[place::7, name] = None
    return Rows(
        y=np.array(["abcde"[n % n_classes] for n in range(n_rows)], dtype=object),
        leakage_keys=keys,
        text_keys=keys,
        text=np.array(text, dtype=object),
        embeddings=MatrixRows(embeddings, np.arange(n_rows)),
        frame=frame,
    )


def train(
    feature_blocks,
    estimator="logistic_regression",
    *,
    rows=None,
    geometry=None,
    is_extended=False,
    analyzers=("word", "char_wb"),
    search=None,
    **parameters,
):
    """Return a `TrainedModel`, in double precision and scaled by a temperature, as in a run.

    `search` has fields of `SearchSpec`, and `parameters` are those of the estimator.
    """
    chosen = CandidateScore(
        estimator=estimator,
        parameters=tuple({**PARAMETERS[estimator], **parameters}.items()),
        feature_blocks=tuple(feature_blocks),
        fold_scores=(1.0,),
    )
    spec = TrainingSpec(
        search=SearchSpec(**(search or {})),
        features=FeatureSpec(use=feature_blocks, analyzers=analyzers),
        columns=COLUMNS,
        random_state=0,
    )
    report = SearchReport(metric="accuracy", candidates=(chosen,), chosen=chosen, baselines=())
    rows = make_rows() if rows is None else rows
    matrices = FeatureMatrices(
        rows, spec.features, spec.columns, IN_MEMORY, InTurn(), geometry=geometry
    )
    model = train_model(
        rows, matrices, report, spec, InTurn(), handles_restandardized_batches=is_extended
    )
    if can_be_scaled(estimator):
        scale_coefficients(model.pipeline, 1.7)
    use_double_precision(model.pipeline)
    make_compatible(model.pipeline, PackageSpec().compatible_with)
    return model


def make_geometry():
    """Return a geometry whose map takes three of four columns."""
    affine_map = AffineMap(
        columns=np.array([0, 2, 3]), scale=np.array([2.0, 1.0, 0.5]), offset=np.array([0.1, 0, -1])
    )
    return Geometry(
        status="restored", n_rows=90, n_distinct_rows=90, width=4, n_columns=3, map=affine_map
    )


def encode_models(pipeline, rows, threshold=None):
    """Return the model files of a version of a pipeline of embeddings."""
    form = describe_model(pipeline, describe_input(rows, ("embeddings",)), threshold)
    return {"model.joblib": JoblibCodec().encode(pipeline), "model.safetensors": encode_form(form)}
