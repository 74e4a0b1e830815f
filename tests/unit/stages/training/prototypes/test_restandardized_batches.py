"""A published model handles restandardized batches of another class mix."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import normalize
from support.executors import InTurn
from support.matrices import IN_MEMORY

from job.contracts.dataset import Rows
from job.contracts.matrix_rows import MatrixRows
from job.contracts.reports.geometry import AffineMap, Geometry
from job.contracts.reports.search import CandidateScore, SearchReport
from job.contracts.settings.dataset import ColumnsSpec
from job.contracts.settings.features import FeatureSpec
from job.contracts.settings.job_settings import TrainingSpec
from job.contracts.settings.search import SearchSpec
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.training.prototypes import Prototypes, RowGroups
from job.stages.training.prototypes.batch_sampling import draw_restandardized_batches
from job.stages.training.prototypes.restandardized_batches import handle_restandardized_batches
from job.stages.training.refit import train_model

WIDTH = 24


def draw(n_classes=4, n_groups=240, n_each=8, seed=0):
    """Draw unit rows; classes differ in their means, and groups are around these."""
    rng = np.random.default_rng(seed)
    means = 2 * rng.standard_normal((n_classes, WIDTH))
    kind = np.arange(n_groups) % n_classes
    own = means[kind] + rng.standard_normal((n_groups, WIDTH))
    group = np.repeat(np.arange(n_groups), n_each)
    X = normalize(own[group] + 0.5 * rng.standard_normal((len(group), WIDTH)) + 1)
    return X.astype(np.float32), np.array(list("abcdef"))[kind[group]], group


def cut(y, group, n_groups=240):
    """Return masks of the training rows and the held-out rows."""
    is_held_out = group >= 0.75 * n_groups
    return ~is_held_out, is_held_out


def skew(X, y, name, reference, seed=0, n_rows=200):
    """Return a batch of 85 % of one class, with means and deviations of the reference."""
    rng = np.random.default_rng(seed)
    own, others = np.flatnonzero(y == name), np.flatnonzero(y != name)
    index = np.r_[rng.choice(own, int(0.85 * n_rows)), rng.choice(others, int(0.15 * n_rows))]
    batch = X[index].astype(float)
    moved = (batch - batch.mean(axis=0)) / batch.std(axis=0)
    return (moved * reference.std(axis=0) + reference.mean(axis=0)).astype(np.float32), y[index]


def fit(X, y, group, **parameters):
    model = Prototypes(n_centers=8, random_state=0, **parameters)
    return model.fit(X, y, RowGroups(group=group, min_groups=5)).pipeline_


def accuracy(model, X, y):
    return (model.predict(X) == y).mean()


@pytest.fixture(scope="module")
def fitted():
    X, y, group = draw()
    kept, _ = cut(y, group)
    model = fit(X[kept], y[kept], group[kept])
    return model, handle_restandardized_batches(
        model, X[kept], y[kept], group=group[kept], random_state=0
    )


def test_rows_of_length_1_keep_their_probabilities(fitted):
    """Handling other batches changes nothing for rows scaled with the table's scalers."""
    X, *_ = draw()
    model, bearing = fitted
    np.testing.assert_allclose(bearing.predict_proba(X), model.predict_proba(X), atol=1e-5)


def test_batches_of_one_class_are_classified_better(fitted):
    """On held-out groups with 85 % of one class, restandardized, more rows are correct."""
    X, y, group = draw()
    kept, held_out = cut(y, group)
    gains = []
    for name in "abcd":
        moved, labels = skew(X[held_out], y[held_out], name, X[kept])
        model, bearing = fitted
        without = accuracy(model, normalize(moved), labels)
        gains.append(accuracy(bearing, moved, labels) - without)
    assert np.mean(gains) > 0.05


def test_two_classes_have_one_line_of_scores():
    """The published logistic regression has scikit-learn's shape for two classes."""
    X, y, group = draw(n_classes=2)
    kept, held_out = cut(y, group)
    model = fit(X[kept], y[kept], group[kept])
    bearing = handle_restandardized_batches(
        model, X[kept], y[kept], group=group[kept], random_state=0
    )
    np.testing.assert_allclose(bearing.predict_proba(X), model.predict_proba(X), atol=1e-5)
    moved, labels = skew(X[held_out], y[held_out], "b", X[kept])
    assert accuracy(bearing, moved, labels) > 0.9


def test_equal_rows_give_equal_pipelines(fitted):
    """The batches depend only on the seed."""
    X, y, group = draw()
    kept, _ = cut(y, group)
    model, bearing = fitted
    again = handle_restandardized_batches(
        model, X[kept], y[kept], group=group[kept], random_state=0
    )
    assert pickle.dumps(again) == pickle.dumps(bearing)


def test_nothing_of_the_job_is_needed_to_load(fitted):
    """PCC loads the pipeline with scikit-learn and NumPy."""
    _, bearing = fitted
    assert b"job.stages" not in pickle.dumps(bearing)


def test_drawn_rows_keep_their_order_of_columns_and_place():
    """Each drawn row is a row of the table, shifted and scaled by its batch."""
    X, y, group = draw()
    codes = np.unique(y, return_inverse=True)[1]
    rows, index = draw_restandardized_batches(X, codes, group, np.random.default_rng(0))
    for part in (slice(0, 100), slice(100, 200)):
        for column in (0, WIDTH - 1):
            line = np.polyfit(X[index[part], column], rows[part, column], 1)
            np.testing.assert_allclose(
                np.polyval(line, X[index[part], column]), rows[part, column], atol=1e-5
            )
            assert line[0] > 0
    lengths = np.square(rows).sum(axis=1)
    assert lengths.std() > 0.1


def train(X, y, group, *, handles_restandardized_batches):
    """Train on columns of deviation 2 whose map is known."""
    keys = np.array([f"k{n}" for n in range(len(y))], dtype=object)
    rows = Rows(
        y=y.astype(object),
        leakage_keys=keys,
        text_keys=keys,
        text=None,
        embeddings=MatrixRows(2 * X, np.arange(len(y))),
        frame=pd.DataFrame(index=range(len(y))),
        near_duplicate_groups=group,
    )
    columns = np.arange(WIDTH)
    affine_map = AffineMap(columns=columns, scale=np.full(WIDTH, 0.5), offset=np.zeros(WIDTH))
    counts = {"n_rows": len(y), "n_distinct_rows": len(y), "width": WIDTH}
    spec = TrainingSpec(
        search=SearchSpec(), features=FeatureSpec(), columns=ColumnsSpec(), random_state=0
    )
    feature_matrices = FeatureMatrices(
        rows,
        spec.features,
        spec.columns,
        IN_MEMORY,
        InTurn(),
        geometry=Geometry(status="restored", map=affine_map, **counts),
    )
    chosen = CandidateScore(
        estimator="prototypes",
        parameters=(("n_centers", 8),),
        feature_blocks=("embeddings",),
        fold_scores=(0.0,),
    )
    report = SearchReport(
        metric=spec.search.metric.name, candidates=(chosen,), chosen=chosen, baselines=()
    )
    model = train_model(
        rows,
        feature_matrices,
        report,
        spec,
        InTurn(),
        handles_restandardized_batches=handles_restandardized_batches,
    )
    return model.pipeline


def test_training_leaves_lengths_to_the_model_that_needs_them():
    """If requested, the trained pipeline detects shifted rows; otherwise it ignores lengths."""
    X, y, group = draw()
    plain = train(X, y, group, handles_restandardized_batches=False)
    bearing = train(X, y, group, handles_restandardized_batches=True)
    np.testing.assert_allclose(bearing.predict_proba(2 * X), plain.predict_proba(2 * X), atol=1e-5)
    longer = 2.4 * X
    np.testing.assert_allclose(plain.predict_proba(longer), plain.predict_proba(2 * X), atol=1e-5)
    assert np.abs(bearing.predict_proba(longer) - plain.predict_proba(longer)).max() > 0.01
