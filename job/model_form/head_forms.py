"""The plain forms of heads and links; `heads` computes scores and probabilities.

`shape` has the numbers of features and scores of a head.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from job.model_form.parts import FormPart, Matrix, Number, Vector, require


class LinearHead(FormPart):
    """Scores `x @ weights + intercept` of the features x."""

    kind: Literal["linear"] = "linear"
    weights: Matrix
    intercept: Vector

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of features and scores."""
        return self.weights.shape

    @model_validator(mode="after")
    def _check(self) -> Self:
        n_weights, n_scores = self.weights.shape[1], len(self.intercept)
        problem = f"weights give {n_weights} scores, but intercept has {n_scores}"
        require(n_weights == n_scores, problem)
        return self


class ConstantHead(FormPart):
    """The same probabilities for every row, shape (n_classes,)."""

    kind: Literal["constant"] = "constant"
    probabilities: Vector

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of features and scores."""
        return 0, len(self.probabilities)

    @model_validator(mode="after")
    def _check(self) -> Self:
        total = float(self.probabilities.sum())
        is_distribution = self.probabilities.min(initial=0.0) >= 0 and abs(total - 1) <= 1e-6
        require(bool(is_distribution), "the probabilities are negative, or do not add up to 1")
        return self


class Prototypes(FormPart):
    """Scores of a row's similarities to the centers (its shares), and of the row's own values.

    Attributes
    ----------
    centers
        Centers, shape (n_features, n_centers), divided by the temperature.
    weights
        Shape (n_centers + n_features, n_scores).
    unit_rows
        Whether rows are divided by their Euclidean lengths first.
    """

    kind: Literal["prototypes"] = "prototypes"
    centers: Matrix
    row_weight: Number
    weights: Matrix
    intercept: Vector
    unit_rows: bool

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of features and scores."""
        return self.centers.shape[0], len(self.intercept)

    @model_validator(mode="after")
    def _check(self) -> Self:
        n_inputs = self.centers.shape[0] + self.centers.shape[1]
        shape = (n_inputs, len(self.intercept))
        problem = f"weights have shape {[*self.weights.shape]} instead of {[*shape]}"
        require(self.weights.shape == shape, problem)
        return self


class Perceptron(FormPart):
    """Scores of rows whose length is far from 1, by one hidden layer of ReLU units.

    Attributes
    ----------
    hidden_weights
        Shape (n_features + 1, n_hidden); the last input is the squared length minus 1.
    bound
        Largest difference of the squared length from 1 at which the scores of `Prototypes` are
        used.
    steepness
        How far the scores that are not used move towards 0, per unit of the distance to the bound.
    """

    hidden_weights: Matrix
    hidden_intercept: Vector
    output_weights: Matrix
    output_intercept: Vector
    bound: Number
    steepness: Number

    @model_validator(mode="after")
    def _check(self) -> Self:
        n_hidden = len(self.hidden_intercept)
        require(self.hidden_weights.shape[1] == n_hidden, "the hidden layer has two widths")
        shape = (n_hidden, len(self.output_intercept))
        require(self.output_weights.shape == shape, "the output layer does not fit")
        return self


class PrototypesWithPerceptron(FormPart):
    """Prototypes for rows of length 1, and a perceptron for rows of other lengths."""

    kind: Literal["prototypes_with_perceptron"] = "prototypes_with_perceptron"
    prototypes: Prototypes
    perceptron: Perceptron

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of features and scores."""
        return self.prototypes.shape

    @model_validator(mode="after")
    def _check(self) -> Self:
        n_features, n_scores = self.shape
        p = self.perceptron
        require(p.hidden_weights.shape[0] == n_features + 1, "the perceptron has other features")
        require(len(p.output_intercept) == n_scores, "the perceptron has other scores")
        return self


def inner_width(head: Head) -> int:
    """Return the largest number of intermediate values between a row's features and its scores."""
    if isinstance(head, Prototypes):
        return int(head.centers.shape[0] + head.centers.shape[1])
    if isinstance(head, PrototypesWithPerceptron):
        return max(inner_width(head.prototypes), len(head.perceptron.hidden_intercept))
    return 1


Head = LinearHead | ConstantHead | Prototypes | PrototypesWithPerceptron


class Softmax(FormPart):
    """Probabilities `softmax(factor * scores)`."""

    kind: Literal["softmax"] = "softmax"
    factor: Number


class Sigmoid(FormPart):
    """Two classes: the second has the probability `1 / (1 + exp(-factor * score))`."""

    kind: Literal["sigmoid"] = "sigmoid"
    factor: Number


class Platt(FormPart):
    """Sigmoids `1 / (1 + exp(slope * score + offset))` of each score, divided by their sum."""

    kind: Literal["platt"] = "platt"
    slope: Vector
    offset: Vector


class Identity(FormPart):
    """The head's scores are probabilities."""

    kind: Literal["identity"] = "identity"


Link = Softmax | Sigmoid | Platt | Identity
