"""Requests that belong to no class are predicted without labels, and counted by the threshold."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from support.datasets import table_of
from support.rows import rows_of_embeddings, rows_of_texts

from job.contracts.dataset import Column
from job.contracts.reports.decision_threshold import Decision
from job.contracts.reports.out_of_scope import EmptyRequest
from job.contracts.settings.dataset import ColumnsSpec
from job.contracts.settings.features import FeatureSpec
from job.stages.evaluation.out_of_scope import (
    NO_CLASS,
    make_empty_request,
    make_unlabelled_rows,
    measure_out_of_scope,
)
from job.stages.features.preprocessing import make_input, make_preprocessing
from job.stages.metrics.predictions import Predictions

CLASSES = (NO_CLASS, "a", "b")


def answer(confidence, taken):
    """Return predictions of a model that knows `a` and `b`; no row has either label."""
    column = np.array([CLASSES.index(name) - 1 for name in taken])
    proba = 1 - np.repeat(np.array(confidence)[:, None], 2, axis=1)
    proba[np.arange(len(column)), column] = confidence
    return Predictions(
        classes=CLASSES,
        y_true=np.zeros(len(column), int),
        proba=proba,
        model_classes=np.array([1, 2]),
    )


def decide_at(threshold):
    return Decision(
        status="not_needed" if threshold is None else "chosen",
        target_precision=0.95,
        threshold=threshold,
        n_chosen_on=0,
        n_groups_chosen_on=0,
        n_answered=0,
        coverage=None,
        precision=None,
    )


def measure(confidence, taken, *, threshold=0.8, groups=None):
    groups = np.arange(len(confidence)) if groups is None else np.array(groups)
    part = measure_out_of_scope(
        answer([0.6], "b"),
        answer(confidence, taken),
        groups,
        decision=decide_at(threshold),
        confidence=0.95,
    )
    return part


def test_rows_at_or_above_the_threshold_are_answered():
    """Classes are counted for all rows, answered or not."""
    part = measure([0.8, 0.79, 0.95, 0.55], "abbb")
    requests = part.requests

    assert (4, 4, 2, 0.795) == (
        requests.n_rows,
        requests.n_groups,
        requests.n_answered,
        requests.median_confidence,
    )
    assert {"a": 1, "b": 3} == requests.predicted
    assert requests.answered.lower < 0.5 == requests.answered.value
    assert EmptyRequest(predicted="b", confidence=0.6, is_answered=False) == part.empty


@pytest.mark.parametrize("decision", [None, decide_at(None)])
def test_everything_is_answered_where_no_threshold_is_published(decision):
    part = measure_out_of_scope(
        answer([0.6], "a"),
        answer([0.51, 0.9], "ab"),
        np.arange(2),
        decision=decision,
        confidence=0.95,
    )

    assert (None, True, 2) == (
        part.threshold,
        part.empty.is_answered,
        part.requests.n_answered,
    )


def test_empty_request_alone_is_judged_without_a_set():
    part = measure_out_of_scope(
        answer([0.9], "a"), None, None, decision=decide_at(0.8), confidence=0.95
    )

    assert part.requests is None
    assert part.empty.is_answered


def test_copies_of_a_request_make_the_interval_no_narrower():
    """The number of trials is the number of groups."""
    alone = measure([0.9, 0.5], "ab").requests
    copied = measure([0.9, 0.5] * 50, "ab" * 50, groups=[0, 1] * 50).requests

    assert alone.answered == copied.answered
    assert (100, 2) == (copied.n_rows, copied.n_groups)


@pytest.mark.parametrize("labels", [None, ("canary", None)])
def test_labels_of_the_set_are_not_read(labels):
    """The set may have a label column with any content."""
    text = Column(
        name="text", role="text", kind="string", values=np.array(["Hi!", "hi"], dtype=object)
    )
    target = Column(
        name="intent", role="target", kind="string", values=np.array(labels, dtype=object)
    )
    table = table_of([text] if labels is None else [target, text])
    rows = make_unlabelled_rows(table, ("text",), target="intent")

    assert [NO_CLASS, NO_CLASS] == rows.y.tolist()
    assert ["Hi!", "hi"] == rows.text.tolist()
    assert 1 == len(np.unique(rows.groups))


def test_empty_request_has_zeros_for_an_embedding():
    X = make_input(make_empty_request(rows_of_embeddings(np.ones((3, 4)))), ("embeddings",))

    assert (1, 4) == X.shape
    assert not X.any()


def test_empty_request_has_a_text_without_characters():
    rows = rows_of_texts(["delete it", "stop it"])
    rows = replace(rows, text=np.array(["delete it", "stop it"], dtype=object))

    assert [""] == make_input(make_empty_request(rows), ("text",))


def test_empty_request_lacks_all_metadata():
    """The preprocessing accepts it, and all kinds of columns are missing."""
    frame = pd.DataFrame(
        {
            "length": np.array([4.0, 9.0], np.float32),
            "is_new": np.array([1.0, 0.0], np.float32),
            "source": np.array(["web", "app"], dtype=object),
        }
    )
    rows = replace(rows_of_embeddings(np.eye(2, 3)), frame=frame)
    feature_blocks = ("embeddings", "numeric", "categorical", "boolean")
    columns = ColumnsSpec(numeric=("length",), boolean=("is_new",), categorical=("source",))
    steps = make_preprocessing(rows, FeatureSpec(use=feature_blocks, min_groups=1), columns, None)
    X = make_input(make_empty_request(rows), feature_blocks)
    transformed = steps.fit(make_input(rows, feature_blocks)).transform(X)

    assert X[["length", "is_new", "source"]].isna().all(axis=None)
    assert frame.dtypes.to_dict() == X[[*frame.columns]].dtypes.to_dict()
    assert np.isfinite(transformed).all()
