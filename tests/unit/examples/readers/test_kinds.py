"""Both readers compute every kind of block, head and link as the specification says."""

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.calibration import CalibratedClassifierCV
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import Normalizer, OneHotEncoder
from sklearn.svm import LinearSVC
from support.readers import (
    join_terms,
    predict_with_javascript,
    predict_with_python,
    write_model,
)

WIDTH = 6
EMBEDDINGS = {"kind": "embeddings", "width": WIDTH}
GIVEN = {"kind": "embeddings", "names": None, "n_given": WIDTH, "unit_rows": False}
RNG = np.random.default_rng(5)
ROWS = np.vstack([RNG.normal(size=(20, WIDTH)), np.zeros((1, WIDTH)), np.full((1, WIDTH), 1e-17)])


def linear(n_features, n_scores=3):
    """Return a head with random weights."""
    weights = RNG.normal(size=(n_features, n_scores))
    return {"kind": "linear", "weights": weights, "intercept": RNG.normal(size=n_scores)}


def softmax_of(features, head, factor=1.0):
    return softmax(factor * (features @ head["weights"] + head["intercept"]), axis=1)


def assert_both_readers_predict(path, rows, expected, atol=1e-13):
    """Compare both readers with the expected probabilities; rows of Python may be an array."""
    np.testing.assert_allclose(predict_with_python(path, rows), expected, rtol=0, atol=atol)
    values = rows.tolist() if isinstance(rows, np.ndarray) else rows
    np.testing.assert_allclose(predict_with_javascript(path, values), expected, rtol=0, atol=atol)


def write_for_embeddings(path, head, link, classes=("a", "b", "c"), **changes):
    blocks = [{**GIVEN, **changes}]
    write_model(path, blocks=blocks, head=head, link=link, input=EMBEDDINGS, classes=classes)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def test_chosen_columns_are_mapped_and_scaled(path):
    """Columns are chosen first, then mapped; a row of zeros keeps its length."""
    columns = np.array([4, 0, 2])
    offset, scale = np.array([0.0, 1.0, 0.0]), np.array([2.0, 0.5, -1.0])
    head = linear(3)
    write_for_embeddings(
        path,
        head,
        {"kind": "softmax", "factor": 2.5},
        columns=columns,
        offset=offset,
        scale=scale,
        unit_rows=True,
    )
    features = Normalizer().fit_transform(offset + scale * ROWS[:, columns])

    assert_both_readers_predict(path, ROWS, softmax_of(features, head, 2.5))


def test_short_rows_are_not_scaled(path):
    """Rows shorter than 10 * 2^-52 are left as they are."""
    rows = np.vstack([ROWS, np.eye(WIDTH) * 2.2e-15, np.eye(WIDTH) * 2.3e-15])
    head = linear(WIDTH)
    write_for_embeddings(path, head, {"kind": "softmax", "factor": 1}, unit_rows=True)

    assert_both_readers_predict(path, rows, softmax_of(Normalizer().fit_transform(rows), head))


def test_numbers_of_single_precision_are_widened(path):
    """They are not rounded again."""
    rows = ROWS.astype(np.float32)
    head = linear(WIDTH)
    write_for_embeddings(path, head, {"kind": "softmax", "factor": 1})

    assert_both_readers_predict(path, rows, softmax_of(rows.astype(float), head))


NAMES = ["text", "embeddings_0", "embeddings_1", "n", "m", "is_new", "is_old", "app", "place"]
TABLE = [
    ["delete it", 0.5, -2, 3, 1e-3, True, False, "mail", "north"],
    ["", 0, 0, None, None, None, None, None, None],
    ["KEEP it", 1, 1, float("nan"), 7, 1, float("nan"), float("nan"), "south"],
    ["delete delete", 1, 1, -1e300, 1e12, 0, True, "__none__", "__rare__"],
    ["?", 1e-3, 7, 0, 0, False, None, "", "__none__"],
    ["keep", 1, 0, 1, 1, False, True, "unseen", "North"],
    ["keep", 1, 0, 1, 1, False, True, "mail", "constructor"],
]
RECORDS = [dict(zip([*NAMES, "unused"], [*row, "x"], strict=True)) for row in TABLE]


def missing_to_nan(values):
    return np.array(values, dtype=object).astype(float)


def union_with_indicator(values, filled):
    """Return filled values and scikit-learn's indicators."""
    return np.hstack([filled, MissingIndicator(features="all").fit_transform(values)])


def make_table_model():
    """Return blocks of all kinds and their features, computed with scikit-learn."""
    columns = dict(zip(NAMES, map(list, zip(*TABLE, strict=True)), strict=True))
    numbers = missing_to_nan([columns["n"], columns["m"]]).T
    booleans = missing_to_nan([columns["is_new"], columns["is_old"]]).T
    damped = np.arcsinh(np.array([-1.0, 0.0]) + np.array([0.5, 4.0]) * numbers)
    fill = SimpleImputer(strategy="most_frequent").fit(booleans)
    levels = [["__none__", "mail"], ["north", "south"]]
    words = [text.lower().split() for text in columns["text"]]
    counts = np.array([[row.count("delete"), row.count("keep")] for row in words])
    weights = np.where(counts > 0, 1 + np.log(np.maximum(counts, 1)), 0)
    categories = np.array([columns["app"], columns["place"]], dtype=object).T
    is_missing = np.array([[v is None or v != v for v in row] for row in categories])
    categories[is_missing] = "__none__"
    encoder = OneHotEncoder(
        categories=[[*ls, "__rare__"] for ls in levels],
        min_frequency=1,
        handle_unknown="infrequent_if_exist",
        sparse_output=False,
    ).fit([["mail", "north"], ["__none__", "south"]])
    blocks = [
        {
            "kind": "terms",
            "column": "text",
            "analyzer": "word",
            "ngrams": [1, 1],
            "terms": join_terms(["delete", "keep"]),
        },
        {"kind": "embeddings", "names": NAMES[1:3], "n_given": 2, "unit_rows": False},
        {
            "kind": "numeric",
            "names": ["n", "m"],
            "offset": np.array([-1.0, 0.0]),
            "scale": np.array([0.5, 4.0]),
        },
        {"kind": "boolean", "names": ["is_new", "is_old"], "fill": fill.statistics_},
        {"kind": "categorical", "names": ["app", "place"], "levels": levels},
    ]
    features = np.hstack(
        [
            Normalizer().fit_transform(weights),
            np.array([columns[name] for name in NAMES[1:3]], float).T,
            union_with_indicator(damped, np.nan_to_num(damped)),
            union_with_indicator(booleans, fill.transform(booleans)),
            encoder.transform(categories),
        ]
    )
    return blocks, features


def test_table_with_all_blocks(path):
    """Missing values, unseen levels, and levels with the reserved names have their features."""
    blocks, features = make_table_model()
    head = linear(features.shape[1])
    head["weights"] /= 1 + np.abs(features).max(axis=0)[:, None]
    write_model(
        path,
        blocks=blocks,
        head=head,
        link={"kind": "softmax", "factor": 1},
        input={"kind": "dataframe", "names": NAMES},
    )
    rows = [{name: None if v != v else v for name, v in row.items()} for row in RECORDS]

    expected = softmax_of(features, head)
    np.testing.assert_allclose(predict_with_python(path, RECORDS), expected, rtol=0, atol=1e-13)
    assert_both_readers_predict(path, rows, expected)


def unit(rows):
    return Normalizer().fit_transform(rows)


def prototypes(n_scores, *, unit_rows):
    return {
        "kind": "prototypes",
        "centers": RNG.normal(size=(WIDTH, 9)) * 8,
        "weights": RNG.normal(size=(9 + WIDTH, n_scores)),
        "intercept": RNG.normal(size=n_scores),
        "row_weight": 0.06,
        "unit_rows": unit_rows,
    }


def score_shares(head, rows):
    """Return the scores as the specification writes them."""
    exponentials = np.exp(rows @ head["centers"])
    shares = exponentials / exponentials.sum(axis=1, keepdims=True)
    return np.hstack([shares, 0.06 * rows]) @ head["weights"] + head["intercept"]


def test_prototypes(path):
    """Rows are scaled to length 1 if the head says so."""
    for unit_rows in (True, False):
        head = prototypes(3, unit_rows=unit_rows)
        write_for_embeddings(path, head, {"kind": "softmax", "factor": 1})
        rows = unit(ROWS) if unit_rows else ROWS

        assert_both_readers_predict(path, ROWS, softmax(score_shares(head, rows), axis=1))


def test_prototypes_with_perceptron(path):
    """The perceptron decides on rows whose length is not 1; at the bound, both can be zero."""
    near = prototypes(3, unit_rows=True)
    perceptron = {
        "hidden_weights": RNG.normal(size=(WIDTH + 1, 4)),
        "hidden_intercept": RNG.normal(size=4),
        "output_weights": RNG.normal(size=(4, 3)),
        "output_intercept": RNG.normal(size=3),
        "bound": 0.06,
        "steepness": 1e6,
    }
    head = {
        "kind": "prototypes_with_perceptron",
        "prototypes": near,
        "perceptron": perceptron,
    }
    write_for_embeddings(path, head, {"kind": "softmax", "factor": 1})
    squares = [1, 0.5, 0.95, 1.05, 1.07, 2, 1.06 + 1e-7, 1.06 - 1e-7, 0.94 - 1e-7]
    rows = unit(ROWS[: len(squares)]) * np.sqrt(squares)[:, None]
    q = np.square(rows).sum(axis=1, keepdims=True) - 1
    hidden = np.hstack([rows, q]) @ perceptron["hidden_weights"] + perceptron["hidden_intercept"]
    far = hidden.clip(min=0) @ perceptron["output_weights"] + perceptron["output_intercept"]
    is_far = np.abs(q) > 0.06
    scores = np.where(is_far, far, score_shares(near, unit(rows)))
    clear = slice(0, 6)  # beyond the bound by enough for the other part to be 0

    assert_both_readers_predict(path, rows[clear], softmax(scores[clear], axis=1))
    python, javascript = (
        predict_with_python(path, rows),
        predict_with_javascript(path, rows.tolist()),
    )
    np.testing.assert_allclose(python, javascript, rtol=0, atol=1e-9)
    assert (np.abs(python - softmax(scores, axis=1)).max(axis=1)[6:] > 1e-6).all()


def test_constant(path):
    """No row has an influence, and there may be no blocks."""
    write_model(
        path,
        blocks=[],
        head={"kind": "constant", "probabilities": np.array([0.2, 0.5, 0.3])},
        link={"kind": "identity"},
        input={"kind": "text"},
    )

    assert_both_readers_predict(path, ["x", ""], [[0.2, 0.5, 0.3]] * 2, atol=0)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_logistic_regression_of_scikit_learn(path, n_classes):
    """Two classes have one score and a sigmoid."""
    X, y = ROWS[:20], np.arange(20) % n_classes
    model = LogisticRegression().fit(X, y)
    head = {"kind": "linear", "weights": model.coef_.T.copy(), "intercept": model.intercept_}
    link = {"kind": "sigmoid" if n_classes == 2 else "softmax", "factor": 1.0}
    write_for_embeddings(path, head, link, classes=list("abc")[:n_classes])

    assert_both_readers_predict(path, ROWS, model.predict_proba(ROWS))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_sigmoid_calibration_of_scikit_learn(path, n_classes):
    """With more than two classes, the sigmoids of the classes are divided by their sum."""
    X, y = ROWS[:20], np.arange(20) % n_classes
    calibrated = CalibratedClassifierCV(LinearSVC(), method="sigmoid", ensemble=False, cv=2)
    model = calibrated.fit(X, y).calibrated_classifiers_[0]
    head = {
        "kind": "linear",
        "weights": model.estimator.coef_.T.copy(),
        "intercept": model.estimator.intercept_,
    }
    link = {
        "kind": "platt",
        "slope": np.array([c.a_ for c in model.calibrators]),
        "offset": np.array([c.b_ for c in model.calibrators]),
    }
    write_for_embeddings(path, head, link, classes=list("abc")[:n_classes])

    assert_both_readers_predict(path, ROWS, calibrated.predict_proba(ROWS))


def test_scores_of_any_size(path):
    """Nothing overflows; if all sigmoids are 0, the classes are equally probable."""
    head = {"kind": "linear", "weights": np.eye(WIDTH)[:, :3].copy(), "intercept": np.zeros(3)}
    scores = np.array([[0, 0, 0], [800, 0, -800], [1e6, 1e6, 1e6], [-40, -41, -42]])
    rows = np.hstack([scores, np.zeros((4, 3))])
    write_for_embeddings(path, head, {"kind": "softmax", "factor": 3})
    assert_both_readers_predict(path, rows, softmax(3.0 * scores, axis=1))
    link = {"kind": "platt", "slope": np.ones(3), "offset": np.zeros(3)}
    write_for_embeddings(path, head, link)
    q = expit(-scores.astype(float))
    q[2] = 1
    assert_both_readers_predict(path, rows, q / q.sum(axis=1, keepdims=True))


def test_two_classes_of_one_extreme_score(path):
    """Probabilities are 0 and 1, without warnings."""
    head = {"kind": "linear", "weights": np.eye(WIDTH)[:, :1].copy(), "intercept": np.zeros(1)}
    rows = np.outer([-1e4, -1, 0, 1e4], np.eye(WIDTH)[0])
    write_for_embeddings(path, head, {"kind": "sigmoid", "factor": 2.0}, classes=["a", "b"])
    second = expit(2 * rows[:, :1])

    assert_both_readers_predict(path, rows, np.hstack([1 - second, second]))
