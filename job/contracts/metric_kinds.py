"""Classes of metrics, by what a metric is computed from, and the inputs of their functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from job.contracts.arrays import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelCounts:
    """Counts of rows by class in n resamples, and precision, recall and F1 computed from them.

    Attributes
    ----------
    n_rows
        Number of rows of each resample, shape (n,).
    support, predicted, hits
        Rows of each class, rows predicted as the class, and rows that are both; shape (n,
        n_classes).
    f1, precision, recall
        Shape (n, n_classes); 0 where undefined.
    is_true, occurs
        Whether any row belongs to the class, and whether any row belongs to it or is predicted as
        it; shape (n_classes,).  As in scikit-learn, averages are over these classes.
    """

    n_rows: Array
    support: Array
    predicted: Array
    hits: Array
    f1: Array
    precision: Array
    recall: Array
    is_true: Array
    occurs: Array


class ProbabilityScores(Protocol):
    """Inputs of metrics of probabilities, on the rows whose true class the model knows."""

    @property
    def y_true(self) -> Array:
        """True class of each row as a number, shape (n_rows,)."""

    @property
    def model_classes(self) -> Array:
        """The model's classes as numbers, one for each column of `proba`."""

    @property
    def proba(self) -> Array:
        """Predicted probabilities, shape (n_rows, n_model_classes)."""

    @property
    def log_losses(self) -> Array:
        """Log loss of each row, shape (n_rows,)."""

    @property
    def brier_losses(self) -> Array:
        """Half the squared distance of each row's probabilities to its class, shape (n_rows,)."""

    @property
    def roc_auc(self) -> tuple[float, Array]:
        """Mean one-vs-rest ROC-AUC, NaN if undefined, and the influence of each row on it."""

    @property
    def pr_auc(self) -> float:
        """Mean one-vs-rest average precision; NaN if undefined."""

    @property
    def calibration_error(self) -> float:
        """Expected calibration error of the predicted class, in bins of equal mass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricDefinition:
    """A metric under the name that settings, files and messages use for it.

    Attributes
    ----------
    title
        Name of the metric in reports.
    is_choosable
        Whether `search.metric` may be this metric, if the gate can compare it.
    is_key_metric
        Whether the metric is shown in short lists of scores.
    is_share
        Whether the values are in [0, 1], so that a chart of scores shows them.
    hub
        A pair: the name in the model index of the Hugging Face Hub, and the arguments that
        distinguish metrics of that name; None if the hub has no name for the metric.
    """

    name: str
    title: str
    direction: Literal["higher", "lower"] = "higher"
    is_choosable: bool = True
    is_key_metric: bool = False
    is_share: bool = True
    hub: tuple[str, tuple[tuple[str, str], ...]] | None = None

    @property
    def is_negative(self) -> bool:
        """Whether the metric is the negative of another one, which is reported in its place."""
        return False

    @property
    def objection(self) -> str:
        """Why candidates cannot be chosen and compared by this metric; empty if they can."""
        if self.direction == "lower":
            return "lower values are better"
        return "" if self.is_choosable else "it is only reported"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelMetric(MetricDefinition):
    """A metric of predicted classes: a function of `LabelCounts` with values up to 1, shape (n,).

    Attributes
    ----------
    averages_over
        What has equal weight in the average, such as rows or classes; this determines how many
        groups the metric depends on.
    minimum
        Minimum possible value.
    """

    function: Callable[[LabelCounts], Array]
    averages_over: Literal["rows", "classes"] = "rows"
    minimum: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RowMetric(MetricDefinition):
    """A mean over rows: a function that returns the value of each row, shape (n_rows,).

    Attributes
    ----------
    negates
        Name of the loss whose negative this score is; its interval is the negated interval of the
        loss.
    """

    function: Callable[[ProbabilityScores], Array]
    negates: str | None = None

    @property
    def is_negative(self) -> bool:
        """Whether the metric is the negative of another one, which is reported in its place."""
        return self.negates is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class InfluenceMetric(MetricDefinition):
    """A score in [0, 1] that is not a mean over rows; the function returns a pair with influences.

    The pair is the score and each row's influence on it.  The mean influence of the rows of a
    resample approximates the score of the resample minus the score of all rows.
    """

    function: Callable[[ProbabilityScores], tuple[float, Array]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeMetric(MetricDefinition):
    """A metric that is a function of all predictions, NaN if undefined; it has no interval."""

    function: Callable[[ProbabilityScores], float]

    @property
    def objection(self) -> str:
        """Why candidates cannot be chosen and compared by this metric."""
        return "it is computed from all rows together, so the gate has no interval to compare"
