"""The fitted model that is evaluated and published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from job.contracts.settings.search import FeatureBlocks


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel:
    """The chosen pipeline, and the baselines by name; all fitted on the same rows.

    Attributes
    ----------
    feature_blocks
        The feature blocks that pipeline and baselines take.
    """

    estimator: str
    parameters: tuple[tuple[str, Any], ...]
    feature_blocks: FeatureBlocks
    pipeline: Any
    baselines: tuple[tuple[str, Any], ...]
