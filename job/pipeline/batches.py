"""Embeddings that are standardized per batch: detect them, and evaluate restandardized batches.

How it works
------------
1. The settings, the expectation suite or the table's own columns decide whether embeddings are
   standardized per batch.
2. If so, batches whose class mix differs from the table's are drawn from the test rows.  Each batch
   is standardized on its own rows; it is then called *restandardized*.  The accuracy of the
   published model on these batches is the stress score.
3. `input_check` has bounds for a statistic that a consumer computes from a batch.  If the statistic
   is outside of the bounds, the batch does not resemble the training table.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from job.contracts.model import TrainedModel
from job.contracts.reports.geometry import Geometry
from job.contracts.reports.input_check import InputCheck
from job.contracts.reports.part import round_published
from job.contracts.reports.stress import StatedBy, StressReport
from job.contracts.reports.wording import Standardization
from job.contracts.settings.job_settings import JobSettings
from job.contracts.suites import Suite
from job.errors import ConfigurationError
from job.pipeline.run_context import RunContext
from job.stages.evaluation.input_check import choose_input_check
from job.stages.evaluation.stress import measure_stress
from job.stages.evaluation.stress_batches import Columns
from job.stages.features.preprocessing import select_blocks
from job.stages.split.split import DataSplit

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchEvaluation:
    """Accuracy on batches standardized on their own rows, and bounds to detect these batches.

    Each field is None if it was not computed.
    """

    stress: StressReport | None
    input_check: InputCheck | None


def evaluate_batches(
    context: RunContext,
    split: DataSplit,
    model: TrainedModel,
    standardization: Standardization | None,
    geometry: Geometry | None,
) -> BatchEvaluation:
    """Evaluate the published model on batches of test rows, each standardized on its own rows.

    Parameters
    ----------
    standardization
        Whether the table's embeddings look standardized; None if the model takes no embeddings.
    geometry
        Whether the rows of embeddings can be mapped back to length 1; None if not examined.
    """
    s, blocks = context.settings, model.feature_blocks
    is_standardized, stated_by = find_standardization(s, context.plan.suite, standardization)
    stress = None
    if is_standardized and "embeddings" in blocks and split.table.embeddings is not None:
        # one BLAS thread: several threads slow down small systems of equations
        with context.ports.executor.pool():
            stress = measure_stress(
                model,
                select_blocks(split.test, blocks, s.dataset.columns),
                Columns.of(split.table.embeddings),
                stated_by=stated_by,
                is_restored=blocks == ("embeddings",) and _is_restored(geometry),
                spec=s.evaluation,
                random_state=s.random_state,
            )
    if stress is not None:
        _log_stress(stress)
    return BatchEvaluation(
        stress=stress,
        input_check=choose_input_check(geometry, blocks, is_standardized=is_standardized),
    )


def _log_stress(stress: StressReport) -> None:
    recentered = stress.accuracy_recentered
    log.info(
        "batches_judged",
        n_batch_rows=stress.n_batch_rows,
        n_draws=stress.n_draws,
        n_classes=len(stress.classes),
        accuracy=round_published(stress.accuracy),
        accuracy_as_given=round_published(stress.accuracy_as_given),
        accuracy_recentered=None if recentered is None else round_published(recentered),
        worst=round_published(stress.worst.accuracy),
    )


def _is_restored(geometry: Geometry | None) -> bool:
    return geometry is not None and geometry.status == "restored"


def find_standardization(
    settings: JobSettings, suite: Suite, standardization: Standardization | None
) -> tuple[bool, StatedBy]:
    """Return whether embeddings are standardized per batch, and the source of this answer.

    The source is `settings`, `suite`, or `check` (the statistics of the table's columns).  The
    settings take precedence over the suite, and the suite takes precedence over the check.
    """
    stated = settings.dataset.embeddings_standardized_per_batch
    if stated is not None:
        return stated, "settings"
    if suite.embeddings_standardized_per_batch is not None:
        return suite.embeddings_standardized_per_batch, "suite"
    return standardization is not None and standardization.is_standardized, "check"


def may_be_restandardized(settings: JobSettings, suite: Suite, geometry: Geometry | None) -> bool:
    """Return whether the batches of consumers may be standardized on their own rows.

    This is possible if the table's embeddings can be mapped back to rows of length 1, unless the
    settings or the suite state that batches are not standardized.
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
            "gate.stress_floor needs a model that takes embeddings, but features.use does not "
            "have them",
            hint="add embeddings to features.use, or use --set gate.stress_floor=null",
        )
    if settings.dataset.embeddings_standardized_per_batch is False:
        raise ConfigurationError(
            "gate.stress_floor needs embeddings that are standardized per batch, but "
            "dataset.embeddings_standardized_per_batch is false",
            hint="use --set dataset.embeddings_standardized_per_batch=true, or use --set "
            "gate.stress_floor=null",
        )
