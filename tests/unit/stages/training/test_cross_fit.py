"""Every row of the table is predicted by models that were not trained on its group."""

import numpy as np
import pandas as pd
import pytest
from support.executors import InTurn
from support.matrices import IN_MEMORY

from job.contracts.dataset import Rows
from job.contracts.matrix_rows import MatrixRows
from job.contracts.reports.search import CandidateScore, SearchedLabels, SearchReport
from job.contracts.settings.dataset import ColumnsSpec
from job.contracts.settings.features import FeatureSpec
from job.contracts.settings.job_settings import TrainingSpec
from job.contracts.settings.search import SearchSpec
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.split.folds import cut_hash_folds
from job.stages.training.cross_fit import cross_fit, plan_folds

LOGISTIC = CandidateScore(
    estimator="logistic_regression",
    parameters=(("C", 10.0),),
    feature_blocks=("embeddings",),
    fold_scores=(0.9,),
)
DUMMY = CandidateScore(
    estimator="dummy",
    parameters=(("strategy", "prior"),),
    feature_blocks=("embeddings",),
    fold_scores=(0.1,),
)


def rows_of(y, X, groups, keys=None):
    keys = np.array([f"k{n}" for n in groups] if keys is None else keys, dtype=object)
    return Rows(
        y=np.array(y, dtype=object),
        leakage_keys=keys,
        text_keys=np.array([f"t{n}" for n in groups], dtype=object) if keys is None else keys,
        text=None,
        embeddings=MatrixRows(X.astype(np.float32), np.arange(len(y))),
        frame=pd.DataFrame(index=range(len(y))),
        near_duplicate_groups=np.array(groups),
    )


@pytest.fixture
def copies():
    """Sixty meaningless points, with ten near-copies of each."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(60), 10)
    X = rng.standard_normal((60, 40))[groups] + 0.05 * rng.standard_normal((600, 40))
    return rows_of(rng.permutation(["a", "b"] * 30)[groups], X, groups)


def report_of(*candidates, chosen, labels=None):
    return SearchReport(
        metric="accuracy",
        candidates=candidates,
        chosen=chosen,
        baselines=(LOGISTIC, DUMMY),
        labels=labels,
    )


def fit(rows, report, n_folds=5):
    spec = TrainingSpec(
        search=SearchSpec(metric="accuracy"),
        features=FeatureSpec(),
        columns=ColumnsSpec(),
        random_state=0,
    )
    feature_matrices = FeatureMatrices(rows, spec.features, spec.columns, IN_MEMORY, InTurn())
    train_index = np.arange(len(rows))
    return cross_fit(
        rows,
        train_index,
        feature_matrices,
        report,
        spec=spec,
        executor=InTurn(),
        plan=plan_folds(rows, n_folds, "pcc"),
    )


def test_labels_that_nothing_explains_are_not_known_by_heart(copies):
    """A model that was trained on a copy would be right in all rows."""
    result = fit(copies, report_of(LOGISTIC, chosen=LOGISTIC))

    assert abs((result.nested.y_pred == result.nested.y_true).mean() - 0.5) < 0.2
    assert result.nested.proba.sum(axis=1) == pytest.approx(1)


def test_group_is_in_one_fold(copies):
    """This holds for all its rows, and every fold has rows."""
    fold = fit(copies, report_of(LOGISTIC, chosen=LOGISTIC)).fold

    assert 60 == len(set(zip(copies.near_duplicate_groups.tolist(), fold.tolist(), strict=True)))
    assert {0, 1, 2, 3, 4} == set(fold.tolist())


def test_choice_is_made_again_without_each_fold(copies):
    """A candidate that is best only because of a fold's rows does not predict that fold."""
    fold = fit(copies, report_of(LOGISTIC, chosen=LOGISTIC)).fold
    y_true = np.searchsorted(["a", "b"], copies.y.astype(str))
    wrong = 1 - y_true
    rng = np.random.default_rng(0)
    # the logistic regression is right in fold 2 and seldom elsewhere, the dummy half of the time
    logistic = np.where((fold == 2) | (rng.random(600) < 0.3), y_true, wrong)
    dummy = np.where(rng.random(600) < 0.43, y_true, wrong)
    labels = SearchedLabels(
        n_classes=2,
        y_true=y_true,
        y_pred=np.stack([logistic, dummy]).astype(np.int16),
        fold=(np.arange(600) % 3).astype(np.int16),
    )
    result = fit(copies, report_of(LOGISTIC, DUMMY, chosen=LOGISTIC, labels=labels))

    assert (DUMMY, LOGISTIC) == (result.choices[2], result.choices[0])
    assert 1 == result.n_other_choices(LOGISTIC)
    is_test = fold == 2
    assert np.array_equal(
        result.nested.proba[is_test], dict(result.baselines)["dummy"].proba[is_test]
    )
    assert np.array_equal(result.nested.proba[~is_test], result.chosen.proba[~is_test])
    assert not np.array_equal(result.chosen.proba[is_test], result.nested.proba[is_test])


def test_choice_of_the_challenge_set_is_not_made_again(copies):
    """The table's rows had no influence on it, so the chosen candidate predicts every fold."""
    y_true = np.searchsorted(["a", "b"], copies.y.astype(str))
    labels = SearchedLabels(
        n_classes=2,
        y_true=y_true,
        y_pred=np.stack([1 - y_true, y_true]).astype(np.int16),
        fold=(np.arange(600) % 3).astype(np.int16),
    )
    report = report_of(LOGISTIC, DUMMY, chosen=LOGISTIC, labels=labels)
    result = fit(copies, report.copy_with(chosen_on="challenge"))

    assert {LOGISTIC} == set(result.choices)
    assert result.nested is result.chosen
    assert not result.is_nested


def test_near_duplicate_that_groups_share_is_not_trained_on():
    """The group column separates groups; copies in other groups are dropped from training."""
    rng = np.random.default_rng(0)
    groups, near_duplicate_groups = np.repeat(np.arange(60), 10), np.tile(np.arange(300), 2)
    X = rng.standard_normal((300, 400))[near_duplicate_groups]
    y = rng.permutation(["a", "b"] * 150)[near_duplicate_groups]
    rows = rows_of(y, X, near_duplicate_groups, keys=[f"group:{n}" for n in groups])
    rows = Rows(
        **{n: getattr(rows, n) for n in rows.__slots__} | {"text_keys": rows.leakage_keys + "t"}
    )
    result = fit(rows, report_of(LOGISTIC, chosen=LOGISTIC))

    assert abs((result.nested.y_pred == result.nested.y_true).mean() - 0.5) < 0.2


def test_folds_are_as_many_as_the_smallest_class_has_groups(copies):
    """A class with three groups cannot be in five folds."""
    y = np.where(np.isin(copies.near_duplicate_groups, [0, 1, 2]), "c", copies.y).astype(object)

    fewer = rows_of(y, copies.embeddings.read(), copies.near_duplicate_groups)

    assert 5 == len(plan_folds(copies, 5, "pcc").folds)
    assert 3 == len(plan_folds(fewer, 5, "pcc").folds)


def test_folds_keep_class_shares_and_hardly_move():
    """If a tenth of the groups is new, most of the others stay in their fold."""
    rng = np.random.default_rng(0)
    sizes = rng.geometric(0.05, 300)
    groups = np.repeat(np.arange(300), sizes)
    labels, digests = groups % 3, rng.integers(0, 2**64, 300, dtype=np.uint64)
    fold = cut_hash_folds(labels, groups, digests, 5)
    shares = np.stack([np.bincount(labels[fold == n], minlength=3) for n in range(5)])
    is_old = groups < 270
    before = cut_hash_folds(labels[is_old], groups[is_old], digests[:270], 5)
    first = np.unique(groups[is_old], return_index=True)[1]

    assert np.abs(shares / shares.sum(axis=0) - 0.2).max() < 0.05
    assert (before != fold[is_old])[first].mean() < 0.15


@pytest.mark.parametrize("salt", [str(n) for n in range(40)])
def test_every_fold_can_learn_every_class(salt):
    """This includes a class that is a minority in all its groups, whatever the hash."""
    groups = np.repeat(np.arange(24), 5)
    y = np.where(groups % 2, "a", "c").astype(object)
    y[np.isin(groups, [0, 6, 12, 18]) & (np.arange(120) % 5 < 2)] = "b"
    rows = rows_of(y, np.zeros((120, 2)), groups)
    plan = plan_folds(rows, 5, salt)

    assert 4 == len(plan.folds)
    for train, test in plan.folds:
        assert {"a", "b", "c"} == set(y[train])
        assert not set(groups[train]) & set(groups[test])


def test_class_that_no_fold_could_learn_leaves_no_plan():
    """Its rows in all other groups are near-duplicates of test rows."""
    groups, near_duplicate_groups = np.repeat(np.arange(12), 4), np.arange(48)
    near_duplicate_groups[groups >= 10] = 0
    y = np.where(groups % 2, "a", "b").astype(object)
    y[groups >= 10] = "c"
    rows = rows_of(y, np.zeros((48, 2)), near_duplicate_groups, keys=[f"group:{n}" for n in groups])
    rows = Rows(
        **{n: getattr(rows, n) for n in rows.__slots__} | {"text_keys": rows.leakage_keys + "t"}
    )

    assert plan_folds(rows, 5, "pcc") is None
