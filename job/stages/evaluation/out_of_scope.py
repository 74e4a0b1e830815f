"""Evaluate the published model on out-of-scope requests, which belong to none of its classes.

A classifier always predicts one of its classes, even for small talk, spam or another language.  A
consumer would answer the requests that are predicted with enough confidence.  The share of these
requests is measured.  The model also predicts the empty request, which a consumer may send by
mistake.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import structlog

from job.contracts.arrays import Array
from job.contracts.dataset import Column, Dataset, Rows
from job.contracts.matrix_rows import MatrixRows
from job.contracts.reports.decision_threshold import Decision
from job.contracts.reports.intervals import Interval
from job.contracts.reports.out_of_scope import EmptyRequest, OutOfScope, OutOfScopeRequests
from job.contracts.reports.part import round_published
from job.contracts.settings.search import FeatureBlocks
from job.stages.data.rows import make_rows
from job.stages.metrics.confidence_bounds import jeffreys_bounds
from job.stages.metrics.group_sums import effective_groups
from job.stages.metrics.predictions import Predictions

log = structlog.get_logger(__name__)
NO_CLASS = ""


def make_unlabelled_rows(dataset: Dataset, feature_blocks: FeatureBlocks, *, target: str) -> Rows:
    """Return all rows of a table without reading their labels; each row gets `NO_CLASS` instead.

    Parameters
    ----------
    target
        Name of the label column.
    """
    labels = np.full(dataset.n_rows, NO_CLASS, dtype=object)
    column = Column(name=target, role="target", kind="string", values=labels)
    others = dataset.without("target").columns
    return make_rows(
        replace(dataset, columns=(column, *others)), np.ones(dataset.n_rows, bool), feature_blocks
    )


def make_empty_request(rows: Rows) -> Rows:
    """Return one request without content, with the same columns as `rows`.

    Its text is empty, its embedding consists of zeros, and all metadata are missing.

    Parameters
    ----------
    rows
        At least one row, with only the feature blocks that the model takes.
    """
    request = rows.take(np.array([0]))
    embeddings = None
    if request.embeddings is not None:
        zeros = np.zeros((1, request.embeddings.shape[1]), np.float32)
        embeddings = MatrixRows(zeros, np.array([0]))
    return replace(
        request,
        y=np.array([NO_CLASS], dtype=object),
        text=None if request.text is None else np.array([""], dtype=object),
        embeddings=embeddings,
        frame=request.frame.mask(np.ones(request.frame.shape, bool)),
    )


def measure_out_of_scope(
    empty: Predictions,
    predictions: Predictions | None,
    groups: Array | None,
    *,
    decision: Decision | None,
    confidence: float,
) -> OutOfScope:
    """Count how many out-of-scope requests the model would answer, for evaluation.json.

    Parameters
    ----------
    empty
        The published model's prediction of the empty request.
    predictions, groups
        The model's predictions of the out-of-scope set, and the group id of each row, shape
        (n_rows,); both None if there is no set.
    decision
        The decision threshold with its coverage and precision; None if there is no threshold.
    confidence
        Confidence level of the interval.
    """
    threshold = None if decision is None else decision.threshold
    min_confidence = 0.0 if threshold is None else threshold
    empty_confidence = float(empty.proba.max())
    empty_report = EmptyRequest(
        predicted=empty.classes[int(empty.y_pred[0])],
        confidence=empty_confidence,
        is_answered=empty_confidence >= min_confidence,
    )
    requests = None
    if predictions is not None and groups is not None:
        requests = _measure_requests(predictions, groups, min_confidence, confidence)
    report = OutOfScope(threshold=threshold, empty=empty_report, requests=requests)
    _log(report)
    return report


def _log(report: OutOfScope) -> None:
    requests = report.requests
    log.info(
        "out_of_scope_judged",
        threshold=report.threshold,
        is_empty_answered=report.empty.is_answered,
        n_rows=None if requests is None else requests.n_rows,
        n_answered=None if requests is None else requests.n_answered,
        median_confidence=None if requests is None else round_published(requests.median_confidence),
    )


def _measure_requests(
    predictions: Predictions, groups: Array, min_confidence: float, level: float
) -> OutOfScopeRequests:
    """Return how many out-of-scope requests are answered, and with which confidence and class.

    The share of answered requests has Jeffreys' interval, with the effective number of groups
    as the number of trials.

    Parameters
    ----------
    min_confidence
        Requests with at least this confidence are answered.
    level
        Confidence level of the interval.
    """
    confidence = predictions.proba.max(axis=1)
    is_answered = confidence >= min_confidence
    share = float(is_answered.mean())
    n_effective = np.array([effective_groups(groups)])
    low, high = jeffreys_bounds(np.array([share]), n_effective, (1 - level) / 2)
    counts = np.bincount(predictions.y_pred, minlength=len(predictions.classes))
    return OutOfScopeRequests(
        n_rows=len(confidence),
        n_groups=len(np.unique(groups)),
        n_answered=int(is_answered.sum()),
        answered=Interval(value=share, lower=float(low[0]), upper=float(high[0])),
        level=level,
        median_confidence=float(np.median(confidence)),
        predicted={
            name: int(n) for name, n in zip(predictions.classes, counts, strict=True) if n > 0
        },
    )
