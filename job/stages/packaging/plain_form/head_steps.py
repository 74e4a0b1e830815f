"""Describe a fitted classifier as a head and a link."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import Normalizer

from job.contracts.arrays import Array
from job.model_form.head_forms import (
    ConstantHead,
    Head,
    Identity,
    LinearHead,
    Link,
    Perceptron,
    Platt,
    Prototypes,
    PrototypesWithPerceptron,
    Sigmoid,
    Softmax,
)
from job.stages.packaging.plain_form.steps import calls, read_line, read_product, refuse


def describe_head(classifier: Any) -> tuple[Head, Link]:
    """Return head and link of a fitted classifier.

    Raises
    ------
    TrainingError
        The classifier has no plain form.
    """
    if isinstance(classifier, LogisticRegression):
        return _describe_linear(classifier), _describe_logits(classifier)
    if isinstance(classifier, CalibratedClassifierCV):
        return _describe_calibrated(classifier)
    if isinstance(classifier, DummyClassifier) and classifier.strategy != "stratified":
        probabilities = classifier.predict_proba([[0.0]])[0]
        return ConstantHead(probabilities=probabilities.astype(np.float64)), Identity()
    if isinstance(classifier, Pipeline):
        last = classifier[-1]
        if not isinstance(last, LogisticRegression):
            refuse(last)
        if "scores" in classifier.named_steps:
            return _describe_branches(classifier)
        return _describe_prototypes(classifier), _describe_logits(last)
    refuse(classifier)


def _describe_linear(classifier: Any) -> LinearHead:
    weights, intercept = _read_coefficients(classifier)
    return LinearHead(weights=weights, intercept=intercept)


def _read_coefficients(classifier: Any) -> tuple[Array, Array]:
    """Return weights of shape (n_features, n_scores), and an intercept of shape (n_scores,)."""
    weights = np.ascontiguousarray(classifier.coef_.T, np.float64)
    intercept = np.broadcast_to(np.asarray(classifier.intercept_, np.float64), weights.shape[1])
    return weights, np.ascontiguousarray(intercept)


def _describe_logits(classifier: Any, factor: float = 1.0) -> Softmax | Sigmoid:
    """Return the link of a logistic regression; two classes share one score."""
    is_binary = len(classifier.classes_) == 2
    return Sigmoid(factor=factor) if is_binary else Softmax(factor=factor)


def _describe_calibrated(classifier: Any) -> tuple[LinearHead, Link]:
    [calibrated] = classifier.calibrated_classifiers_
    head = _describe_linear(calibrated.estimator)
    if calibrated.method == "temperature":
        [scaling] = calibrated.calibrators
        factor = float(scaling.beta_)
        # the scores of two classes are -s and s, so their difference is 2 s
        is_binary = len(classifier.classes_) == 2
        return head, Sigmoid(factor=2 * factor) if is_binary else Softmax(factor=factor)
    if calibrated.method != "sigmoid":
        refuse(classifier)
    slope = np.array([sigmoid.a_ for sigmoid in calibrated.calibrators], np.float64)
    offset = np.array([sigmoid.b_ for sigmoid in calibrated.calibrators], np.float64)
    return head, Platt(slope=slope, offset=offset)


def _describe_prototypes(pipeline: Pipeline) -> Prototypes:
    """Return the form of prototypes that end in a logistic regression."""
    weights, intercept = _read_coefficients(pipeline[-1])
    return _describe_shares(list(pipeline.steps[:-1]), weights, intercept)


def _describe_shares(steps: list[Any], weights: Array, intercept: Array) -> Prototypes:
    """Return the form of the steps before the scores: row scaling, and the union of inputs."""
    *scalings, union = (step for _, step in steps)
    for step in scalings:
        if not isinstance(step, Normalizer) or step.norm != "l2":
            refuse(step)
    if not isinstance(union, FeatureUnion) or list(dict(union.transformer_list)) != [
        "shares",
        "row",
    ]:
        refuse(union)
    shares = dict(union.transformer_list)["shares"]
    product, exponential, total = (step for _, step in shares.steps)
    if not calls(exponential, np.exp):
        refuse(exponential)
    if not isinstance(total, Normalizer) or total.norm != "l1":
        refuse(total)
    return Prototypes(
        centers=read_product(product),
        row_weight=float((union.transformer_weights or {}).get("row", 1.0)),
        weights=weights,
        intercept=intercept,
        unit_rows=bool(scalings),
    )


def _describe_branches(pipeline: Pipeline) -> tuple[PrototypesWithPerceptron, Link]:
    """Return the plain form of a `prototypes` model for restandardized batches.

    The steps are those of `job.stages.training.prototypes.restandardized_batches`.
    """
    branches = dict(pipeline.named_steps["scores"].transformer_list)
    near, far = branches["as_given"], branches["moved"]
    steps = _read_columns(near).steps
    scores, bias = steps[-2][1], steps[-1][1]
    weights, (intercept, _) = read_product(scores), read_line(bias)
    prototypes = _describe_shares(steps[:-2], weights, intercept)
    last = pipeline[-1]
    form = PrototypesWithPerceptron(prototypes=prototypes, perceptron=_describe_perceptron(far))
    return form, _describe_logits(last, factor=_read_factor(last))


def _describe_perceptron(branch: Pipeline) -> Perceptron:
    steps = _read_columns(branch).named_steps
    wrong_side = dict(branch.named_steps["inputs"].transformer_list)["wrong"]
    bound, _ = read_line(wrong_side.named_steps["from_bound"])
    return Perceptron(
        hidden_weights=read_product(steps["hidden"]),
        hidden_intercept=read_line(steps["hidden_bias"])[0],
        output_weights=read_product(steps["scores"]),
        output_intercept=read_line(steps["scores_bias"])[0],
        bound=-float(bound),
        steepness=float(read_product(branch.named_steps["signs"])[-1, 0]),
    )


def _read_columns(branch: Pipeline) -> Any:
    """Return the steps that compute the scores of a branch."""
    return dict(branch.named_steps["inputs"].transformer_list)["columns"]


def _read_factor(classifier: Any) -> float:
    """Return the factor of the scores; refuse a last step that does not just add the branches."""
    identity = np.eye(len(classifier.coef_))
    pattern = np.concatenate([identity, -identity, identity, -identity], axis=1)
    factor = float(classifier.coef_[0, 0])
    if not np.array_equal(classifier.coef_, factor * pattern) or np.any(classifier.intercept_):
        refuse(classifier)
    return factor
