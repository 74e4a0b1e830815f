"""The kinds of metrics, one class each, and the values that metrics are computed from."""

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
    support
        Number of rows of each true class, shape (n, n_classes).
    predicted
        Number of rows of each predicted class, shape (n, n_classes).
    hits
        Number of correctly predicted rows of each class, shape (n, n_classes).
    f1, precision, recall
        Scores of each class, shape (n, n_classes); 0 where undefined.
    is_true
        Whether any row has this true class, shape (n_classes,).
    occurs
        Whether any row has this true or predicted class, shape (n_classes,).  As in scikit-learn,
        averages are over the classes that occur.
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
    """The values that metrics of probabilities are computed from.

    Only rows whose true class is one of the model's classes are included.
    """

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
        """Brier loss of each row, shape (n_rows,).

        The loss is half the squared distance between the row's probabilities and the one-hot vector
        of the row's true class.
        """

    @property
    def roc_auc(self) -> tuple[float, Array]:
        """Mean one-vs-rest ROC-AUC (NaN if undefined), and each row's influence on this mean."""

    @property
    def pr_auc(self) -> float:
        """Mean one-vs-rest average precision; NaN if undefined."""

    @property
    def calibration_error(self) -> float:
        """Expected calibration error of the predicted class, in bins with equally many rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricDefinition:
    """A metric under the name that settings, files and messages use for it.

    Attributes
    ----------
    title
        Name of the metric in reports.
    is_choosable
        Whether `search.metric` may name this metric, provided that the gate can compare it.
    is_key_metric
        Whether the metric is shown in short lists of scores.
    is_share
        Whether the values are in [0, 1], so that a chart of scores shows them.
    hub
        A pair: the metric's name in the model index of the Hugging Face Hub, and its arguments,
        such as the kind of average.  None if the hub has no name for the metric.
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
        """Whether the metric is the negative of a loss; reports show the loss instead."""
        return False

    @property
    def objection(self) -> str:
        """The reason why this metric cannot choose and compare candidates; empty if it can."""
        if self.direction == "lower":
            return (
                "lower values are better, and a metric of which higher values are better is needed"
            )
        return "" if self.is_choosable else "it is only reported"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelMetric(MetricDefinition):
    """A metric of predicted classes that is computed from counts of rows by class.

    The function takes `LabelCounts` of n resamples, and returns an array of shape (n,): one value,
    at most 1, for each resample.

    Attributes
    ----------
    averages_over
        Whether rows or classes have equal weights in the metric.  This determines how many groups
        the metric depends on.
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
        If this score is the negative of a loss, the name of that loss; otherwise None.  The
        interval of the score is the negated interval of the loss.
    """

    function: Callable[[ProbabilityScores], Array]
    negates: str | None = None

    @property
    def is_negative(self) -> bool:
        """Whether the metric is the negative of a loss; reports show the loss instead."""
        return self.negates is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class InfluenceMetric(MetricDefinition):
    """A score in [0, 1] of the probabilities that is not a mean over rows.

    The function returns the score, and the influence of each row on the score, shape (n_rows,).
    The mean influence of the rows in a resample approximates the score of the resample minus the
    score of all rows.  So the interval is computed from the influences alone.
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
