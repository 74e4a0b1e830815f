"""A model is completed for an older scikit-learn, or no compatibility is claimed."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

from job.stages.training.compatibility import make_compatible, use_double_precision

WANTED = ("scikit-learn==1.4.2",)
TEXTS, LABELS = ["delete it", "export it", "delete me", "export me"] * 5, ["d", "e"] * 10


@pytest.fixture
def model():
    return make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS, LABELS)


def test_nothing_wanted_changes_nothing(model):
    assert () == make_compatible(model, ())
    assert not hasattr(model[-1], "multi_class")


def test_logistic_regression_says_how_it_treats_classes(model):
    assert WANTED == make_compatible(model, WANTED)
    assert "auto" == model[-1].multi_class


def test_tfidf_has_its_diagonal(model):
    make_compatible(model, WANTED)
    inner = model[0]._tfidf

    assert sparse.issparse(inner._idf_diag)
    np.testing.assert_array_equal(inner._idf_diag.diagonal(), inner.idf_)


def test_predictions_stay(model):
    before = model.predict_proba(TEXTS)
    make_compatible(model, WANTED)

    np.testing.assert_allclose(model.predict_proba(TEXTS), before, rtol=0, atol=1e-15)


def test_double_precision_keeps_the_values():
    """Texts are counted, numbers cast and coefficients multiplied in double precision."""
    vectorizer = CountVectorizer(dtype=np.float32)
    cast = FunctionTransformer(np.asarray, kw_args={"dtype": np.float32})
    factor = np.eye(2, dtype=np.float32)
    classifier = LogisticRegression().fit(np.eye(2, dtype=np.float32), ["d", "e"])
    product = FunctionTransformer(np.dot, kw_args={"b": factor})
    model = [vectorizer, cast, product, classifier]
    use_double_precision(model)

    assert np.float64 == vectorizer.dtype == cast.kw_args["dtype"]
    assert np.float64 == product.kw_args["b"].dtype == classifier.coef_.dtype
    np.testing.assert_array_equal(factor, product.kw_args["b"])


@pytest.mark.parametrize(("method", "claimed"), [("sigmoid", WANTED), ("temperature", ())])
def test_calibration_of_a_later_version_is_not_claimed(method, claimed):
    model = make_pipeline(TfidfVectorizer(), CalibratedClassifierCV(LinearSVC(), method=method))

    assert claimed == make_compatible(model.fit(TEXTS, LABELS), WANTED)
