"""A model as bytes: equal models give equal bytes; models of other scikit-learns are rejected."""

import hashlib
import os
import subprocess
import sys
import warnings
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from support.executors import InTurn
from support.matrices import IN_MEMORY

from job.adapters.codecs.canonical_joblib import JoblibCodec
from job.contracts.dataset import MatrixRows, Rows
from job.contracts.reports.search import CandidateScore, SearchReport
from job.contracts.settings.dataset import ColumnsSpec
from job.contracts.settings.features import FeatureSpec
from job.contracts.settings.job_settings import TrainingSpec
from job.contracts.settings.search import SearchSpec
from job.errors import IncompatibleModelError
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.features.preprocessing import make_input
from job.stages.training.refit import train_model

CODEC = JoblibCodec()
ESTIMATORS = ("linear_svc", "logistic_regression")
USES = (("embeddings",), ("text",), ("text", "numeric", "categorical", "boolean"))
KINDS = pytest.mark.parametrize("feature_blocks", USES, ids="+".join)
WORDS = ("delete", "account", "please", "share", "data", "never")


def make_rows(n_rows=90):
    rng = np.random.default_rng(0)
    text = [f"{WORDS[n % 6]} {WORDS[n % 5]} {WORDS[n % 4]}" for n in range(n_rows)]
    keys = np.array([f"k{n}" for n in range(n_rows)], dtype=object)
    frame = {"length": rng.random(n_rows), "kind": [f"kind {n % 3}" for n in range(n_rows)]}
    return Rows(
        y=np.array(["abc"[n % 3] for n in range(n_rows)], dtype=object),
        leakage_keys=keys,
        text_keys=keys,
        text=np.array(text, dtype=object),
        embeddings=MatrixRows(rng.random((n_rows, 4), dtype=np.float32), np.arange(n_rows)),
        frame=pd.DataFrame(frame | {"is_new": np.arange(n_rows) % 2}).astype(
            {"length": np.float32, "kind": object, "is_new": np.float32}
        ),
    )


def train(feature_blocks, estimator="logistic_regression"):
    chosen = CandidateScore(
        estimator=estimator,
        parameters=(("C", 1.0),),
        feature_blocks=tuple(feature_blocks),
        fold_scores=(1.0,),
    )
    spec = TrainingSpec(
        search=SearchSpec(),
        features=FeatureSpec(use=feature_blocks),
        columns=ColumnsSpec(numeric=("length",), categorical=("kind",), boolean=("is_new",)),
        random_state=0,
    )
    report = SearchReport(metric="accuracy", candidates=(chosen,), chosen=chosen, baselines=())
    rows = make_rows()
    feature_matrices = FeatureMatrices(rows, spec.features, spec.columns, IN_MEMORY, InTurn())
    return train_model(rows, feature_matrices, report, spec, InTurn()).pipeline


def digest_all():
    """Return the digests of the bytes of all kinds of pipelines, trained in this process."""
    payloads = [
        CODEC.encode(train(feature_blocks, name)) for feature_blocks in USES for name in ESTIMATORS
    ]
    return [hashlib.sha256(data).hexdigest() for data in payloads]


def change_version(data):
    """Replace the version of scikit-learn in the bytes by one of equal length."""
    return data.replace(sklearn.__version__.encode(), b"0" * len(sklearn.__version__))


@KINDS
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_model_trained_twice_gives_equal_bytes(feature_blocks, estimator):
    """The same rows and seed give the same file."""
    assert CODEC.encode(train(feature_blocks, estimator)) == CODEC.encode(
        train(feature_blocks, estimator)
    )


def test_models_trained_in_two_processes_give_equal_bytes():
    """The file contains neither addresses nor the hash seed."""
    here = Path(__file__)
    roots = os.pathsep.join(str(here.parents[n]) for n in (0, 3, 4))
    code = f"import {here.stem}; print({here.stem}.digest_all())"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": roots, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        ).stdout.splitlines()[-1]
        for seed in ("1", "2")
    }

    assert {str(digest_all())} == outputs


@KINDS
def test_used_model_gives_equal_bytes(feature_blocks):
    """Predicting does not change the model."""
    model = train(feature_blocks)
    before = CODEC.encode(model)
    model.predict_proba(make_input(make_rows(), feature_blocks))

    assert before == CODEC.encode(model)


@KINDS
def test_decoded_model_gives_equal_bytes(feature_blocks):
    """A copy of a copy gives the same file."""
    data = CODEC.encode(train(feature_blocks))

    assert data == CODEC.encode(CODEC.decode(data))


@KINDS
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_decoded_model_predicts_the_same(feature_blocks, estimator):
    """The predictions are bitwise equal."""
    model, X = train(feature_blocks, estimator), make_input(make_rows(), feature_blocks)
    decoded = CODEC.decode(CODEC.encode(model))

    assert model.predict_proba(X).tolist() == decoded.predict_proba(X).tolist()


def test_encoded_model_is_read_by_joblib(tmp_path):
    """A consumer needs no code of this package."""
    path = tmp_path / "model.joblib"
    path.write_bytes(CODEC.encode(train(("text",))))

    assert ["a", "b", "c"] == joblib.load(path).classes_.tolist()


@KINDS
def test_encoded_model_does_not_name_this_package(feature_blocks):
    """The file refers to none of its classes."""
    assert b"job.stages" not in CODEC.encode(train(feature_blocks))


@KINDS
def test_model_of_another_scikit_learn_is_refused(feature_blocks):
    """Its predictions may differ; the message names both versions."""
    data = change_version(CODEC.encode(train(feature_blocks)))

    with pytest.raises(
        IncompatibleModelError, match=rf"scikit-learn 0+, but {sklearn.__version__}"
    ):
        CODEC.decode(data)


def test_model_of_a_class_that_is_gone_is_refused():
    """An upgrade may leave such files; this is found before any version is read."""
    data = CODEC.encode(train(("embeddings",))).replace(
        b"preprocessing._data", b"preprocessing._gone"
    )

    with pytest.raises(IncompatibleModelError, match="_gone"):
        CODEC.decode(data)


def test_filters_of_warnings_are_as_before():
    """The codec filters warnings only while it reads."""
    before = list(warnings.filters)
    with pytest.raises(IncompatibleModelError):
        CODEC.decode(change_version(CODEC.encode(train(("embeddings",)))))

    assert before == list(warnings.filters)


class Warner:
    """An object that warns when it is read."""

    def __setstate__(self, state):
        warnings.warn("of something else", FutureWarning, stacklevel=1)


def test_other_warnings_are_left_to_the_reader():
    """Only another version is an error."""
    warner = Warner()
    warner.state = 1

    with pytest.warns(FutureWarning, match="of something else"):
        CODEC.decode(CODEC.encode(warner))
