"""The share of wrong labels is estimated correctly, and the wrong ones are listed first."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from support.executors import InTurn
from support.matrices import IN_MEMORY

from job.contracts.dataset import Rows
from job.contracts.matrix_rows import MatrixRows
from job.contracts.reports.search import CandidateScore, SearchReport
from job.contracts.settings.dataset import ColumnsSpec
from job.contracts.settings.evaluation import EvaluationSpec
from job.contracts.settings.features import FeatureSpec
from job.contracts.settings.job_settings import TrainingSpec
from job.contracts.settings.search import SearchSpec
from job.stages.evaluation import label_noise
from job.stages.evaluation.label_noise import confident_joint, estimate_label_noise
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.metrics.predictions import Predictions
from job.stages.training.out_of_fold import predict_out_of_fold

NAMES = np.array(["a", "b", "c"], dtype=object)


def rows_of(y, X):
    keys = np.array([f"secret{n}" for n in range(len(y))], dtype=object)
    return Rows(
        y=NAMES[y],
        leakage_keys=keys,
        text_keys=keys,
        text=None,
        embeddings=MatrixRows(X.astype(np.float32), np.arange(len(y))),
        frame=pd.DataFrame(index=range(len(y))),
        positions=np.arange(len(y)) + 1000,
    )


def draw(*wrong_shares, n=1500):
    """Three classes well apart; of each a share is labelled as the next.

    Returns
    -------
    rows, is_wrong
    """
    rng = np.random.default_rng(4)
    truth = rng.integers(0, 3, n)
    X = 4 * np.eye(3)[truth] + rng.standard_normal((n, 3))
    is_wrong = rng.random(n) < np.array(wrong_shares)[truth]
    return rows_of(np.where(is_wrong, (truth + 1) % 3, truth), X), is_wrong


CANDIDATES = {
    name: CandidateScore(
        estimator=name, parameters=parameters, feature_blocks=("embeddings",), fold_scores=(1.0,)
    )
    for name, parameters in (
        ("logistic_regression", (("C", 1.0),)),
        ("linear_svc", ()),
        ("dummy", ()),
    )
}


def estimate(rows, chosen="logistic_regression", oof_predictions=None, **given):
    feature_blocks = ("embeddings",)
    report = SearchReport(
        metric="accuracy",
        candidates=tuple(CANDIDATES.values()),
        chosen=CANDIDATES[chosen],
        baselines=(CANDIDATES["logistic_regression"],),
    )
    spec = TrainingSpec(
        search=SearchSpec(),
        features=FeatureSpec(use=feature_blocks),
        columns=ColumnsSpec(),
        random_state=0,
    )
    return estimate_label_noise(
        rows,
        FeatureMatrices(rows, spec.features, spec.columns, IN_MEMORY, InTurn()),
        report,
        spec=spec,
        evaluation=EvaluationSpec(resamples=1000, **given),
        executor=InTurn(),
        oof_predictions=oof_predictions,
    )


@pytest.mark.parametrize("chosen", ["logistic_regression", "linear_svc"])
@pytest.mark.parametrize("share", [0.05, 0.1])
def test_share_of_wrong_labels_is_near_the_truth(share, chosen):
    """The interval contains the true share, and the classes' numbers add up to the total."""
    rows, is_wrong = draw(share, share, share)
    noise = estimate(rows, chosen)

    assert chosen == noise.estimator
    assert is_wrong.mean() == pytest.approx(noise.share.value, abs=0.01)
    assert noise.share.lower <= is_wrong.mean() <= noise.share.upper
    assert sum(c.n_wrong for c in noise.per_class.values()) == pytest.approx(
        noise.share.value * len(rows)
    )


def test_class_and_pair_of_wrong_labels_are_named():
    """Systematic mistakes are underestimated, because the model learns them as well."""
    rows, is_wrong = draw(0.15, 0, 0)
    noise = estimate(rows)
    wrong = {name: c.n_wrong for name, c in noise.per_class.items()}

    assert 0.6 * is_wrong.sum() < wrong["b"] <= is_wrong.sum()
    assert max(wrong["a"], wrong["c"]) < 5
    assert ("b", "a") == (noise.pairs[0].given, noise.pairs[0].likely)


def test_right_labels_are_believed():
    """If no label is wrong, the estimate is near zero."""
    noise = estimate(draw(0, 0, 0)[0])

    assert noise.share.value < 0.005
    assert noise.share.upper < 0.01


def test_wrong_labels_are_listed_first():
    """The list has positions in the table, and exists only if the settings enable it."""
    rows, is_wrong = draw(0.15, 0, 0)
    noise = estimate(rows, label_issues=True)
    listed = [issue.row - 1000 for issue in noise.issues]
    scores = [issue.label_quality for issue in noise.issues]

    assert is_wrong[listed].mean() > 0.9
    assert scores == sorted(scores)
    assert [issue.given for issue in noise.issues].count("b") > 0.9 * len(listed)
    assert all(issue.given != issue.likely for issue in noise.issues)
    assert () == estimate(rows).issues
    assert "secret" not in str(noise.to_json())
    assert "issues" not in noise.to_json()


@pytest.mark.parametrize("chosen", ["logistic_regression", "linear_svc"])
def test_what_is_known_out_of_fold_is_not_fitted_again(chosen):
    """The run's out-of-fold predictions are used, whichever candidate was chosen."""
    rows, _ = draw(0.1, 0.1, 0.1)
    oof_predictions = _predict(rows, np.arange(len(rows)))
    others = replace(oof_predictions, proba=np.roll(oof_predictions.proba, 1, axis=1))

    assert estimate(rows, chosen).share.value < 0.2
    assert estimate(rows, chosen, others).share.value > 0.8


def test_dummy_estimates_no_label_noise():
    """It predicts the same for every row; the best logistic regression takes its place."""
    rows, is_wrong = draw(0.1, 0.1, 0.1)
    noise = estimate(rows, "dummy", _predict(rows, np.arange(len(rows))))

    assert "logistic_regression" == noise.estimator
    assert is_wrong.mean() == pytest.approx(noise.share.value, abs=0.02)


def test_list_ends_at_its_cap(monkeypatch):
    """A table of random labels does not make the list arbitrarily long."""
    monkeypatch.setattr(label_noise, "_MAX_LISTED", 7)

    assert 7 == len(estimate(draw(0.1, 0.1, 0.1)[0], label_issues=True).issues)


def test_large_table_is_sampled_unless_it_is_to_be_listed(monkeypatch):
    """Whole groups are drawn; the estimate stays about the same."""
    monkeypatch.setattr(label_noise, "_N_ROWS", 600)
    rows, is_wrong = draw(0.1, 0.1, 0.1)
    rows = replace(rows, near_duplicate_groups=np.arange(len(rows)) // 2)
    noise = estimate(rows)

    assert 600 <= noise.n_rows < 1200
    assert is_wrong.mean() == pytest.approx(noise.share.value, abs=0.04)
    assert len(rows) == estimate(rows, label_issues=True).n_rows


def test_row_of_several_confident_classes_is_of_the_likeliest():
    """As in the paper's table, thresholds are the classes' mean self-confidence."""
    proba = np.array(
        [[0.6, 0.4], [0.4, 0.6], [0.1, 0.9], [0.8, 0.2], [0.45, 0.55]], dtype=np.float32
    )
    predictions = Predictions(
        classes=("a", "b"),
        y_true=np.array([0, 0, 1, 1, 1]),
        proba=proba,
        model_classes=np.arange(2),
    )

    # thresholds: .5 and .55
    assert [[1, 1], [1, 2]] == confident_joint(predictions).tolist()


def test_row_is_predicted_by_a_model_that_was_not_trained_on_its_copies():
    """Random labels can only be predicted by a model that has memorized copies."""
    rng = np.random.default_rng(0)
    near_duplicate_groups = np.repeat(np.arange(60), 5)
    X = rng.standard_normal((60, 100))[near_duplicate_groups] + 0.01 * rng.standard_normal(
        (300, 100)
    )
    rows = replace(
        rows_of(rng.integers(0, 2, 60)[near_duplicate_groups], X),
        near_duplicate_groups=near_duplicate_groups,
    )

    assert 0.25 < _predict(rows, np.arange(300)).true_class_proba().mean() < 0.75


def test_predictions_follow_the_positions():
    """This also holds for few examined rows in another order."""
    rows, _ = draw(0, 0, 0)
    positions = np.random.default_rng(1).permutation(len(rows))[:400]
    predictions = _predict(rows, positions)

    assert list(rows.y[positions]) == [predictions.classes[n] for n in predictions.y_true]
    assert (predictions.y_pred == predictions.y_true).mean() > 0.95


def _predict(rows, positions):
    spec = TrainingSpec(
        search=SearchSpec(), features=FeatureSpec(), columns=ColumnsSpec(), random_state=0
    )
    return predict_out_of_fold(
        rows,
        FeatureMatrices(rows, spec.features, spec.columns, IN_MEMORY, InTurn()),
        CandidateScore(
            estimator="logistic_regression",
            parameters=(("C", 10.0),),
            feature_blocks=("embeddings",),
            fold_scores=(1.0,),
        ),
        spec=spec,
        executor=InTurn(),
        positions=positions,
    )
