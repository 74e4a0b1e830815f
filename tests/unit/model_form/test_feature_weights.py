"""The weights of named features explain the scores of a model."""

import numpy as np
import pytest
from support.published_forms import FORMS, NAMES, USES, make_rows, train_form

from job.model_form.blocks import make_transform
from job.model_form.feature_weights import count_unnamed, find_prototypes, list_weights
from job.stages.features.preprocessing import make_input
from job.stages.packaging.metadata import describe_input
from job.stages.packaging.plain_form import describe_model

LINEAR = [
    (name, form)
    for name, form in zip(NAMES, FORMS, strict=True)
    if form[1] in ("logistic_regression", "linear_svc") and "embeddings" not in form[0]
]


@pytest.mark.parametrize("form", [form for _, form in LINEAR if "all" not in form[0]])
def test_feature_of_the_largest_weight_raises_the_probability(form):
    """Rows with more of the first features of a class get the class more often."""
    use, _, n_classes, _ = form
    pipeline, _ = train_form(*form)
    rows = make_rows(n_classes)
    X = make_input(rows, USES[use])
    plain = describe_model(pipeline, describe_input(rows, USES[use]), None)
    blocks = [make_transform(block)(X) for block in plain.blocks]
    features = np.hstack([b.toarray() if hasattr(b, "toarray") else b for b in blocks])
    proba = pipeline.predict_proba(X)

    for column, label in enumerate(plain.classes):
        weights = np.array([w.weight for w in list_weights(plain, label)])
        score = features @ weights
        assert features.shape[1] == len(weights)
        assert 0.5 < np.corrcoef(score, proba[:, column])[0, 1]


def test_two_classes_share_one_score():
    """What speaks for one of two classes speaks against the other."""
    form = ("text", "logistic_regression", 2, {})
    plain = describe_form(form)
    first, second = (list_weights(plain, label) for label in plain.classes)

    assert [w.weight for w in first] == [-w.weight for w in second]


def describe_form(form):
    use, _, n_classes, _ = form
    pipeline, _ = train_form(*form)
    return describe_model(pipeline, describe_input(make_rows(n_classes), USES[use]), None)


def test_columns_are_named():
    """Missing values and unknown categories have features of their own."""
    plain = describe_form(("columns", "logistic_regression", 3, {}))
    names = {w.name for w in list_weights(plain, "a")}

    assert {"length", "length is missing", "is_new", "kind = kind 0"} <= names
    assert "kind = any other value" in names


def test_prototypes_have_weights_of_their_columns_only():
    """Dimensions of embeddings are counted."""
    plain = describe_form(("embeddings and columns", "prototypes", 3, {}))

    assert find_prototypes(plain) is not None
    assert 8 == count_unnamed(plain)
    assert sum(block.width for block in plain.blocks) - 8 == len(list_weights(plain, "b"))
