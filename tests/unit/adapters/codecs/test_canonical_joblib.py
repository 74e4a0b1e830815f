"""A model as bytes: equal models give equal bytes, which joblib reads."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import joblib
import pytest
from support import trained_models
from support.trained_models import make_rows

from job.adapters.codecs.canonical_joblib import JoblibCodec
from job.stages.features.preprocessing import make_input

CODEC = JoblibCodec()
ESTIMATORS = ("linear_svc", "logistic_regression")
USES = (("embeddings",), ("text",), ("text", "numeric", "categorical", "boolean"))
KINDS = pytest.mark.parametrize("feature_blocks", USES, ids="+".join)


def train(feature_blocks, estimator="logistic_regression"):
    return trained_models.train(feature_blocks, estimator).pipeline


def digest_all():
    """Return the digests of the bytes of all kinds of pipelines, trained in this process."""
    payloads = [
        CODEC.encode(train(feature_blocks, name)) for feature_blocks in USES for name in ESTIMATORS
    ]
    return [hashlib.sha256(data).hexdigest() for data in payloads]


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
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_model_of_joblib_predicts_the_same_and_gives_equal_bytes(
    feature_blocks, estimator, tmp_path
):
    """The predictions are bitwise equal, and a copy of a copy gives the same file."""
    model, X = train(feature_blocks, estimator), make_input(make_rows(), feature_blocks)
    path = tmp_path / "model.joblib"
    path.write_bytes(CODEC.encode(model))
    decoded = joblib.load(path)

    assert model.predict_proba(X).tolist() == decoded.predict_proba(X).tolist()
    assert path.read_bytes() == CODEC.encode(decoded)


def test_encoded_model_is_read_by_joblib(tmp_path):
    """A consumer needs no code of this package."""
    path = tmp_path / "model.joblib"
    path.write_bytes(CODEC.encode(train(("text",))))

    assert ["a", "b", "c"] == joblib.load(path).classes_.tolist()


@KINDS
def test_encoded_model_does_not_name_this_package(feature_blocks):
    """The file refers to none of its classes."""
    assert b"job.stages" not in CODEC.encode(train(feature_blocks))
