"""A metric has one definition: every stage that needs metrics finds a new one in the table."""

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.metrics import cohen_kappa_score
from support.evaluations import make_whole_evaluation
from support.simulated import bootstrap_of, draw, predictions

from job.adapters.rendering.formatting import metric_name
from job.adapters.rendering.sections.scores import SECTION
from job.contracts.metric_kinds import LabelMetric, RowMetric, WholeMetric
from job.contracts.metrics import METRICS
from job.contracts.reports.search import SearchedLabels
from job.contracts.settings.evaluation import EvaluationSpec
from job.contracts.settings.gate import ChallengeFloorsSpec, FloorsSpec, PairedSpec
from job.contracts.settings.job_settings import JobSettings
from job.contracts.settings.search import SearchSpec
from job.errors import ConfigurationError
from job.settings import load_settings
from job.stages.evaluation.evaluate import evaluate_predictions
from job.stages.evaluation.intervals import compute_intervals
from job.stages.gate.paired_bootstrap import compare_pair
from job.stages.training.search.choice import choose

SPEC = EvaluationSpec(resamples=1000)


def _kappa(counts):
    observed = counts.hits.sum(axis=1) / counts.n_rows
    expected = (counts.support * counts.predicted).sum(axis=1) / counts.n_rows**2
    return (observed - expected) / (1 - expected)


KAPPA = LabelMetric(
    name="cohen_kappa", title="Cohen's kappa", function=_kappa, minimum=-1.0, is_share=False
)
CONFIDENCE = RowMetric(
    name="mean_confidence", title="Mean confidence", function=lambda rows: rows.proba.max(axis=1)
)
SMALLEST = WholeMetric(
    name="smallest_proba", title="Smallest", function=lambda rows: float(rows.proba.min())
)


@pytest.fixture
def added(monkeypatch):
    for metric in (KAPPA, CONFIDENCE, SMALLEST):
        monkeypatch.setitem(METRICS, metric.name, metric)


@pytest.fixture
def drawn():
    return draw(400, np.random.default_rng(0), is_uneven=False)


@pytest.mark.usefixtures("added")
@pytest.mark.parametrize("seed", range(20))
def test_scores_are_within_the_stated_range(seed):
    """From `minimum` to 1 for metrics of labels, and from 0 to 1 for shares, however wrong."""
    rng = np.random.default_rng(seed)
    y_true = rng.integers(0, 4, 40)
    y_pred = np.where(rng.random(40) < seed / 20, y_true, (y_true + rng.integers(1, 4, 40)) % 4)
    scores = evaluate_predictions(predictions(y_true, y_pred)).scores

    for name, metric in METRICS.items():
        if isinstance(metric, LabelMetric):
            assert metric.minimum <= scores[name] <= 1
        if metric.is_share:
            assert 0 <= scores[name] <= 1


@pytest.mark.usefixtures("added")
def test_search_chooses_by_an_added_metric():
    """By accuracy, the model that never predicts the rare class wins; by kappa, the other one."""
    y = np.tile(np.repeat([0, 1], [90, 10]), 3)
    balanced = np.where(np.arange(300) % 100 < 12, 1 - y, y)
    labels = SearchedLabels(
        n_classes=2,
        y_true=y,
        y_pred=np.stack([np.zeros(300), balanced]).astype(np.int16),
        fold=np.repeat([0, 1, 2], 100).astype(np.int16),
    )
    groups = np.arange(300)

    assert 0 == choose(labels, [0, 1], METRICS["accuracy"], groups)
    assert 1 == choose(labels, [0, 1], SearchSpec(metric="cohen_kappa").metric, groups)


@pytest.mark.usefixtures("added")
def test_evaluation_has_an_added_metric_with_its_interval(drawn):
    """A metric that cannot be resampled has only a score."""
    groups, predicted = drawn
    scores = evaluate_predictions(predicted).scores
    kappa = cohen_kappa_score(predicted.y_true, predicted.y_pred)
    intervals = compute_intervals(predicted, bootstrap_of(predicted, groups, SPEC, 0)).scores

    assert pytest.approx(kappa, abs=1e-6) == scores["cohen_kappa"]
    assert pytest.approx(kappa) == intervals["cohen_kappa"].value
    assert intervals["cohen_kappa"].lower < kappa < intervals["cohen_kappa"].upper
    assert {"mean_confidence", "smallest_proba"} <= scores.keys()
    assert "mean_confidence" in intervals and "smallest_proba" not in intervals


@pytest.mark.usefixtures("added")
def test_interval_of_a_metric_below_zero(drawn):
    """Jeffreys' interval of a cross-fitted score and the bound by count extend down to -1."""
    groups, predicted = drawn
    wrong = predictions(predicted.y_true, (predicted.y_true + 1) % 4)
    cross_fitted = compute_intervals(
        wrong, bootstrap_of(wrong, groups, SPEC, 0), is_cross_fitted=True
    ).scores
    few = compute_intervals(
        wrong.take(groups < 4), bootstrap_of(wrong.take(groups < 4), groups[groups < 4], SPEC, 0)
    ).scores

    for interval in (cross_fitted["cohen_kappa"], few["cohen_kappa"]):
        assert -1 <= interval.lower <= interval.value < 0 <= interval.upper + 1


@pytest.mark.usefixtures("added")
@pytest.mark.parametrize("name", ["cohen_kappa", "mean_confidence"])
def test_gate_compares_by_an_added_metric(name, drawn):
    """The scores of both models are those of the metric, not of another one."""
    groups, candidate = drawn
    y = candidate.y_true
    champion = predictions(y, np.where(groups % 3 == 0, (y + 1) % 4, candidate.y_pred))
    spec = PairedSpec(metric=name, alpha=0.05, resamples=1000, random_state=0)
    difference = compare_pair(champion, candidate, groups, spec)
    scores = [evaluate_predictions(model).scores[name] for model in (champion, candidate)]

    assert pytest.approx(scores, abs=1e-6) == [
        difference.champion_score,
        difference.candidate_score,
    ]
    assert difference.interval.lower <= difference.interval.value <= difference.interval.upper


@pytest.mark.usefixtures("added")
def test_report_shows_an_added_metric_with_its_title(drawn):
    """The section of scores reads it from the evaluation."""
    scores = evaluate_predictions(drawn[1])
    evaluation = make_whole_evaluation().copy_with(**scores.fields())
    rows = SECTION.values({}, evaluation)["rows"]

    assert "Cohen's kappa" in [metric_name(row["row"].key) for row in rows]


@pytest.mark.usefixtures("added")
def test_schema_lists_what_can_choose_a_candidate():
    """An added metric is listed; a metric that the gate cannot compare is not."""
    names = JobSettings.model_json_schema()["$defs"]["Metric"]["enum"]

    assert "cohen_kappa" in names
    assert not {"smallest_proba", "pr_auc_ovr", "log_loss"} & set(names)


@pytest.mark.usefixtures("added")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("smallest_proba", "the gate has no interval to compare"),
        ("calibration_error", "the gate has no interval to compare"),
        ("log_loss", "lower values are better"),
        ("cohen_kapa", "did you mean 'cohen_kappa'?"),
    ],
)
def test_metric_that_cannot_be_compared_is_refused_by_name(name, words):
    """The message lists the valid metrics, before anything is read or trained."""
    with pytest.raises(ConfigurationError) as caught:
        load_settings(None, {}, [("search.metric", "--set search.metric", name)])

    assert f"'{name}'" in str(caught.value)
    assert words in str(caught.value)
    assert "'cohen_kappa'" in str(caught.value)


def test_comparison_refuses_what_it_cannot_compare(drawn):
    """Even without the settings' check, it does not compare by another metric."""
    groups, predicted = drawn
    spec = PairedSpec.model_construct(
        metric=METRICS["pr_auc_ovr"], alpha=0.05, resamples=1000, random_state=0
    )

    with pytest.raises(TypeError, match="pr_auc_ovr"):
        compare_pair(predicted, predicted, groups, spec)
    with pytest.raises(ValidationError, match="pr_auc_ovr"):
        PairedSpec(metric="pr_auc_ovr", alpha=0.05, resamples=1000, random_state=0)


def test_negative_is_that_of_a_loss_with_an_interval():
    """Its score and interval are those of the loss with the opposite sign."""
    negatives = [m for m in METRICS.values() if isinstance(m, RowMetric) and m.negates is not None]

    assert negatives
    for metric in negatives:
        loss = METRICS[metric.negates]
        assert isinstance(loss, RowMetric)
        assert ("lower", None) == (loss.direction, loss.negates)


@pytest.mark.parametrize("spec", [FloorsSpec, ChallengeFloorsSpec])
def test_floors_are_of_metrics(spec):
    """Each floor has the name of a metric that is better when higher."""
    assert all(not METRICS[name].objection for name in spec.model_fields)
