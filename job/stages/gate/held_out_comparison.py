"""Compare two models on the same rows: their scores, and the interval of the difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from job.contracts.dataset import Rows
from job.contracts.messages import pluralize
from job.contracts.model import Classifier, Estimator, TrainedModel
from job.contracts.reports.comparison import Comparison
from job.contracts.reports.intervals import Interval
from job.contracts.settings.dataset import ColumnsSpec
from job.contracts.settings.gate import PairedSpec
from job.contracts.settings.job_settings import TrainingSpec
from job.contracts.settings.search import FeatureBlocks
from job.contracts.version_files import MODEL_FILE, PLAIN_MODEL_FILE
from job.registry.champion import PublishedVersion
from job.stages.features.preprocessing import select_blocks
from job.stages.gate.paired_bootstrap import compare_pair
from job.stages.metrics.predictions import Predictions, predict
from job.stages.packaging.read_plain_form import read_model

NO_PLAIN_FORM: Final = (
    f"an earlier release published it, so it has no {PLAIN_MODEL_FILE}, the only form that is read"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedModel:
    """The candidate that is compared with the champion or the anchor.

    Attributes
    ----------
    payload
        The serialized model.  If the champion's model has the same bytes, both models are equally
        good, and no rows are compared.
    embedding_model
        Name of the model that computed the embeddings of the compared rows.
    """

    model: TrainedModel
    payload: bytes
    embedding_model: str

    def equals(self, champion: PublishedVersion) -> bool:
        """Return whether the candidate and the champion consist of the same bytes."""
        return champion.files[MODEL_FILE] == self.payload


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonSpec:
    """The settings of a comparison: inputs and columns of the models, and the bootstrap."""

    training: TrainingSpec
    paired: PairedSpec

    def list_inputs(self, candidate: ComparedModel) -> tuple[FeatureBlocks, ...]:
        """Return the inputs that a champion may take: the candidate's, and the searched inputs."""
        return (candidate.model.feature_blocks, *self.training.search.inputs)


def compare_models(
    comparison: Comparison,
    champion: PublishedVersion,
    candidate: ComparedModel,
    rows: Rows,
    feature_blocks: FeatureBlocks,
    *,
    spec: ComparisonSpec,
) -> Comparison:
    """Return a copy of `comparison` with both scores on `rows`, or with the problem if it has none.

    Parameters
    ----------
    feature_blocks
        Feature blocks that the champion takes as input.
    """
    champion_model = candidate.model.pipeline
    if not candidate.equals(champion):
        if PLAIN_MODEL_FILE not in champion.files:
            return comparison.copy_with(problem=NO_PLAIN_FORM)
        champion_model = read_model(
            champion.version, champion.files[PLAIN_MODEL_FILE], champion.metadata
        )
    if problem := _describe_other_classes(champion_model, candidate.model.pipeline):
        return comparison.copy_with(problem=problem)
    columns, model = spec.training.columns, candidate.model
    difference = compare_pair(
        _predict(champion_model, rows, feature_blocks, columns),
        _predict(model.pipeline, rows, model.feature_blocks, columns),
        rows.groups,
        spec.paired,
    )
    compared = difference.add_to(comparison)
    if difference.interval is None:
        undefined = f"{spec.paired.metric.name} is undefined on these rows"
        compared = compared.copy_with(problem=undefined)
    if not candidate.equals(champion):
        return compared
    equal = Interval(value=0.0, lower=0.0, upper=0.0)
    return compared.copy_with(difference=equal, standard_error=None, recalls={})


def _predict(
    model: Classifier, rows: Rows, feature_blocks: FeatureBlocks, columns: ColumnsSpec
) -> Predictions:
    return predict(model, select_blocks(rows, feature_blocks, columns), feature_blocks)


def _describe_other_classes(champion: Estimator, candidate: Estimator) -> str:
    """Return a message on how the classes of two models differ; empty if the classes are equal."""
    old, new = set(champion.classes_), set(candidate.classes_)
    if old == new:
        return ""
    sides = ((old - new, "known only to it"), (new - old, "unknown to it"))
    parts = [f"{pluralize(len(classes), 'class')} {what}" for classes, what in sides if classes]
    return f"its classes differ: {', '.join(parts)}"
