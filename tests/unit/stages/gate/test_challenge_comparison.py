"""Published models are compared on the challenge set, and only a shown drop rejects."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from support.evaluations import make_evaluation, make_whole_evaluation
from support.lineage import KEY, describe, trace_training
from support.metadata import make_metadata
from support.trained_models import encode_models

from job.adapters.codecs.canonical_joblib import JoblibCodec
from job.contracts.dataset import Rows
from job.contracts.matrix_rows import MatrixRows
from job.contracts.metrics import METRICS
from job.contracts.model import TrainedModel
from job.contracts.reports.comparison import Comparison
from job.contracts.reports.intervals import Interval
from job.contracts.reports.validation import ValidationReport
from job.contracts.settings.dataset import ColumnsSpec
from job.contracts.settings.features import FeatureSpec
from job.contracts.settings.gate import GateSpec, PairedSpec
from job.contracts.settings.job_settings import TrainingSpec
from job.contracts.settings.search import SearchSpec
from job.registry.champion import PublishedVersion
from job.stages.features.preprocessing import make_unit_rows
from job.stages.gate.challenge_comparison import compare_on_challenge, judge_challenge
from job.stages.gate.criteria import decide
from job.stages.gate.held_out_comparison import ComparedModel, ComparisonSpec
from job.stages.packaging.bundle import make_bundle
from job.stages.packaging.metadata import describe_input

USE = ("embeddings",)


class NoPages:
    """A renderer without pages."""

    def render(self, metadata, evaluation, validation=None):
        return {}


def make_requests(start, stop, *, prefix="text", width=3):
    """Return requests whose first number determines the class; each is its own group."""
    positions = np.arange(start, stop)
    matrix = np.zeros((len(positions), width), np.float32)
    matrix[:, 0] = np.where(positions % 2, 1, -1)
    keys = np.array([f"{prefix}:{n}" for n in positions], dtype=object)
    return Rows(
        y=np.where(positions % 2, "odd", "even").astype(object),
        leakage_keys=keys,
        text_keys=keys,
        text=None,
        embeddings=MatrixRows(matrix, np.arange(len(matrix))),
        frame=pd.DataFrame(index=range(len(positions))),
        near_duplicate_groups=positions.astype(np.int64),
    )


def fit(rows, *, is_wrong=False):
    """Fit a pipeline that is always right, or always wrong."""
    y = rows.y.astype(str)
    if is_wrong:
        y = np.where(y == "odd", "even", "odd")
    steps = [("preprocess", make_unit_rows()), ("classifier", LogisticRegression())]
    return Pipeline(steps).fit(rows.embeddings.read(), y)


def make_champion(rows, *, is_wrong=False, **more):
    stated = {"input": describe_input(rows, USE), "embedding_model": "ours", **more}
    lineage = trace_training(rows)
    metadata = make_metadata(lineage=describe(lineage), **stated)
    models = encode_models(fit(rows, is_wrong=is_wrong), rows)
    files = make_bundle(
        models,
        metadata,
        make_whole_evaluation(),
        ValidationReport.of("s", (), n_rows=0, n_dropped=0, dropped_by_rule={}),
        NoPages(),
    )
    return PublishedVersion(version="v1", files=files, lineage=lineage, key=KEY)


def compare(champion, requests, *, is_wrong=False):
    model = TrainedModel(
        estimator="logistic_regression",
        parameters=(),
        feature_blocks=USE,
        pipeline=fit(make_requests(0, 31), is_wrong=is_wrong),
        baselines=(),
    )
    spec = TrainingSpec(
        search=SearchSpec(metric=METRICS["accuracy"]),
        features=FeatureSpec(use=USE),
        columns=ColumnsSpec(),
        random_state=0,
    )
    paired = PairedSpec(metric=METRICS["accuracy"], alpha=0.05, resamples=1000, random_state=0)
    return compare_on_challenge(
        champion,
        ComparedModel(
            model=model, payload=JoblibCodec().encode(model.pipeline), embedding_model="ours"
        ),
        requests,
        ComparisonSpec(training=spec, paired=paired),
    )


def make_comparison(lower, upper, **more):
    return Comparison(
        role="champion",
        version="v1",
        metric="accuracy",
        basis="challenge",
        n_rows=64,
        champion_score=0.8,
        candidate_score=0.8 + (lower + upper) / 2,
        difference=Interval(value=(lower + upper) / 2, lower=lower, upper=upper),
        **more,
    )


def test_requests_that_the_champion_was_trained_on_are_left_out():
    """An older champion may have been trained on some of them."""
    comparison = compare(make_champion(make_requests(0, 20)), make_requests(10, 74))

    assert ("challenge", 54, 10) == (comparison.basis, comparison.n_rows, comparison.n_excluded)
    assert 0 == comparison.difference.value


@pytest.mark.parametrize(("is_wrong", "drop"), [(True, -1.0), (False, 1.0)])
def test_difference_is_of_both_models_on_the_same_requests(is_wrong, drop):
    champion = make_champion(make_requests(100, 140), is_wrong=not is_wrong)
    comparison = compare(champion, make_requests(0, 64), is_wrong=is_wrong)

    assert drop == comparison.difference.value
    assert comparison.candidate_score - comparison.champion_score == drop


@pytest.mark.parametrize(
    ("champion", "requests", "words"),
    [
        (
            make_requests(100, 140, width=4),
            make_requests(0, 64),
            "takes an input that the challenge set does not have",
        ),
        (make_requests(0, 40), make_requests(0, 64), "24 requests in 24 groups"),
    ],
)
def test_champion_that_cannot_be_compared_is_reported(champion, requests, words):
    """It never rejects: another criterion compares the models on the table."""
    comparison = compare(make_champion(champion), requests)
    criterion = judge_challenge(comparison, GateSpec())

    assert comparison.difference is None
    assert words in criterion.reason
    assert (False, False) == (criterion.is_met, criterion.is_binding)


def test_champion_of_other_embeddings_is_reported():
    champion = make_champion(make_requests(100, 140), embedding_model="theirs")

    assert "a different model" in compare(champion, make_requests(0, 64)).problem


def test_set_without_texts_is_compared_with_a_champion_of_texts():
    """Its training keys show nothing about the set, which is kept out of every table."""
    champion = make_champion(make_requests(0, 40), training_keys_of="text")
    comparison = compare(champion, make_requests(0, 64, prefix="embedding"))

    assert (64, 0, "") == (comparison.n_rows, comparison.n_excluded, comparison.problem)


@pytest.mark.parametrize(
    ("lower", "upper", "is_met"), [(-0.2, -0.01, False), (-0.2, 0.0, True), (0.01, 0.2, True)]
)
def test_only_a_shown_drop_rejects(lower, upper, is_met):
    """The complete interval must be below 0; a small set can show little else."""
    criterion = judge_challenge(make_comparison(lower, upper), GateSpec())

    assert ("challenge_champion", is_met, True) == (
        criterion.name,
        criterion.is_met,
        criterion.is_binding,
    )


def test_comparison_on_the_set_says_nothing_about_the_table():
    """The gate's power is that of the comparison on the table's rows."""
    names = ("accuracy", "precision_macro", "recall_macro", "f1_macro")
    evaluation = make_evaluation(dict.fromkeys(names, 1.0), {})
    comparison = make_comparison(-0.1, 0.1).copy_with(standard_error=0.05)
    decision = decide(evaluation, 1, (comparison,), GateSpec())

    assert decision.can_show is None
    assert decision.is_accepted
