"""How candidates are tried: the search's section of the settings."""

from enum import StrEnum
from typing import Any, Final, Literal

from pydantic import Field, field_validator

from job.contracts.dataset_specs import Spec
from job.contracts.lists import nearest, shortened

ESTIMATORS: Final = ("dummy", "linear_svc", "logistic_regression")


class Metric(StrEnum):
    """Scores by which candidates are chosen and compared; higher is better."""

    ACCURACY = "accuracy"
    BALANCED_ACCURACY = "balanced_accuracy"
    F1_MACRO = "f1_macro"
    F1_WEIGHTED = "f1_weighted"
    PRECISION_MACRO = "precision_macro"
    RECALL_MACRO = "recall_macro"
    ROC_AUC_OVR = "roc_auc_ovr"
    NEG_LOG_LOSS = "neg_log_loss"


class SearchSpec(Spec):
    """Which candidates are tried, and how they are compared."""

    metric: Metric = Field(Metric.F1_MACRO, description="Score that chooses the candidate.")
    folds: int = Field(3, ge=2, le=20, description="Folds, by key and class.")
    method: Literal["grid", "random"] = Field("grid", description="Whole grid, or a sample of it.")
    n_iter: int = Field(10, ge=1, description="Candidates drawn when the method is random.")
    estimators: dict[str, dict[str, tuple[Any, ...]]] = Field(
        default={"logistic_regression": {}, "linear_svc": {}},
        min_length=1,
        description="Estimators and their grids; `{}` is the estimator's default grid.",
        json_schema_extra={"propertyNames": {"enum": list(ESTIMATORS)}},
    )
    class_weight: Literal["balanced"] | None = Field(
        None, description="`balanced` weighs classes by inverse frequency."
    )
    calibration: Literal["sigmoid", "temperature"] = Field(
        "sigmoid",
        description="How `linear_svc` gets probabilities; scikit-learn 1.4.2 has no `temperature`.",
    )
    engine: Literal["fast", "reference"] = Field(
        "fast",
        description="`fast`: all logistic regressions of a fold at once; `reference`: each by "
        "scikit-learn alone.",
    )
    max_seconds: float | None = Field(
        None,
        gt=0,
        description="After the first fold that ends later than this, the search ends with the best "
        "so far; a clock does not repeat itself, so neither does such a search.",
    )
    workers: int | None = Field(
        None, ge=1, description="Fits at a time; unset: the CPUs this process may use."
    )

    @field_validator("estimators", mode="before")
    @classmethod
    def _lists(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        for name in value:
            if name not in ESTIMATORS:
                raise ValueError(
                    f"no estimator '{name}'{nearest(str(name), ESTIMATORS)}; "
                    f"there are {shortened(ESTIMATORS)}"
                )
        return {name: _grid(grid) for name, grid in value.items()}


def _grid(grid: object) -> object:
    if grid is None:
        return {}
    if not isinstance(grid, dict):
        return grid
    return {k: v if isinstance(v, (list, tuple)) else [v] for k, v in grid.items()}
