"""Judge a recipe on every row of its table, and its published model on the held-out ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from job.contracts.dataset import Rows
from job.contracts.metrics import Metric
from job.contracts.model import TrainedModel
from job.contracts.ports import Timer
from job.contracts.reports.decision_threshold import Threshold
from job.contracts.reports.search import CandidateScore
from job.contracts.settings.evaluation import DecisionSpec, EvaluationSpec
from job.stages.evaluation.evaluate import evaluate_predictions, evaluate_rows, time_model
from job.stages.evaluation.intervals import find_intervals
from job.stages.metrics.group_bootstrap import effective_groups
from job.stages.metrics.predictions import Predictions, predict
from job.stages.training.cross_fit import CrossFit
from job.stages.training.decision_threshold import choose_across, measure_abstention
from job.stages.training.temperature_scaling import DIVISIBLE, describe_temperature, heat_across

Array = np.ndarray[Any, Any]


def heated(
    found: Predictions, cross: CrossFit, temperature: float | None, *, is_nested: bool = False
) -> Predictions:
    """Return predictions as the published model is divided by its temperature; None: it is not.

    Parameters
    ----------
    is_nested
        Whether the candidate differs from fold to fold; linear SVCs are not divided.
    """
    if temperature is None:
        return found
    names = [choice.estimator for choice in cross.choices]
    folds = [n for n, name in enumerate(names) if not is_nested or name in DIVISIBLE]
    return heat_across(found, cross.fold, folds)


def evaluate_cross_fit(
    found: Predictions,
    cross: CrossFit,
    rows: Rows,
    model: TrainedModel,
    test: Rows,
    timer: Timer,
    *,
    chosen: CandidateScore,
    spec: EvaluationSpec,
    decision: DecisionSpec,
    metric: Metric,
    random_state: int,
    threshold: Threshold | None,
    temperature: float | None,
) -> dict[str, Any]:
    """Return the content of evaluation.json, with the scores of the recipe on all rows.

    Parameters
    ----------
    found
        Cross-fitted predictions of `rows`, the choice of the candidate included.
    cross
        The same, not divided by a temperature yet.
    model, test
        The published model, and the rows that it was not trained on: `holdout` are its scores.
    threshold
        Chosen on all rows; None: no target is set.
    """
    abstention = divided = None
    if threshold is not None:
        own = heated(cross.chosen, cross, temperature)
        least = None
        if threshold.value is not None:
            least = choose_across(own, rows.groups, cross.fold, decision, spec)
        abstention = measure_abstention(
            found, rows.groups, threshold, spec, random_state, least=least
        ).to_json()
    if temperature is not None:
        divided = describe_temperature(cross.nested, found, temperature)
    return {
        **evaluate_rows(
            found,
            rows,
            spec=spec,
            metric=metric,
            random_state=random_state,
            is_cross_fitted=True,
        ),
        "method": "cross_fit",
        "cross_fit": {
            "n_folds": cross.n_folds,
            "n_rows": len(rows),
            "n_groups": len(np.unique(rows.groups)),
            "n_effective_groups": round(effective_groups(rows.groups), 1),
            "is_nested": cross.is_nested,
            "n_other_choices": cross.n_other_choices(chosen),
        },
        "holdout": _judge_model(
            predict(model.pipeline, test, model.feature_blocks), test, spec, random_state
        ),
        "decision": abstention,
        "temperature": divided,
        "baselines": {name: evaluate_predictions(some)["scores"] for name, some in cross.baselines},
        "latency": time_model(model, test, timer),
    }


def _judge_model(
    found: Predictions, test: Rows, spec: EvaluationSpec, random_state: int
) -> dict[str, Any]:
    """Return the scores of the published model on the held-out rows."""
    return {
        "n_rows": len(test),
        "n_groups": len(np.unique(test.groups)),
        "scores": evaluate_predictions(found)["scores"],
        "intervals": find_intervals(found, test.groups, spec, random_state).to_json(),
    }
