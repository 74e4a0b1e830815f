"""Intervals have their nominal coverage, and are marked if resamples cannot determine them."""

from collections import Counter

import numpy as np
import pytest
from sklearn import metrics
from support.simulated import RECALLS, SHARES, bootstrap_of, draw, predictions

from benchmarks.intervals import find_violations
from benchmarks.small_classes import measure_coverage
from job.contracts.settings.evaluation import EvaluationSpec
from job.stages.evaluation.evaluate import evaluate_predictions
from job.stages.evaluation.intervals import compute_intervals, compute_label_intervals
from job.stages.metrics.group_bootstrap import GroupBootstrap
from job.stages.metrics.predictions import Predictions
from job.stages.metrics.row_metrics import (
    KnownRows,
    brier_losses,
    calibration_error,
    log_losses,
)

SPEC = EvaluationSpec(resamples=1000)
N_DRAWS = 400


def true_scores():
    """Return accuracy and macro F1 of the simulated worlds; wrong rows go to the next class."""
    hits, wrong = SHARES * RECALLS, SHARES * (1 - RECALLS)
    f1 = 2 * hits / (SHARES + hits + np.roll(wrong, 1))
    return {"accuracy": hits.sum(), "f1_macro": f1.mean()}


def soft(n=300, seed=0, classes="abc"):
    rng = np.random.default_rng(seed)
    y = rng.integers(len(classes), size=n)
    logits = rng.normal(size=(n, len(classes))) + 2 * np.eye(len(classes))[y]
    proba = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return Predictions(
        classes=tuple(classes), y_true=y, proba=proba, model_classes=np.arange(len(classes))
    )


@pytest.mark.parametrize("is_uneven", [False, True])
@pytest.mark.parametrize("n_groups", [200, 1000])
def test_nominal_95_percent_cover_93_to_97(n_groups, is_uneven):
    """This is measured on 400 simulated hold-outs, for accuracy and macro F1."""
    rng = np.random.default_rng([3, n_groups, is_uneven])
    covered = {"accuracy": 0, "f1_macro": 0}
    for _ in range(N_DRAWS):
        groups, predicted = draw(n_groups, rng, is_uneven=is_uneven)
        bootstrap = GroupBootstrap.of(groups, predicted.y_true, SPEC, rng)
        scores = dict(compute_label_intervals(predicted, bootstrap)[0])
        for name, value in true_scores().items():
            covered[name] += scores[name].lower <= value <= scores[name].upper

    shares = {name: n / N_DRAWS for name, n in covered.items()}
    assert all(0.93 <= covered_share <= 0.97 for covered_share in shares.values()), shares


def test_values_are_the_scores_of_the_evaluation():
    """This covers every score, including those of single classes."""
    predicted = soft()
    report = compute_intervals(predicted, bootstrap_of(predicted, np.arange(300), SPEC, 0))
    evaluation = evaluate_predictions(predicted)

    assert evaluation.scores == pytest.approx(
        {name: interval.value for name, interval in report.scores.items()}
        | {name: evaluation.scores[name] for name in ("pr_auc_ovr", "calibration_error")},
        abs=1e-6,
    )
    for name, scores in report.per_class.items():
        for score, interval in scores.items():
            assert getattr(evaluation.per_class[name], score) == pytest.approx(interval.value)


def test_ends_lie_around_the_value():
    """This holds for every score."""
    for interval in compute_intervals(
        soft(), bootstrap_of(soft(), np.arange(300), SPEC, 0)
    ).scores.values():
        assert interval.lower < interval.value < interval.upper


def test_rows_of_one_group_tell_less_than_as_many_groups():
    """Ten copies of each row do not narrow the interval."""
    predicted = soft(n=100)
    copies = predicted.take(np.repeat(np.arange(100), 10))
    groups = np.repeat(np.arange(100), 10)
    alone = dict(
        compute_intervals(predicted, bootstrap_of(predicted, np.arange(100), SPEC, 0)).scores
    )["accuracy"]
    copied = dict(compute_intervals(copies, bootstrap_of(copies, groups, SPEC, 0)).scores)[
        "accuracy"
    ]

    assert (copied.upper - copied.lower) == pytest.approx(alone.upper - alone.lower, rel=0.15)


def test_perfect_hold_out_is_not_perfectly_sure():
    """An error seen in none of 100 groups may affect 3.6 % (97.5 % bound); of 30 groups, 11 %."""
    y = np.repeat([0, 1], [70, 30])
    report = compute_intervals(
        predictions(y, y, 2), bootstrap_of(predictions(y, y, 2), np.arange(100), SPEC, 0)
    )
    accuracy = report.scores["accuracy"]
    recall = dict(report.per_class["c01"])["recall"]
    macro = report.scores["f1_macro"]

    assert accuracy.is_by_count
    assert accuracy.lower == pytest.approx(0.025 ** (1 / 100))
    assert recall.lower == pytest.approx(0.025 ** (1 / 30))
    assert macro.lower == pytest.approx(0.025 ** (1 / 60))
    assert accuracy.upper == 1.0


def test_class_without_rows_is_wholly_unsure():
    """Nothing is known about its recall."""
    report = compute_intervals(
        predictions([0, 0, 1, 1], [0, 0, 1, 1], 3),
        bootstrap_of(predictions([0, 0, 1, 1], [0, 0, 1, 1], 3), np.arange(4), SPEC, 0),
    )
    recall = dict(report.per_class["c02"])["recall"]

    assert (0.0, 1.0) == (recall.lower, recall.upper)


def test_losses_are_scikit_learns():
    """The mean over rows is scikit-learn's loss."""
    predicted = soft()

    assert log_losses(predicted).mean() == pytest.approx(
        metrics.log_loss(predicted.y_true, predicted.proba)
    )
    assert brier_losses(predicted).mean() == pytest.approx(
        metrics.brier_score_loss(
            predicted.y_true, predicted.proba, labels=[0, 1, 2], scale_by_half=True
        )
    )


def test_mean_roc_auc_is_scikit_learns_with_ties():
    """One-vs-rest areas have equal weight per class."""
    predicted = soft()
    predicted = Predictions(
        classes=predicted.classes,
        y_true=predicted.y_true,
        proba=predicted.proba.round(1),
        model_classes=predicted.model_classes,
    )
    areas = [metrics.roc_auc_score(predicted.y_true == n, predicted.proba[:, n]) for n in range(3)]
    area, influences = KnownRows(predicted).roc_auc

    assert area == pytest.approx(np.mean(areas))
    assert influences.mean() == pytest.approx(0, abs=1e-12)


def test_roc_auc_ends_are_near_those_of_a_full_bootstrap():
    """First-order influences vary like the AUC itself when rows are resampled."""
    predicted, rng = soft(n=400), np.random.default_rng(0)
    rows = [np.flatnonzero(predicted.y_true == n) for n in range(3)]
    drawn = []
    for _ in range(400):
        resampled = predicted.take(np.concatenate([rng.choice(part, len(part)) for part in rows]))
        drawn.append(KnownRows(resampled).roc_auc[0])
    interval = dict(
        compute_intervals(predicted, bootstrap_of(predicted, np.arange(400), SPEC, 0)).scores
    )["roc_auc_ovr"]

    assert (interval.upper - interval.lower) / 3.92 == pytest.approx(np.std(drawn), rel=0.15)


def test_calibration_error_of_sure_and_right_or_wrong():
    """Confident correct predictions give 0; confident wrong ones give 1."""
    assert 0.0 == calibration_error(predictions([0, 1], [0, 1]))
    assert 1.0 == calibration_error(predictions([0, 1], [1, 0]))


@pytest.mark.parametrize("block", range(4))
def test_every_interval_contains_its_score(block):
    """On small, lopsided, perfect and useless hold-outs; a missing interval has a reason."""
    found = [
        find_violations(np.random.default_rng([0, n])) for n in range(25 * block, 25 * block + 25)
    ]

    assert {} == dict(sum((violations for violations, _ in found), Counter()))
    assert all(n_intervals for _, n_intervals in found)


def test_average_over_small_classes_is_covered():
    """Resamples lack most rows of a small class, which must not move the interval."""
    found = measure_coverage(77, 217, 0.65, 60)

    assert found["balanced_accuracy"][0] >= 0.85, found
    assert found["precision_macro"][0] >= 0.6, found


def test_score_that_has_no_interval_has_a_reason():
    few = soft(n=4)
    report = compute_intervals(few, GroupBootstrap.of(np.arange(4), few.y_true, SPEC, 0))

    assert report.absent["pr_auc_ovr"] == "it is computed from all rows together"
    assert report.absent["log_loss"] == "fewer than 5 groups have a known class"
    assert not report.absent.keys() & report.scores.keys()
