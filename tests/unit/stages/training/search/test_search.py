"""Candidates are evaluated on folds of whole groups, and the best mean is chosen."""

from dataclasses import replace
from itertools import count

import numpy as np
import pandas as pd
import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC
from support.executors import InTurn
from support.matrices import IN_MEMORY

from job.adapters.executors.local import LocalThreads
from job.contracts.dataset import Rows
from job.contracts.matrix_rows import MatrixRows
from job.contracts.metrics import list_choosable
from job.contracts.settings.dataset import ColumnsSpec
from job.contracts.settings.features import FeatureSpec
from job.contracts.settings.job_settings import TrainingSpec
from job.contracts.settings.search import SearchSpec
from job.errors import ConfigurationError, TrainingError
from job.solver.dense_batch import fit_dense_batch
from job.solver.fit import fit_linear_models
from job.solver.lbfgs import OptimizeResults
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.features.preprocessing import make_scaling, standardized_weight
from job.stages.split.folds import make_folds
from job.stages.training.search import search
from job.stages.training.search.candidates import list_candidates
from job.stages.training.sklearn_fit import fit

USE = ("embeddings",)
MANY = {"logistic_regression": {"C": list(range(1, 101))}}


def make_rows(keys, y):
    """Return rows with embeddings near the center of their class."""
    classes = sorted(set(y))
    noise = np.random.default_rng(0).normal(0, 0.4, (len(y), len(classes)))
    matrix = noise + np.eye(len(classes))[[classes.index(label) for label in y]]
    keys = np.array(keys, dtype=object)
    return Rows(
        y=np.array(y, dtype=object),
        leakage_keys=keys,
        text_keys=keys,
        text=None,
        embeddings=MatrixRows(matrix.astype(np.float32), np.arange(len(y))),
        frame=pd.DataFrame(index=range(len(y))),
    )


@pytest.fixture(scope="module")
def rows():
    """Three classes, twenty groups of three rows each."""
    numbers = range(180)
    return make_rows([f"k{n % 60}" for n in numbers], ["abc"[n % 3] for n in numbers])


def run(rows, spec, timer=lambda: 0.0):
    feature_matrices = FeatureMatrices(rows, spec.features, spec.columns, IN_MEMORY, InTurn())
    return search(rows, feature_matrices, spec, InTurn(), timer)


def spec(random_state=0, **options):
    return TrainingSpec(
        search=SearchSpec(**options),
        features=FeatureSpec(),
        columns=ColumnsSpec(),
        random_state=random_state,
    )


@settings(max_examples=25, deadline=None)
@given(keys=st.lists(st.integers(0, 30), min_size=40, max_size=80), seed=st.integers(0, 9))
def test_folds_keep_groups_whole(keys, seed):
    """No group is on both sides of a fold."""
    keys = [0, 1, 2, *keys]  # one for each fold at least
    rows = make_rows([f"k{n}" for n in keys], ["ab"[n % 2] for n in range(len(keys))])
    folds = make_folds(rows, 3, seed)

    assert all(set(rows.leakage_keys[a]).isdisjoint(rows.leakage_keys[b]) for a, b in folds)


def test_each_row_is_tested_once(rows):
    """The test rows of all folds are the complete table."""
    judged = np.concatenate([test_index for _, test_index in make_folds(rows, 4, 0)])

    assert list(range(len(rows))) == sorted(judged)


def test_folds_repeat_with_their_seed(rows):
    """The same seed gives the same folds."""
    first, second = ([b.tolist() for _, b in make_folds(rows, 3, 5)] for _ in range(2))

    assert first == second


def test_folds_follow_their_seed(rows):
    """Another seed gives other folds."""
    first, second = ([b.tolist() for _, b in make_folds(rows, 3, seed)] for seed in (5, 6))

    assert first != second


def test_table_too_small_for_the_folds_is_a_training_error():
    """There are more folds than rows of any class."""
    with pytest.raises(TrainingError, match="4 folds"):
        make_folds(make_rows(["1", "2", "3", "4"], ["a", "b", "a", "b"]), 4, 0)


def test_every_candidate_has_a_score_of_each_fold(rows):
    """The report shows all scores."""
    grids = {"logistic_regression": {"C": [0.1, 1]}, "linear_svc": {"C": [1]}, "dummy": {}}
    report = run(rows, spec(folds=4, estimators=grids))

    assert [("logistic_regression", 4)] * 2 + [("linear_svc", 4), ("dummy", 4)] == [
        (c.estimator, len(c.fold_scores)) for c in report.candidates
    ]


def test_chosen_candidate_has_the_best_mean(rows):
    """The constant guess and the overregularized fit come first and lose."""
    grids = {"dummy": {}, "logistic_regression": {"C": [1e-9, 1.0]}}
    report = run(rows, spec(estimators=grids, metric="neg_log_loss"))

    assert (("logistic_regression", (("C", 1.0),)), True) == (
        (report.chosen.estimator, report.chosen.parameters),
        report.chosen.mean_score == max(c.mean_score for c in report.candidates),
    )


def test_first_of_equals_is_chosen(rows):
    """The order of the settings breaks a tie."""
    grids = {"logistic_regression": {"C": [1.0], "max_iter": [900, 800]}}
    report = run(rows, spec(estimators=grids))

    assert report.candidates[0] == report.chosen


def test_search_repeats(rows):
    """The same rows and settings give the same report."""
    reports = [run(rows, spec()) for _ in range(2)]

    assert reports[0] == reports[1]


def test_baselines_are_named_also_where_they_were_not_searched(rows):
    """They are fitted later, and shown with the chosen one."""
    report = run(rows, spec(estimators={"linear_svc": {"C": [1]}}))

    assert ["logistic_regression", "dummy"] == [c.estimator for c in report.baselines]


@pytest.mark.parametrize("metric", list_choosable())
@pytest.mark.parametrize("estimator", ["linear_svc", "logistic_regression", "dummy"])
def test_each_metric_works_with_each_estimator(rows, metric, estimator):
    """This includes metrics of probabilities with a linear SVC, which has none itself."""
    grids = {estimator: {"strategy": ["prior"]} if estimator == "dummy" else {"C": [1.0]}}
    report = run(rows, spec(estimators=grids, metric=metric))

    assert np.isfinite(report.chosen.fold_scores).all()


@pytest.mark.parametrize("metric", ["roc_auc_ovr", "neg_log_loss"])
def test_class_of_one_group_is_scored_where_it_is_known(metric):
    """In the fold that tests it, no model knows it, and it gets no probability."""
    rows = noisy_rows(0, n=240, n_classes=3)
    keys = np.where(rows.y == "c", "all of c", rows.leakage_keys).astype(object)
    grids = {"logistic_regression": {"C": [1.0]}}
    report = run(replace(rows, leakage_keys=keys), spec(estimators=grids, metric=metric))

    assert np.isfinite(report.chosen.fold_scores).all()


def test_fold_with_too_few_classes_is_a_training_error():
    """Each class is one group, so test rows have classes without training rows."""
    rows = noisy_rows(0, n=240, n_classes=3)
    rows = replace(rows, leakage_keys=rows.y)

    with pytest.raises(TrainingError, match="a fold of the search has too few classes"):
        run(rows, spec(estimators={"dummy": {}}, metric="neg_log_loss"))


@pytest.mark.parametrize("metric", ["roc_auc_ovr", "neg_log_loss"])
def test_calibrated_svc_is_better_than_the_constant_guess(rows, metric):
    """Its probabilities are informative."""
    grids = {"dummy": {}, "linear_svc": {"C": [1]}}
    report = run(rows, spec(estimators=grids, metric=metric))

    assert "linear_svc" == report.chosen.estimator


def test_grid_is_spelt_out():
    """Every value is combined with every other one."""
    grid = {"C": [1, 2], "max_iter": [10, 20, 30]}

    assert 6 == len(list_candidates(SearchSpec(estimators={"linear_svc": grid}), USE, 0))


def test_random_search_draws_as_many_as_asked_for():
    """No candidate is drawn twice."""
    candidates = list_candidates(SearchSpec(estimators=MANY, method="random", n_iter=7), USE, 0)

    assert 7 == len({c.parameters for c in candidates})


def test_random_search_repeats_with_its_seed():
    """The same seed gives the same candidates."""
    random = SearchSpec(estimators=MANY, method="random", n_iter=7)

    assert list_candidates(random, USE, 3) == list_candidates(random, USE, 3)


def test_random_search_follows_its_seed():
    """Another seed gives other candidates."""
    random = SearchSpec(estimators=MANY, method="random", n_iter=7)

    assert list_candidates(random, USE, 3) != list_candidates(random, USE, 4)


def test_random_search_of_a_small_grid_takes_all_of_it():
    """More candidates were requested than exist."""
    small = {"logistic_regression": {"C": [1, 2]}}

    assert 2 == len(list_candidates(SearchSpec(estimators=small, method="random"), USE, 0))


def test_unknown_parameter_is_the_operators():
    """The message suggests the most similar known parameter."""
    grids = {"logistic_regression": {"Cc": [1]}}

    with pytest.raises(ConfigurationError, match=r"no parameter 'Cc' \(did you mean 'C'"):
        list_candidates(SearchSpec(estimators=grids), USE, 0)


@pytest.mark.parametrize("value", [-1, "many"])
def test_refused_value_is_the_operators(value):
    """scikit-learn validates its parameters before it sees a row."""
    training_spec = SearchSpec(estimators={"logistic_regression": {"C": [value]}})

    with pytest.raises(ConfigurationError, match=r"search\.estimators\.logistic_regression"):
        list_candidates(training_spec, USE, 0)


@pytest.mark.parametrize(
    ("estimator", "grid"),
    [
        ("logistic_regression", {"solver": ["liblinear"]}),
        ("logistic_regression", {"l1_ratio": [1.0], "solver": ["lbfgs"], "penalty": ["l1"]}),
        ("linear_svc", {"loss": ["hinge"], "dual": [False]}),
    ],
)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_values_that_do_not_go_together_are_the_operators(rows, estimator, grid):
    """Each value is valid by itself; one solver does not support three classes."""
    with pytest.raises(ConfigurationError, match=rf"search\.estimators\.{estimator}"):
        run(rows, spec(estimators={estimator: grid}))


def noisy_rows(seed, n=240, n_classes=4):
    """Rows that are hard to classify, so that the candidates differ."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, n_classes, n)
    labels[: 3 * n_classes] = np.tile(np.arange(n_classes), 3)
    rows = make_rows([f"k{i}" for i in range(n)], ["abcdef"[label] for label in labels])
    matrix = rng.standard_normal((n, 20)) + 1.2 * np.eye(n_classes, 20)[labels]
    return replace(rows, embeddings=MatrixRows(matrix.astype(np.float32), np.arange(n)))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n_classes", [2, 5])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
@pytest.mark.parametrize("metric", ["f1_macro", "neg_log_loss"])
def test_engines_give_the_same_scores(seed, n_classes, class_weight, metric):
    """Both engines give the same scores in each fold, and the same choice."""
    rows = noisy_rows(seed, n_classes=n_classes)
    grids = {"logistic_regression": {"C": [0.1, 1, 10, 100]}, "linear_svc": {"C": [1]}}
    options = {"estimators": grids, "class_weight": class_weight, "metric": metric}
    fast, reference = (run(rows, spec(engine=name, **options)) for name in ("fast", "reference"))

    assert fast.chosen.parameters == reference.chosen.parameters
    for ours, theirs in zip(fast.candidates, reference.candidates, strict=True):
        np.testing.assert_allclose(ours.fold_scores, theirs.fold_scores, atol=1e-3)


@st.composite
def odd_rows(draw):
    """Few or wide rows, with one or many scales, separable or not, with redundant columns."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_classes = draw(st.integers(2, 6))
    n, width = draw(st.integers(8 * n_classes, 120)), draw(st.integers(1, 150))
    codes = np.concatenate([np.repeat(np.arange(n_classes), 6), rng.integers(0, n_classes, n)])
    near = draw(st.sampled_from([0.0, 1.0, 20.0]))
    matrix = rng.standard_normal((len(codes), width))
    matrix += near * rng.standard_normal((n_classes, width))[codes]
    kind = draw(st.sampled_from(["plain", "collinear", "constant", "scaled", "mostly zero"]))
    if kind == "collinear":
        matrix = np.hstack([matrix, 2 * matrix[:, :1], matrix[:, :1]])
    if kind == "constant":
        matrix = np.hstack([matrix, np.ones((len(matrix), 2)), np.zeros((len(matrix), 1))])
    if kind == "scaled":
        matrix *= 10.0 ** rng.integers(-3, 3, width)
    if kind == "mostly zero":
        matrix *= rng.random(matrix.shape) < 0.1
    rows = make_rows([f"k{n}" for n in range(len(codes))], ["abcdef"[code] for code in codes])
    return replace(rows, embeddings=MatrixRows(matrix.astype(np.float32), np.arange(len(codes))))


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    odd_rows(),
    st.sampled_from([None, "balanced"]),
    st.sampled_from(["logistic_regression", "linear_svc"]),
    st.integers(2, 4),
)
def test_engines_give_the_same_losses_on_odd_rows(rows, class_weight, estimator, n_folds):
    """The metric uses probabilities, which show more than labels do."""
    grids = {estimator: {"C": [0.1, 10]}}
    options = {"estimators": grids, "class_weight": class_weight, "metric": "neg_log_loss"}
    fast, reference = (
        run(rows, spec(engine=name, folds=n_folds, **options)) for name in ("fast", "reference")
    )

    for ours, theirs in zip(fast.candidates, reference.candidates, strict=True):
        np.testing.assert_allclose(ours.fold_scores, theirs.fold_scores, atol=1e-3)
    best = next(c for c in reference.candidates if c.parameters == fast.chosen.parameters)
    assert best.mean_score >= reference.chosen.mean_score - 1e-3


def test_reference_engine_is_a_grid_search():
    """The scores are those of scikit-learn's `GridSearchCV` over the complete pipeline."""
    rows = noisy_rows(0)
    values = [0.1, 1.0, 10.0]
    report = run(rows, spec(engine="reference", estimators={"logistic_regression": {"C": values}}))
    weight = FunctionTransformer(lambda X: X * standardized_weight(X.shape[1]))
    model = LogisticRegression(tol=1e-6, max_iter=1000)
    pipeline = Pipeline([("scaling", make_scaling()), ("weight", weight), ("model", model)])
    grid = GridSearchCV(
        pipeline, {"model__C": values}, scoring="f1_macro", cv=make_folds(rows, 3, 0), refit=False
    ).fit(rows.embeddings.read(), rows.y.astype(str))

    for n, candidate in enumerate(report.candidates):
        by_fold = [grid.cv_results_[f"split{k}_test_score"][n] for k in range(3)]
        np.testing.assert_allclose(candidate.fold_scores, by_fold, atol=1e-9)


def test_fast_engine_leaves_what_it_cannot_finish_to_scikit_learn(rows, monkeypatch):
    """A debug event is logged, no warning, and the scores are the reference's."""
    monkeypatch.setattr("job.solver.dense_batch._Batch._minimize", out_of_steps)
    with structlog.testing.capture_logs() as logs:
        report = run(rows, spec(estimators={"logistic_regression": {"C": [1, 10]}}))
    reference = run(
        rows, spec(engine="reference", estimators={"logistic_regression": {"C": [1, 10]}})
    )

    assert report == reference
    assert {"debug"} == {e["log_level"] for e in logs if e["event"] == "fast_engine_fell_back"}
    assert not [e for e in logs if e["log_level"] == "warning"]


def out_of_steps(_batch, points, _max_iter):
    """Return a solver's result that has not moved from its start."""
    n = len(points)
    return OptimizeResults(points=points, errors=np.ones(n), n_iter=np.zeros(n, int))


@pytest.mark.parametrize(
    "parameters",
    [{"solver": "newton-cg"}, {"fit_intercept": False}, {"l1_ratio": 0.5, "solver": "saga"}],
)
def test_fast_engine_takes_only_what_it_solves(rows, parameters):
    """scikit-learn fits models with other solvers and penalties."""
    model = LogisticRegression(**parameters)
    fit_linear_models([model], rows.embeddings.read(), rows.y, InTurn())

    assert not hasattr(model, "coef_")


@pytest.mark.parametrize(("max_seconds", "n_folds"), [(0.5, 1), (1.5, 2), (9.0, 4), (None, 4)])
def test_time_that_is_over_ends_the_search_after_a_fold(rows, max_seconds, n_folds):
    """One fold always completes; the clock advances once before each fold."""
    training_spec = spec(
        folds=4, max_seconds=max_seconds, estimators={"logistic_regression": {"C": [1]}}
    )
    with structlog.testing.capture_logs() as logs:
        report = run(rows, training_spec, timer=count().__next__)

    assert (n_folds, n_folds < 4) == (len(report.chosen.fold_scores), report.is_cut_short)
    assert [n_folds] * (n_folds < 4) == [
        entry["n_folds"] for entry in logs if entry["event"] == "search_cut_short"
    ]


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_parameters_may_speak_of_labels(rows, engine):
    """A class weight contains class names of the table."""
    grids = {
        "logistic_regression": {"C": [1.0], "class_weight": [{"a": 2, "b": 1, "c": 1}]},
        "dummy": {"strategy": ["constant"], "constant": ["a"]},
    }
    report = run(rows, spec(engine=engine, estimators=grids))

    assert "logistic_regression" == report.chosen.estimator


def test_models_of_other_weights_are_fitted_apart():
    """Each candidate has its own class weight, even if candidates are fitted together."""
    rows = noisy_rows(1)
    rows = rows.take(np.flatnonzero((rows.y != "a") | (np.arange(len(rows)) % 5 == 0)))
    grids = {"logistic_regression": {"C": [1.0], "class_weight": [None, "balanced"]}}
    fast, reference = (
        run(rows, spec(engine=name, estimators=grids)) for name in ("fast", "reference")
    )
    plain, balanced = fast.candidates

    assert plain.fold_scores != balanced.fold_scores
    assert [c.fold_scores for c in fast.candidates] == [c.fold_scores for c in reference.candidates]


def test_many_rows_are_scored_within_a_thousandth_of_the_reference():
    """Ten tolerances are precise enough there; an operator's own tolerance is not loosened."""
    rows = noisy_rows(0, n=6600)
    for tol in (1e-6, 1e-5):
        grids = {"logistic_regression": {"C": [1, 100], "tol": [tol]}}
        fast, reference = (
            run(rows, spec(engine=name, estimators=grids)) for name in ("fast", "reference")
        )
        for ours, theirs in zip(fast.candidates, reference.candidates, strict=True):
            np.testing.assert_allclose(ours.fold_scores, theirs.fold_scores, atol=1e-3)


def test_halving_drops_the_worse_and_gives_the_others_more_rows():
    """Nine candidates become three, then one; the last one is fitted to all rows and chosen."""
    rows = noisy_rows(3, n=900)
    grids = {"logistic_regression": {"C": [1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1, 10, 100]}}
    report = run(rows, spec(estimators=grids, halving_factor=3))
    by_rows = sorted((c.n_samples, c.ended) for c in report.candidates if c.n_samples < 900)

    assert ([(100, "halved")] * 6 + [(300, "halved")] * 2, 900, None) == (
        [(round(n, -2), ended) for n, ended in by_rows],
        report.chosen.n_samples,
        report.chosen.ended,
    )


def test_time_that_is_over_between_rounds_ends_with_the_best_of_those_that_were_kept():
    """Three folds complete within the time; the next round does not start."""
    rows = noisy_rows(3, n=900)
    grids = {"logistic_regression": {"C": [1e-6, 1.0, 10.0]}}
    training_spec = spec(estimators=grids, halving_factor=3, max_seconds=2.5)
    report = run(rows, training_spec, timer=count().__next__)

    assert (True, 300, 3) == (
        report.is_cut_short,
        round(report.chosen.n_samples, -2),
        len(report.chosen.fold_scores),
    )


def test_best_input_is_found():
    """The numbers separate the classes, the embeddings do not; a baseline has the same input."""
    rng = np.random.default_rng(0)
    rows = noisy_rows(0, n=300)
    frame = pd.DataFrame({"told": (rows.y == "a") * 2.0 + rng.normal(0, 0.1, 300)})
    rows = replace(
        rows,
        y=np.where(rows.y == "a", "a", "b").astype(object),
        embeddings=MatrixRows(rng.standard_normal((300, 4)).astype(np.float32), np.arange(300)),
        frame=frame.astype(np.float32),
    )
    inputs = (("embeddings",), ("numeric",), ("embeddings", "numeric"))
    training_spec = TrainingSpec(
        search=SearchSpec(estimators={"logistic_regression": {"C": [1.0]}}, inputs=inputs),
        features=FeatureSpec(use=("embeddings", "numeric")),
        columns=ColumnsSpec(numeric=("told",)),
        random_state=0,
    )
    report = run(rows, training_spec)

    assert inputs == tuple(c.feature_blocks for c in report.candidates)
    assert report.candidates[0].mean_score < 0.7
    assert ("numeric",) == report.chosen.feature_blocks
    assert [("numeric",)] * 2 == [c.feature_blocks for c in report.baselines]


def test_folds_start_from_the_fold_before(rows, monkeypatch):
    """Columns must be the same; the scores are those of a cold start."""
    training_spec = spec(estimators={"logistic_regression": {"C": [1.0, 10.0]}}, folds=3)
    near = run(rows, training_spec)
    has_start = []

    def fit(design, problems, stop, start):
        if design.dtype == np.float64:  # it goes on from single precision
            return fit_dense_batch(design, problems, stop, start)
        has_start.append(start is not None)
        return fit_dense_batch(design, problems, stop, None)

    monkeypatch.setattr("job.solver.mixed_precision.fit_dense_batch", fit)

    assert near == run(rows, training_spec)
    assert [False, True, True] == has_start


def test_loose_tolerance_does_not_keep_what_the_fold_before_has_seen():
    """Random labels are unpredictable, except for a model that was fitted to them."""
    rng = np.random.default_rng(0)
    rows = noisy_rows(0, n=600)
    matrix = rng.standard_normal((600, 200)).astype(np.float32)
    labels = np.array(["a", "b", "c"], dtype=object)[rng.integers(0, 3, 600)]
    rows = replace(rows, y=labels, embeddings=MatrixRows(matrix, np.arange(600)))
    grids = {"logistic_regression": {"C": [1, 100], "tol": [1e-2]}}
    report = run(rows, spec(estimators=grids, metric="accuracy"))

    assert max(max(c.fold_scores) for c in report.candidates) < 0.45


def test_early_rounds_keep_terms_that_as_many_of_their_keys_hold():
    """A minimum for the complete table would leave no terms in few texts."""
    rng = np.random.default_rng(0)
    words = np.array([f"w{one}{other}" for one in "abcdefghij" for other in "abcdefghijklmnopqrst"])
    texts = [" ".join([*rng.choice(words, 6), f"about{'abcd'[n % 4]}"]) for n in range(800)]
    rows = noisy_rows(0, n=800)
    rows = replace(
        rows,
        y=np.array([f"c{n % 4}" for n in range(800)], dtype=object),
        text=np.array(texts, dtype=object),
    )
    training_spec = TrainingSpec(
        search=SearchSpec(
            estimators={"logistic_regression": {"C": [10.0**n for n in range(-12, 4)]}},
            halving_factor=2,
        ),
        features=FeatureSpec(use=("text",), analyzers=("word",), min_groups=40),
        columns=ColumnsSpec(),
        random_state=0,
    )

    assert 800 == run(rows, training_spec).chosen.n_samples


def test_last_of_the_candidates_goes_straight_to_all_rows(monkeypatch):
    """Rounds without other candidates to compare with decide nothing."""
    rows = noisy_rows(3, n=900)
    grids = {"logistic_regression": {"C": [1.0]}}
    shares = [1 / 9, 1 / 3, 1.0]
    monkeypatch.setattr("job.stages.training.search.schedule.plan_rounds", lambda *_: shares)
    n_samples = []

    def fit(design, *arguments):
        if design.dtype == np.float32:
            n_samples.append(design.shape[0])
        return fit_dense_batch(design, *arguments)

    monkeypatch.setattr("job.solver.mixed_precision.fit_dense_batch", fit)
    run(rows, spec(estimators=grids, halving_factor=3))

    assert [67, 600] == [round(n) for n in (n_samples[0], n_samples[-1])]
    assert 6 == len(n_samples)


def test_near_duplicates_of_test_rows_are_not_trained_on():
    """Groups of the group column can share near-duplicates."""
    n = 240
    keys = np.array([f"group:{i % 24}" for i in range(n)], dtype=object)
    rows = Rows(
        y=np.array(["ab"[i % 2] for i in range(n)], dtype=object),
        leakage_keys=keys,
        text_keys=np.array([f"text:{i}" for i in range(n)], dtype=object),
        text=None,
        embeddings=None,
        frame=pd.DataFrame(index=range(n)),
        near_duplicate_groups=np.arange(n) // 2,
    )
    folds = make_folds(rows, 3, 0)

    assert all(set(rows.leakage_keys[a]).isdisjoint(rows.leakage_keys[b]) for a, b in folds)
    assert all(
        set(rows.near_duplicate_groups[a]).isdisjoint(rows.near_duplicate_groups[b])
        for a, b in folds
    )
    assert [*range(n)] == sorted(i for _, test_index in folds for i in test_index)


def test_fits_that_draw_are_the_same_on_threads():
    """All liblinear fits share one generator, and each of them sets its seed."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((200, 600)), rng.choice(["a", "b", "c"], 200)

    def coefficients(_):
        model = LinearSVC(random_state=0)
        fit(model, X, y, "linear_svc")
        return model.coef_

    alone = coefficients(None)

    assert all(
        np.array_equal(alone, coefficient)
        for coefficient in LocalThreads(4).map(coefficients, range(8))
    )
