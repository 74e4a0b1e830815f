"""What the published model says of requests that belong to none of its classes.

A classifier always answers with one of its classes. How many of such requests it is sure of shows
what a consumer would answer to small talk, to spam or to another language; the empty request is
what a consumer sends by mistake.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import structlog

from job.contracts.dataset import Column, Dataset, MatrixRows, Rows
from job.contracts.reports.intervals import Interval
from job.contracts.settings.search import FeatureBlocks
from job.stages.data.leakage_keys import make_rows
from job.stages.metrics.confidence_bounds import share_ends
from job.stages.metrics.group_bootstrap import effective_groups
from job.stages.metrics.predictions import Predictions

log = structlog.get_logger(__name__)
Array = np.ndarray[Any, Any]
NO_CLASS = ""


def make_unlabelled_rows(dataset: Dataset, feature_blocks: FeatureBlocks, *, target: str) -> Rows:
    """Return all rows of a table, each with the label `NO_CLASS`, whatever the table says.

    Parameters
    ----------
    target
        Name of the column of labels.
    """
    labels = np.full(dataset.n_rows, NO_CLASS, dtype=object)
    column = Column(name=target, role="target", kind="string", values=labels)
    others = dataset.without("target").columns
    return make_rows(
        replace(dataset, columns=(column, *others)), np.ones(dataset.n_rows, bool), feature_blocks
    )


def make_empty_request(rows: Rows) -> Rows:
    """Return one request without content, of the same input as these rows.

    Its text has no characters, its embedding is zeros, and all metadata are missing.

    Parameters
    ----------
    rows
        One or more, restricted to the input of the model.
    """
    one = rows.take(np.array([0]))
    embeddings = None
    if one.embeddings is not None:
        zeros = np.zeros((1, one.embeddings.shape[1]), np.float32)
        embeddings = MatrixRows(zeros, np.array([0]))
    return replace(
        one,
        y=np.array([NO_CLASS], dtype=object),
        text=None if one.text is None else np.array([""], dtype=object),
        embeddings=embeddings,
        frame=one.frame.mask(np.ones(one.frame.shape, bool)),
    )


def measure_out_of_scope(
    empty: Predictions,
    found: Predictions | None,
    groups: Array | None,
    *,
    decision: Mapping[str, Any] | None,
    confidence: float,
) -> dict[str, Any]:
    """Return the part `out_of_scope` of evaluation.json.

    Parameters
    ----------
    empty
        The published model's prediction of the empty request.
    found, groups
        Its predictions of the out-of-scope set, and the group of each row, shape (n_rows,); None
        without a set.
    decision
        The part `decision` of evaluation.json.
    confidence
        Level of the interval.
    """
    threshold = None if decision is None else decision["threshold"]
    least = 0.0 if threshold is None else threshold
    sure = float(empty.proba.max())
    of_empty = {
        "predicted": empty.classes[int(empty.y_pred[0])],
        "confidence": round(sure, 6),
        "is_answered": sure >= least,
    }
    requests = None
    if found is not None and groups is not None:
        requests = _measure_requests(found, groups, least, confidence)
    told = ("n_rows", "n_answered", "median_confidence")
    log.info(
        "out_of_scope_judged",
        threshold=threshold,
        is_empty_answered=of_empty["is_answered"],
        **{name: (requests or {}).get(name) for name in told},
    )
    return {"threshold": threshold, "empty": of_empty, "requests": requests}


def _measure_requests(
    found: Predictions, groups: Array, least: float, confidence: float
) -> dict[str, Any]:
    """Return what the model says of the out-of-scope set.

    The interval is Jeffreys', of as many trials as there are effective groups.

    Parameters
    ----------
    least
        Confidence from which on a request is answered.
    """
    sure = found.proba.max(axis=1)
    is_answered = sure >= least
    share = float(is_answered.mean())
    n_effective = np.array([effective_groups(groups)])
    low, high = share_ends(np.array([share]), n_effective, (1 - confidence) / 2)
    counts = np.bincount(found.y_pred, minlength=len(found.classes))
    return {
        "n_rows": len(sure),
        "n_groups": len(np.unique(groups)),
        "n_answered": int(is_answered.sum()),
        "answered": Interval(value=share, lower=float(low[0]), upper=float(high[0])).to_json(),
        "level": confidence,
        "median_confidence": round(float(np.median(sure)), 6),
        "predicted": {name: int(n) for name, n in zip(found.classes, counts, strict=True) if n > 0},
    }
