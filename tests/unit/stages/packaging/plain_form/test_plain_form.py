"""The plain form of every model predicts the same as the fitted pipeline, or is refused."""

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import PowerTransformer
from support.trained_models import COLUMNS, USES, make_geometry, make_rows, train

from job.errors import TrainingError
from job.model_form.encoding import decode_form, encode_form
from job.stages.features.preprocessing import make_unit_rows, select_blocks
from job.stages.packaging.metadata import describe_input
from job.stages.packaging.plain_form import describe_model
from job.stages.packaging.plain_form.proof import prove_form

DENSE = tuple(use for use in USES if "text" not in use)
CASES = [
    *(("logistic_regression", use, {}) for use in USES),
    *(("linear_svc", use, {}) for use in USES),
    *(("linear_svc", use, {"search": {"calibration": "temperature"}}) for use in USES[:2]),
    *(("prototypes", use, {}) for use in DENSE),
    ("logistic_regression", ("embeddings",), {"geometry": make_geometry()}),
    ("prototypes", ("embeddings",), {"geometry": make_geometry()}),
    ("prototypes", ("embeddings",), {"geometry": make_geometry(), "is_extended": True}),
    *(("dummy", use, {}) for use in USES),
    ("dummy", ("embeddings",), {"strategy": "uniform"}),
]


def encode(model, rows, threshold=None):
    selected = select_blocks(rows, model.feature_blocks, COLUMNS)
    form = describe_model(model.pipeline, describe_input(selected, model.feature_blocks), threshold)
    return encode_form(form), selected


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize(("estimator", "use", "options"), CASES)
def test_form_predicts_the_same(estimator, use, options, n_classes):
    """The proof passes, on rows with gaps and on hard rows."""
    rows = make_rows(n_classes=n_classes, has_gaps=True)
    model = train(use, estimator, rows=rows, **options)
    data, selected = encode(model, rows)
    proof = prove_form(data, model, selected)

    assert proof.largest_difference <= 1e-12
    assert len(rows) == proof.n_rows
    assert (0 if estimator == "dummy" else 20) <= proof.n_hard_rows


def change(form, part, name, **changes):
    """Return the form with one array of a part changed at its first entry."""
    content = form.model_dump()
    place = content["blocks"][part] if isinstance(part, int) else content[part]
    values = place[name].copy()
    values.flat[0] = -values.flat[0] - 1e-6
    place[name] = values
    return type(form).model_validate(content)


def swap_terms(form):
    content = form.model_dump()
    first, second, *rest = content["blocks"][0]["terms"].tobytes().split(b"\n")
    joined = b"\n".join([second, first, *rest])
    content["blocks"][0]["terms"] = np.frombuffer(joined, np.uint8)
    return type(form).model_validate(content)


def wrong_link(form):
    content = form.model_dump()
    content["link"]["factor"] *= 1.001
    return type(form).model_validate(content)


def other_level(form):
    content = form.model_dump()
    [levels] = content["blocks"][-1]["levels"]
    content["blocks"][-1]["levels"] = [[*levels[:-1], "unknown"]]
    return type(form).model_validate(content)


@pytest.mark.parametrize(
    ("use", "damage"),
    [
        (("text",), lambda form: change(form, "head", "weights")),
        (("text",), swap_terms),
        (("embeddings",), lambda form: change(form, "head", "intercept")),
        (("embeddings",), wrong_link),
        (USES[3], lambda form: change(form, 1, "scale")),
        (USES[3], lambda form: change(form, 2, "fill")),
        (USES[3], other_level),
    ],
    ids=["weight", "terms", "intercept", "link", "scale", "fill", "level"],
)
def test_changed_form_is_refused(use, damage):
    """The positive control: the unchanged form of the same model passes."""
    rows = make_rows(has_gaps=True)
    model = train(use, rows=rows)
    data, selected = encode(model, rows)
    prove_form(data, model, selected)
    changed = encode_form(damage(decode_form(data, "model")))

    with pytest.raises(TrainingError, match="does not predict the same"):
        prove_form(changed, model, selected)


def test_dropped_indicator_is_refused():
    """A block without its indicators has fewer features than the head takes."""
    rows = make_rows(has_gaps=True)
    data, _ = encode(train(USES[3], rows=rows), rows)
    content = decode_form(data, "model").model_dump()
    content["head"]["weights"] = content["head"]["weights"][:-1]

    with pytest.raises(ValueError, match=r"blocks have .* features, but the head takes"):
        type(decode_form(data, "model")).model_validate(content)


def test_rows_at_the_threshold_are_counted():
    """A row crosses it if only one of the two models answers it."""
    rows = make_rows()
    model = train(("embeddings",), "dummy", rows=rows)
    data, selected = encode(model, rows, threshold=1 / 3)

    proof = prove_form(data, model, selected)
    assert 0 == proof.n_crossed
    assert proof.n_rows == proof.n_ties

    data, _ = encode(model, rows, threshold=1 / 3 + 1e-10)
    form = decode_form(data, "model")
    content = form.model_dump()
    content["head"]["probabilities"] = content["head"]["probabilities"] + [2e-10, 0, 0]
    shifted = encode_form(type(form).model_validate(content))
    assert len(rows) == prove_form(shifted, model, selected).n_crossed


@pytest.mark.parametrize(
    ("step", "name"),
    [
        (("classifier", GaussianNB()), "GaussianNB"),
        (("classifier", DummyClassifier(strategy="stratified")), "DummyClassifier"),
        (("preprocess", PowerTransformer()), "PowerTransformer"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_step_without_a_plain_form_is_named(step, name):
    rows = make_rows()
    steps = {"preprocess": make_unit_rows(), "classifier": train(("embeddings",)).pipeline[-1]}
    steps[step[0]] = step[1]
    pipeline = Pipeline(list(steps.items())).fit(rows.embeddings.read(), rows.y.astype(str))

    with pytest.raises(TrainingError, match=name):
        describe_model(pipeline, describe_input(rows, ("embeddings",)), None)
