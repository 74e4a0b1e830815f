"""Compare the plain form of a model with the fitted pipeline, before the model is published.

How it works
------------
1. The bytes of `model.safetensors` are read as the gate will read them.
2. The form and the pipeline predict the hold-out.  Unless the model is constant, they also predict
   hard rows (`hard_rows`).
3. If a probability differs by more than `TOLERANCE`, the form is refused.  Rows whose two best
   probabilities are as close as that are counted as ties: their predicted class may differ.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import structlog

from job.contracts.arrays import Array
from job.contracts.dataset import Rows
from job.contracts.model import Classifier, TrainedModel
from job.contracts.reports.plain_form import PlainFormProof
from job.contracts.version_files import PLAIN_MODEL_FILE
from job.errors import TrainingError
from job.model_form.head_forms import ConstantHead
from job.model_form.model import PlainModel
from job.stages.metrics.predictions import predict
from job.stages.packaging.plain_form.hard_rows import make_hard_rows

log = structlog.get_logger(__name__)
TOLERANCE: Final = 1e-9


def prove_form(data: bytes, model: TrainedModel, rows: Rows) -> PlainFormProof:
    """Compare the plain form in `data` with the fitted pipeline on `rows` and on hard rows.

    Raises
    ------
    TrainingError
        A probability differs by more than `TOLERANCE`, or the classes of the two models differ.
    """
    plain = PlainModel.read(data, PLAIN_MODEL_FILE)
    is_constant = isinstance(plain.form.head, ConstantHead)
    hard = None if is_constant else make_hard_rows(plain.form)
    ours, theirs = (_predict_all(m, model, rows, hard) for m in (plain, model.pipeline))
    difference = float(np.abs(ours - theirs).max(initial=0.0))
    log.info("plain_form_compared", n_rows=len(ours), largest_difference=difference)
    if list(plain.classes_) != list(model.pipeline.classes_) or not difference <= TOLERANCE:
        raise TrainingError(
            f"{PLAIN_MODEL_FILE} does not predict the same as the fitted model: a probability "
            f"differs by {difference:.1e}; allowed: {TOLERANCE:.0e}",
            hint="this is a bug of pcc-job: report it with the estimator, the feature blocks and "
            "the versions in the run's record",
        )
    return PlainFormProof(
        n_rows=len(rows),
        n_hard_rows=len(ours) - len(rows),
        n_ties=int(_are_ties(theirs).sum()),
        n_crossed=_count_crossed(ours, theirs, plain.form.decision_threshold),
        largest_difference=difference,
    )


def _predict_all(classifier: Classifier, model: TrainedModel, rows: Rows, hard: Any) -> Array:
    """Return the probabilities of all rows, then those of the hard rows, if there are any."""
    proba: Array = predict(classifier, rows, model.feature_blocks).proba
    return proba if hard is None else np.concatenate([proba, classifier.predict_proba(hard)])


def _are_ties(proba: Array) -> Array:
    """Return a mask of the rows whose two best probabilities are equal, within the tolerance."""
    if proba.shape[1] < 2:
        return np.zeros(len(proba), np.bool_)
    second, best = np.partition(proba, -2, axis=1)[:, -2:].T
    are_close: Array = best - second <= TOLERANCE
    return are_close


def _count_crossed(ours: Array, theirs: Array, threshold: float | None) -> int:
    """Return the number of rows that only one of the two models answers."""
    if threshold is None:
        return 0
    return int(((ours.max(axis=1) >= threshold) != (theirs.max(axis=1) >= threshold)).sum())
