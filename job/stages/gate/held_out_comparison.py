"""Compare two models on the same rows: their scores, and the interval of the difference."""

from __future__ import annotations

from typing import Any

from job.contracts.dataset import Rows
from job.contracts.messages import pluralize
from job.contracts.model import TrainedModel
from job.contracts.ports import Codec
from job.contracts.reports.comparison import Comparison
from job.contracts.reports.intervals import Interval
from job.contracts.settings.gate import PairedSpec
from job.contracts.settings.job_settings import TrainingSpec
from job.contracts.settings.search import FeatureBlocks
from job.contracts.version_files import MODEL_FILE
from job.errors import IncompatibleModelError
from job.registry.champion import PublishedVersion
from job.stages.features.preprocessing import select_blocks
from job.stages.gate.paired_bootstrap import compare_pair
from job.stages.metrics.predictions import predict


def compare_models(
    comparison: Comparison,
    champion: PublishedVersion,
    candidate: TrainedModel,
    rows: Rows,
    feature_blocks: FeatureBlocks,
    codec: Codec,
    *,
    training: TrainingSpec,
    paired: PairedSpec,
    is_same: bool,
) -> Comparison:
    """Return the comparison with the scores of both models on these rows, or with the problem.

    Parameters
    ----------
    comparison
        The comparison without scores.
    feature_blocks
        Input of the champion.
    is_same
        Whether both models are the same bytes: they are then equally good on any rows.
    """
    try:
        model = codec.decode(champion.files[MODEL_FILE])
    except IncompatibleModelError as error:
        return comparison.copy_with(problem=error.message)
    if problem := _describe_other_classes(model, candidate.pipeline):
        return comparison.copy_with(problem=problem)
    difference = compare_pair(
        predict(model, select_blocks(rows, feature_blocks, training.columns), feature_blocks),
        predict(
            candidate.pipeline,
            select_blocks(rows, candidate.feature_blocks, training.columns),
            candidate.feature_blocks,
        ),
        rows.groups,
        paired,
    )
    undefined = f"{paired.metric.name} is undefined on these rows"
    return comparison.copy_with(
        champion_score=difference.champion_score,
        candidate_score=difference.candidate_score,
        standard_error=None if is_same else difference.standard_error,
        difference=Interval(value=0.0, lower=0.0, upper=0.0) if is_same else difference.interval,
        recalls=() if is_same else difference.recalls,
        problem=undefined if difference.interval is None else "",
    )


def _describe_other_classes(champion: Any, candidate: Any) -> str:
    """Return how the classes of two models differ; empty if they are the same."""
    old, new = set(champion.classes_), set(candidate.classes_)
    if old == new:
        return ""
    sides = ((old - new, "only it knows"), (new - old, "it does not know"))
    parts = [f"{pluralize(len(classes), 'class')} {what}" for classes, what in sides if classes]
    return f"its classes are others: {', '.join(parts)}"
