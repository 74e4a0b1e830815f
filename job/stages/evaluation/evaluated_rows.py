"""Evaluated rows with their predictions, and the bootstrap that all their intervals share."""

from __future__ import annotations

from dataclasses import dataclass

from job.contracts.dataset import Rows
from job.contracts.settings.job_settings import ScoringSpec
from job.stages.metrics.group_bootstrap import GroupBootstrap
from job.stages.metrics.predictions import Predictions


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatedRows:
    """Rows that a model is evaluated on, and the model's predictions of these rows.

    Attributes
    ----------
    bootstrap
        Resamples the groups of the rows; all intervals on these rows use it.
    """

    rows: Rows
    predictions: Predictions
    bootstrap: GroupBootstrap

    @classmethod
    def of(cls, rows: Rows, predictions: Predictions, spec: ScoringSpec) -> EvaluatedRows:
        """Return evaluated rows with a bootstrap over their groups.

        Parameters
        ----------
        predictions
            Predictions of these rows, in the same order.
        """
        bootstrap = GroupBootstrap.of(
            rows.groups, predictions.y_true, spec.evaluation, spec.random_state
        )
        return cls(rows=rows, predictions=predictions, bootstrap=bootstrap)
