"""The metrics of a model.  Each is defined once, in `METRICS`, which all stages iterate over.

How to add one
--------------
1. Define it below as an instance of the class that fits: a function of counts of labels
   (`LabelMetric`), a mean over rows (`RowMetric`), a score with the influence of each row
   (`InfluenceMetric`), or any function of the predictions (`WholeMetric`).  A `WholeMetric` has no
   interval, and the gate cannot compare it.
2. The search can then choose the candidate by the metric.  The evaluation computes the metric and
   its interval, the gate compares models by it, and the report shows it under its title.
3. Run `make docs`: the settings schema lists the metrics that can choose a candidate.

Functions use only methods and operators of arrays, so this module does not import NumPy.
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from job.contracts.messages import did_you_mean, quote, quote_list
from job.contracts.metric_kinds import (
    InfluenceMetric,
    LabelMetric,
    MetricDefinition,
    RowMetric,
    WholeMetric,
)

_DEFINITIONS: Final = (
    LabelMetric(
        name="accuracy",
        title="Accuracy",
        function=lambda counts: counts.hits.sum(axis=1) / counts.n_rows,
        is_key_metric=True,
        hub=("accuracy", ()),
    ),
    LabelMetric(
        name="balanced_accuracy",
        title="Balanced accuracy",
        function=lambda counts: counts.recall[:, counts.is_true].mean(axis=1),
        averages_over="classes",
    ),
    LabelMetric(
        name="f1_macro",
        title="F1, macro",
        function=lambda counts: counts.f1[:, counts.occurs].mean(axis=1),
        averages_over="classes",
        is_key_metric=True,
        hub=("f1", (("average", "macro"),)),
    ),
    LabelMetric(
        name="f1_weighted",
        title="F1, weighted",
        function=lambda counts: (counts.f1 * counts.support).sum(axis=1) / counts.n_rows,
        hub=("f1", (("average", "weighted"),)),
    ),
    LabelMetric(
        name="precision_macro",
        title="Precision, macro",
        function=lambda counts: counts.precision[:, counts.occurs].mean(axis=1),
        averages_over="classes",
        is_key_metric=True,
        hub=("precision", (("average", "macro"),)),
    ),
    LabelMetric(
        name="precision_weighted",
        title="Precision, weighted",
        function=lambda counts: (counts.precision * counts.support).sum(axis=1) / counts.n_rows,
        is_choosable=False,
    ),
    LabelMetric(
        name="recall_macro",
        title="Recall, macro",
        function=lambda counts: counts.recall[:, counts.occurs].mean(axis=1),
        averages_over="classes",
        is_key_metric=True,
        hub=("recall", (("average", "macro"),)),
    ),
    LabelMetric(
        name="recall_weighted",
        title="Recall, weighted",
        function=lambda counts: (counts.recall * counts.support).sum(axis=1) / counts.n_rows,
        is_choosable=False,  # it is the accuracy
    ),
    RowMetric(
        name="log_loss",
        title="Log loss",
        direction="lower",
        function=lambda scores: scores.log_losses,
        is_key_metric=True,
        is_share=False,
    ),
    RowMetric(
        name="brier",
        title="Brier score",
        direction="lower",
        function=lambda scores: scores.brier_losses,
    ),
    InfluenceMetric(
        name="roc_auc_ovr",
        title="ROC-AUC, one-vs-rest",
        function=lambda scores: scores.roc_auc,
        hub=("roc_auc", (("multi_class", "ovr"),)),
    ),
    RowMetric(
        name="neg_log_loss",
        title="Log loss, negated",
        function=lambda scores: -scores.log_losses,
        is_share=False,
        negates="log_loss",
    ),
    WholeMetric(
        name="calibration_error",
        title="Expected calibration error",
        direction="lower",
        function=lambda scores: scores.calibration_error,
        is_key_metric=True,
    ),
    WholeMetric(
        name="pr_auc_ovr",
        title="PR-AUC, one-vs-rest",
        function=lambda scores: scores.pr_auc,
    ),
)
METRICS: Final[dict[str, MetricDefinition]] = {metric.name: metric for metric in _DEFINITIONS}


def find_metric(name: object) -> MetricDefinition:
    """Return the metric of this name, which can choose a candidate and be compared by the gate.

    Raises
    ------
    ValueError
        No metric has this name, or the metric cannot be compared.
    """
    metric = name if isinstance(name, MetricDefinition) else METRICS.get(str(name))
    choosable = quote_list(list_choosable())
    if metric is None:
        similar = did_you_mean(str(name), list_choosable())
        raise ValueError(f"unknown metric {quote(str(name))}{similar}; expected one of {choosable}")
    if metric.objection:
        raise ValueError(
            f"'{metric.name}' cannot choose a candidate: {metric.objection}; expected one of "
            f"{choosable}"
        )
    return metric


def is_negative(name: str) -> bool:
    """Return whether a metric is the negative of a loss; False for an unknown metric."""
    return name in METRICS and METRICS[name].is_negative


def list_choosable() -> list[str]:
    """Return the names of the metrics that can choose a candidate and be compared by the gate."""
    return [name for name, metric in METRICS.items() if not metric.objection]


class _ByName:
    """Annotation of a setting whose value is the name of a metric.

    It parses the name, and lists the possible names in the JSON Schema.
    """

    @classmethod
    def __get_pydantic_core_schema__(cls, _: object, __: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            find_metric,
            ref=f"{__name__}.Metric:1",
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda metric: metric.name, return_schema=core_schema.str_schema()
            ),
            metadata={"pydantic_js_functions": [cls._make_json_schema]},
        )

    @staticmethod
    def _make_json_schema(_: CoreSchema, __: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {
            "description": "Scores by which candidates are chosen and compared; higher is better.",
            "enum": list_choosable(),
            "title": "Metric",
            "type": "string",
        }


Metric = Annotated[MetricDefinition, _ByName]
