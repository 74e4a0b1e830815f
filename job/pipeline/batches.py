"""Embeddings that are standardized per batch: whether they are, and how the model copes.

How it works
------------
1. Settings, suite or the table's own columns say whether embeddings are standardized per batch.
2. If they are, the published model predicts batches of test rows with another class mix, which are
   standardized anew: the stress score.
3. `input_check` gives the bounds within which a consumer's batch resembles the training table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from job.contracts.model import TrainedModel
from job.contracts.plan import Plan
from job.contracts.ports import Executor
from job.contracts.reports.geometry import Geometry
from job.contracts.reports.stress import StatedBy
from job.contracts.settings.job_settings import JobSettings
from job.contracts.suites import Suite
from job.errors import ConfigurationError
from job.stages.evaluation.input_check import choose_input_check
from job.stages.evaluation.stress import Columns, measure_stress
from job.stages.features.preprocessing import select_blocks
from job.stages.split.split import DataSplit

log = structlog.get_logger(__name__)


def evaluate_batches(
    plan: Plan,
    split: DataSplit,
    model: TrainedModel,
    evaluation: Mapping[str, Any],
    executor: Executor,
) -> dict[str, Any]:
    """Evaluate the published model on batches of test rows that are standardized anew.

    Parameters
    ----------
    evaluation
        At least the parts `wording` and `geometry` of evaluation.json.

    Returns
    -------
    parts
        `stress` and `input_check`, each None if it does not apply.
    """
    s = plan.settings
    is_standardized, stated_by = find_standardization(s, plan.suite, evaluation)
    check = choose_input_check(
        evaluation["geometry"], model.feature_blocks, is_standardized=is_standardized
    )
    stress = None
    if (
        is_standardized
        and "embeddings" in model.feature_blocks
        and split.table.embeddings is not None
    ):
        with executor.pool():  # one BLAS thread: more of them slow small systems of equations down
            stress = measure_stress(
                model,
                select_blocks(split.test, model.feature_blocks, s.dataset.columns),
                Columns.of(split.table.embeddings),
                stated_by=stated_by,
                is_restored=model.feature_blocks == ("embeddings",)
                and _is_restored(evaluation["geometry"]),
                spec=s.evaluation,
                random_state=s.random_state,
            )
    if stress is not None:
        log.info(
            "batches_judged",
            n_batch_rows=stress.n_batch_rows,
            n_draws=stress.n_draws,
            n_classes=len(stress.classes),
            accuracy=round(stress.accuracy, 6),
            accuracy_as_given=round(stress.accuracy_as_given, 6),
            accuracy_recentered=stress.to_json()["accuracy_recentered"],
            worst=round(stress.worst.accuracy, 6),
        )
    return {
        "stress": None if stress is None else stress.to_json(),
        "input_check": None if check is None else check.to_json(),
    }


def _is_restored(geometry: Mapping[str, Any] | None) -> bool:
    return geometry is not None and geometry["status"] == "restored"


def find_standardization(
    settings: JobSettings, suite: Suite, evaluation: Mapping[str, Any]
) -> tuple[bool, StatedBy]:
    """Return whether embeddings are standardized per batch, and the source of that.

    The settings take precedence over the suite, and the suite over the check of the table.
    """
    stated = settings.dataset.embeddings_standardized_per_batch
    if stated is not None:
        return stated, "settings"
    if suite.embeddings_standardized_per_batch is not None:
        return suite.embeddings_standardized_per_batch, "suite"
    standardization = evaluation["wording"]["standardization"]
    return bool(standardization and standardization["is_standardized"]), "check"


def may_be_restandardized(settings: JobSettings, suite: Suite, geometry: Geometry | None) -> bool:
    """Return whether other batches may be standardized anew.

    That is so if the rows of this table were restored, and neither settings nor suite deny it.
    """
    stated = settings.dataset.embeddings_standardized_per_batch
    if stated is None:
        stated = suite.embeddings_standardized_per_batch
    return stated is not False and geometry is not None and geometry.status == "restored"


def check_stress_floor(settings: JobSettings) -> None:
    """Raise `ConfigurationError` if `gate.stress_floor` is set but will never be measured."""
    if settings.gate.stress_floor is None:
        return
    if "embeddings" not in settings.features.use:
        raise ConfigurationError(
            "gate.stress_floor needs a model that takes embeddings, and features.use has none",
            hint="add embeddings to features.use, or --set gate.stress_floor=null",
        )
    if settings.dataset.embeddings_standardized_per_batch is False:
        raise ConfigurationError(
            "gate.stress_floor needs embeddings that are standardized per batch, and "
            "dataset.embeddings_standardized_per_batch is false",
            hint="--set dataset.embeddings_standardized_per_batch=true, or "
            "--set gate.stress_floor=null",
        )
