"""Both readers predict what the published pipeline predicts, for every estimator and input."""

from itertools import cycle, islice

import numpy as np
import pandas as pd
import pytest
from support.hard_texts import HARD_TEXTS
from support.readers import list_rows, predict_with_python, run_javascript
from support.trained_models import USES, make_geometry, make_rows, train

from job.model_form.encoding import encode_form
from job.stages.features.preprocessing import make_input
from job.stages.packaging.metadata import describe_input
from job.stages.packaging.plain_form import describe_model
from job.stages.packaging.plain_form.hard_rows import make_hard_rows

EMBEDDINGS = ("embeddings",)
WITH_TEXT = USES[-1]
CASES = {
    **{f"logistic regression of {' '.join(use)}": (use, "logistic_regression", {}) for use in USES},
    **{
        f"linear SVC of {use[0]} with {method}": (
            use,
            "linear_svc",
            {"search": {"calibration": method}},
        )
        for use in (EMBEDDINGS, WITH_TEXT)
        for method in ("sigmoid", "temperature")
    },
    "restored rows": (EMBEDDINGS, "logistic_regression", {"geometry": make_geometry()}),
    "prototypes": (EMBEDDINGS, "prototypes", {}),
    "prototypes of a mixture": (USES[3], "prototypes", {}),
    "prototypes of restored rows": (EMBEDDINGS, "prototypes", {"geometry": make_geometry()}),
    "prototypes with a perceptron": (
        EMBEDDINGS,
        "prototypes",
        {"geometry": make_geometry(), "is_extended": True},
    ),
    "dummy": (EMBEDDINGS, "dummy", {}),
    "dummy of a mixture": (WITH_TEXT, "dummy", {}),
}


@pytest.fixture(scope="module")
def predictions(tmp_path_factory):
    """Return the probabilities of joblib's model and of both readers, for all cases."""
    folder, expected, python, cases = tmp_path_factory.mktemp("models"), {}, {}, []
    for n_classes in (2, 3):
        rows = make_rows(n_classes=n_classes, has_gaps=True)
        for name, (use, estimator, options) in CASES.items():
            model = train(use, estimator, rows=rows, **options)
            form = describe_model(model.pipeline, describe_input(rows, use), 0.5)
            path = folder / f"{len(cases)}.safetensors"
            path.write_bytes(encode_form(form))
            key, X = (name, n_classes), add_hard_rows(make_input(rows, use), form)
            expected[key] = model.pipeline.predict_proba(X)
            python[key] = predict_with_python(path, list_rows(X))
            cases.append((path, list_rows(X)))
    return expected, python, dict(zip(expected, run_javascript(cases), strict=True))


def add_hard_rows(X, form):
    """Return rows of the table, and rows on which readers are likely to differ."""
    hard = make_hard_rows(form)
    if isinstance(X, list):
        return [*X, *hard, *HARD_TEXTS]
    if isinstance(X, np.ndarray):
        return np.vstack([X, hard])
    if "text" in X:
        hard["text"] = list(islice(cycle(HARD_TEXTS), len(hard)))
    if "is_new" in X:  # readers refuse other numbers than 1 and 0
        hard["is_new"] = list(islice(cycle([1.0, 0.0, np.nan]), len(hard)))
    return pd.concat([X, hard])


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", CASES)
def test_readers_predict_as_the_pipeline(predictions, name, n_classes):
    """Probabilities differ by rounding only, so classes differ at ties only."""
    expected, *readers = (found[name, n_classes] for found in predictions)

    for proba in readers:
        np.testing.assert_allclose(proba, expected, rtol=0, atol=1e-9)
        first, second = np.sort(expected, axis=1)[:, :-3:-1].T
        is_clear = first - second > 1e-12
        assert (proba.argmax(axis=1) == expected.argmax(axis=1))[is_clear].all()
