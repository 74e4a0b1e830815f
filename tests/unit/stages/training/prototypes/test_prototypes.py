"""Prototypes are centers over several groups each, and are published without their rows."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.special import softmax
from sklearn.preprocessing import normalize
from support.executors import InTurn
from support.matrices import IN_MEMORY

from job.adapters.codecs.canonical_joblib import JoblibCodec
from job.adapters.executors.local import LocalThreads
from job.contracts.dataset import Rows
from job.contracts.matrix_rows import MatrixRows
from job.contracts.settings.dataset import ColumnsSpec
from job.contracts.settings.features import FeatureSpec
from job.contracts.settings.job_settings import TrainingSpec
from job.contracts.settings.search import SearchSpec
from job.errors import ConfigurationError
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.training.compatibility import use_double_precision
from job.stages.training.out_of_fold import predict_out_of_fold
from job.stages.training.prototypes import Prototypes, RowGroups, fit_prototypes
from job.stages.training.prototypes.centers import place_centers
from job.stages.training.prototypes.items import find_items
from job.stages.training.refit import train_model
from job.stages.training.search import search
from job.stages.training.search.candidates import list_candidates

WIDTH = 12
ESTIMATOR = {"prototypes": {"n_centers": [4], "temperature": [0.1, 0.2]}}


def draw(n_groups=60, n_classes=3, n_each=2, seed=0):
    """Draw unit rows around two directions per class; each group has a few wordings."""
    rng = np.random.default_rng(seed)
    directions = rng.standard_normal((2 * n_classes, WIDTH)) * 2
    kind = np.arange(n_groups) % (2 * n_classes)
    group = np.repeat(np.arange(n_groups), n_each)
    own = directions[kind] + 0.5 * rng.standard_normal((n_groups, WIDTH))
    X = own[group] + 0.1 * rng.standard_normal((len(group), WIDTH))
    y = np.array(list("abcdef"))[kind[group] % n_classes]
    return np.ascontiguousarray(normalize(X), np.float32), y, group


def fit(X, y, group, min_groups=5, **parameters):
    model = Prototypes(**{"n_centers": 4, "random_state": 0, **parameters})
    return model.fit(X, y, RowGroups(group=group, min_groups=min_groups))


def centers_of(model):
    return shares_of(model)["cosines"].kw_args["b"] * model.temperature


def shares_of(model):
    return model.pipeline_["inputs"].transformer_list[0][1]


def rows_of(X, y, group):
    keys = np.array([f"k{n}" for n in range(len(y))], dtype=object)
    return Rows(
        y=y.astype(object),
        leakage_keys=keys,
        text_keys=keys,
        text=None,
        embeddings=MatrixRows(X, np.arange(len(y))),
        frame=pd.DataFrame(index=range(len(y))),
        near_duplicate_groups=group,
    )


def spec(**options):
    return TrainingSpec(
        search=SearchSpec(**{"estimators": ESTIMATOR, **options}),
        features=FeatureSpec(),
        columns=ColumnsSpec(),
        random_state=0,
    )


def run(rows, executor, **options):
    """Search and refit like the job does."""
    asked = spec(**options)
    feature_matrices = FeatureMatrices(rows, asked.features, asked.columns, IN_MEMORY, executor)
    report = search(rows, feature_matrices, asked, executor, lambda: 0.0)
    return (
        feature_matrices,
        report,
        train_model(rows, feature_matrices, report, asked, executor).pipeline,
    )


def test_probabilities_follow_the_formula():
    """They follow from shares of exp(cosine / temperature) and the weighted row itself."""
    X, y, group = draw()
    model = fit(X, y, group, temperature=0.2, row_weight=0.5)
    shares = softmax(X.astype(float) @ centers_of(model) / 0.2, axis=1)
    last = model.pipeline_["classifier"]
    logits = np.concatenate([shares, 0.5 * X], axis=1) @ last.coef_.T + last.intercept_

    np.testing.assert_allclose(model.predict_proba(X), softmax(logits, axis=1), atol=1e-5)


def test_row_far_from_everything_stays_unsure():
    """A hyperplane is more confident the farther away a row is; shares are not."""
    X, y, group = draw(n_classes=2)
    far = normalize(np.eye(WIDTH, dtype=np.float32) - X.mean(axis=0))
    near = fit(X, y, group, row_weight=0.0).predict_proba(X).max(axis=1)
    farther = fit(X, y, group, row_weight=0.0).predict_proba(far).max(axis=1)

    assert np.median(farther) < np.median(near)


@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_probabilities_sum_to_one_with_classes_in_order(n_classes):
    X, y, group = draw(n_classes=n_classes)
    model = fit(X, y, group)
    proba = model.predict_proba(X)

    assert sorted(set(y)) == model.classes_.tolist() == model.pipeline_.classes_.tolist()
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert np.array_equal(model.predict(X), model.classes_[proba.argmax(axis=1)])
    assert (model.predict(X) == y).mean() > 0.95


def test_copies_of_a_template_change_nothing():
    """397 copies of a row count as one."""
    X, y, group = draw()
    again = np.concatenate([np.arange(len(X)), np.full(397, 7)])
    one, other = fit(X, y, group), fit(X[again], y[again], group[again])

    np.testing.assert_array_equal(centers_of(other), centers_of(one))
    np.testing.assert_array_equal(other.predict_proba(X), one.predict_proba(X))


def test_each_group_of_a_center_counts_alike():
    """A group with many wordings does not move its center more than another group."""
    X = np.ascontiguousarray(np.repeat(np.eye(6, dtype=np.float32), [90, 1, 1, 1, 1, 5], axis=0))
    X[:90, 5] = np.linspace(0, 0.02, 90)  # wordings of one template
    items = find_items(
        normalize(X), np.zeros(99, int), np.repeat(np.arange(6), [90, 1, 1, 1, 1, 5])
    )
    own = normalize(X)[items.rows]
    (center,), _ = place_centers(own, items, 1, min_groups=5, random_state=0)

    np.testing.assert_allclose(center, 6**-0.5, atol=0.01)


def test_each_center_covers_enough_groups():
    """Each group has a column of its own, so that a center shows which groups it averages."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(40), rng.integers(1, 9, 40))
    X = normalize(np.eye(40)[group] + rng.normal(0, 0.01, (len(group), 40)))
    items = find_items(X, np.zeros(len(X), int), group)
    centers, _ = place_centers(X[items.rows], items, 20, min_groups=5, random_state=0)
    n_groups = (centers > 0.15).sum(axis=1)

    assert 5 == n_groups.min()
    assert 8 < len(centers) <= 20
    assert centers.max() < 0.5  # of one group among five it is 5 ** -0.5


def test_cluster_borrows_the_nearest_items_of_other_groups():
    """With three groups at each of two places, no center is between them, despite many clusters."""
    angle = np.concatenate([np.linspace(0, 0.4, 12), np.linspace(1.5, 1.9, 12)])
    X = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    items = find_items(X, np.zeros(24, int), np.repeat(np.arange(6), 4))
    centers, _ = place_centers(X, items, 8, min_groups=3, random_state=0)
    angles = np.arctan2(centers[:, 1], centers[:, 0])

    assert 8 == len(centers)
    assert ((angles < 0.4) | (angles > 1.5)).all()


def test_class_with_one_group_has_one_center():
    X, y, group = draw(n_each=4)
    others = fit(X[group > 0], y[group > 0], group[group > 0])
    y[group == 0] = "z"
    model = fit(X, y, group)

    assert "z" == model.classes_[-1]
    assert centers_of(others).shape[1] + 1 == centers_of(model).shape[1]
    assert np.isfinite(model.predict_proba(X)).all()


def test_rows_of_other_lengths_are_brought_to_one():
    X, y, group = draw()
    powers = 2.0 ** (np.arange(len(X)) % 4)  # multiplication by a power of two is exact
    stretched = np.ascontiguousarray(X * powers[:, None], np.float32)
    one, other = fit(2 * X, y, group), fit(2 * stretched, y, group)

    np.testing.assert_allclose(other.predict_proba(stretched), one.predict_proba(X), atol=1e-5)


def test_models_that_share_centers_equal_those_fitted_alone():
    X, y, group = draw()
    temperatures = (0.05, 0.1, 0.2)
    models = [Prototypes(n_centers=4, temperature=t, random_state=0) for t in temperatures]
    fit_prototypes(models, X, y, RowGroups(group=group, min_groups=5))
    alone = [fit(X, y, group, temperature=t) for t in temperatures]

    for one, other in zip(models, alone, strict=True):
        np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))


def test_balanced_classes_favor_the_rare_one():
    X, y, group = draw(n_classes=2, seed=1)
    X = normalize(X + np.random.default_rng(0).normal(0, 0.4, X.shape)).astype(np.float32)
    kept = (y == "a") | (group % 6 == 1)
    X, y, group = X[kept], y[kept], group[kept]
    n_rare = [
        (fit(X, y, group, n_centers=1, class_weight=weight).predict_proba(X)[:, 1]).sum()
        for weight in (None, "balanced")
    ]

    assert n_rare[1] > n_rare[0]


def test_published_model_knows_neither_rows_nor_this_project():
    X, y, group = draw()
    _, _, pipeline = run(rows_of(X, y, group), InTurn())
    data = pickle.dumps(pipeline)

    assert b"job." not in data
    assert b"KMeans" not in data
    assert len(data) < X.nbytes


@pytest.mark.parametrize("metric", ["accuracy", "neg_log_loss"])
def test_equal_bytes_and_scores_on_any_number_of_threads(metric):
    X, y, group = draw(n_groups=600)
    results = [run(rows_of(X, y, group), LocalThreads(n), metric=metric) for n in (1, 2, 3)]
    encoded = {JoblibCodec().encode(pipeline) for _, _, pipeline in results}

    assert 1 == len(encoded)
    assert results[0][1].candidates == results[1][1].candidates == results[2][1].candidates


def test_rows_are_predicted_by_models_without_their_group():
    """Random labels cannot be predicted from near-copies in other folds."""
    X, _, group = draw(n_groups=60, n_each=10)
    y = np.random.default_rng(0).choice(["a", "b"], 60)[group]
    rows, asked = rows_of(X, y, group), spec()
    feature_matrices, report, _ = run(rows, InTurn())
    predictions = predict_out_of_fold(
        rows, feature_matrices, report.chosen, spec=asked, executor=InTurn()
    )

    assert (predictions.y_pred == predictions.y_true).mean() < 0.65
    np.testing.assert_allclose(predictions.proba.sum(axis=1), 1, atol=1e-6)


def test_every_fit_is_told_the_groups_of_its_own_rows(monkeypatch):
    """This covers search, refit and out-of-fold fits: rows of a group are near-copies."""
    spreads = []

    def fit_and_measure(models, X, y, groups):
        mean = pd.DataFrame(X).groupby(groups.group).transform("mean").to_numpy()
        spreads.append(float(np.linalg.norm(X - mean, axis=1).max()))
        fit_prototypes(models, X, y, groups)

    monkeypatch.setattr("job.stages.training.prototypes.fit_prototypes", fit_and_measure)
    X, y, group = draw()
    order = np.random.default_rng(0).permutation(len(X))
    rows, asked = rows_of(X[order], y[order], group[order]), spec()
    feature_matrices, report, _ = run(rows, InTurn())
    predict_out_of_fold(rows, feature_matrices, report.chosen, spec=asked, executor=InTurn())

    assert 3 + 1 + 3 == len(spreads)
    assert max(spreads) < 0.5


def test_prediction_in_double_precision_equals_that_of_the_search():
    X, y, group = draw()
    _, _, pipeline = run(rows_of(X, y, group), InTurn())
    before = pipeline.predict_proba(X)
    use_double_precision(pipeline)
    shares = pipeline["classifier"]["inputs"].transformer_list[0][1]

    assert np.float64 == shares["cosines"].kw_args["b"].dtype
    np.testing.assert_allclose(pipeline.predict_proba(X), before, atol=1e-4)


@pytest.mark.parametrize(
    "grid",
    [{"n_neighbors": [3]}, {"n_centers": [0]}, {"temperature": [0.0]}, {"C": ["low"]}],
)
def test_unknown_parameters_and_values_are_refused(grid):
    with pytest.raises(ConfigurationError, match=r"search\.estimators\.prototypes"):
        list_candidates(SearchSpec(estimators={"prototypes": grid}), ("embeddings",), 0)


def test_text_is_refused_before_anything_is_fitted():
    asked = SearchSpec(estimators={"prototypes": {}})
    with pytest.raises(ConfigurationError, match="needs dense inputs"):
        list_candidates(asked, ("text", "embeddings"), 0)


def test_sparse_matrix_and_lone_class_are_refused():
    X, y, group = draw()
    with pytest.raises(ConfigurationError, match="dense inputs"):
        fit(sparse.csr_matrix(X), y, group)
    with pytest.raises(ConfigurationError, match="one class"):
        fit(X, np.full(len(y), "a"), group)
