"""Build metadata.json from a run: what a consumer and an auditor need to know about a version."""

from __future__ import annotations

from dataclasses import dataclass

from job.contracts.dataset import Dataset, Rows
from job.contracts.model import TrainedModel
from job.contracts.plan import Plan
from job.contracts.reports.challenge import Challenge
from job.contracts.reports.decision_threshold import Decision
from job.contracts.reports.evaluation import CandidateEvaluation
from job.contracts.reports.gate import GateDecision
from job.contracts.reports.manifest import FileEntry
from job.contracts.reports.metadata import (
    AnchorRequest,
    ChallengeSummary,
    Metadata,
    ModelInput,
    Override,
    PublishedCrossFit,
    PublishedDecision,
    PublishedLineage,
    TrainedOn,
)
from job.contracts.reports.origin import DatasetDescription, Environment
from job.contracts.settings.dataset import ColumnsSpec
from job.contracts.settings.publish import PublishSpec
from job.contracts.shown_names import select_notes
from job.registry.claims import Claim
from job.stages.data.leakage_keys import key_kind
from job.stages.features.preprocessing import embedding_column_names, select_blocks
from job.stages.split.split import DataSplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Results of evaluation and gate that metadata.json contains.

    Attributes
    ----------
    cross_fit
        Number of folds, and digest of the file with the errors by group of rows; None if the
        evaluation was not cross-fitted.
    sets_anchor
        The version that becomes the channel's anchor when this version is promoted; None if the
        anchor does not change.
    model_files
        Entries of the files of the model, sorted by name.
    """

    evaluation: CandidateEvaluation
    decision: GateDecision
    cross_fit: PublishedCrossFit | None
    sets_anchor: AnchorRequest | None
    limitations: tuple[str, ...]
    lineage: PublishedLineage
    model_files: tuple[FileEntry, ...]


def describe_input(rows: Rows, feature_blocks: tuple[str, ...]) -> ModelInput:
    """Describe the model's input X: kind, column names, dtypes and shape."""
    width = 0 if rows.embeddings is None else rows.embeddings.shape[1]
    if feature_blocks == ("embeddings",):
        return ModelInput(kind="embeddings", names=(), dtypes=("float32",), shape=(None, width))
    if feature_blocks == ("text",):
        return ModelInput(kind="text", names=(), dtypes=("str",), shape=(None,))
    names = ["text"] if "text" in feature_blocks else []
    dtypes = ["str"] * len(names)
    if "embeddings" in feature_blocks:
        names += embedding_column_names(width)
        dtypes += ["float32"] * width
    names += list(rows.frame.columns)
    dtypes += ["str" if d.kind == "O" else "float32" for d in rows.frame.dtypes]
    return ModelInput(
        kind="dataframe", names=tuple(names), dtypes=tuple(dtypes), shape=(None, len(names))
    )


def describe_dataset(dataset: Dataset) -> DatasetDescription:
    """Return the source of a table, and the exporter's notes, if they may be shown.

    Other notes are only counted.
    """
    p = dataset.provenance
    metadata, sidecar = select_notes(p.metadata), select_notes(p.sidecar)
    return DatasetDescription(
        uri=p.uri,
        format=p.format,
        n_rows=dataset.n_rows,
        n_bytes=int(float(f"{p.n_bytes:.1e}")),  # two digits
        modified_at=p.modified_at.isoformat(),
        file_digest=p.file_digest,
        content_digest=p.content_digest,
        description=p.metadata_value("description"),
        metadata=metadata,
        sidecar=sidecar,
        n_other_notes=len(p.metadata + p.sidecar) - len(metadata) - len(sidecar),
        ignored_columns=p.ignored_columns,
        absent_columns=p.absent_columns,
    )


def name_embedding_model(dataset: Dataset, spec: PublishSpec) -> str:
    """Return the name of the embedding model, from the table or from the settings."""
    return dataset.provenance.metadata_value("embedding_model") or spec.embedding_model


def make_metadata(
    plan: Plan,
    claim: Claim,
    dataset: Dataset,
    split: DataSplit,
    model: TrainedModel,
    findings: Findings,
    compatible_with: tuple[str, ...],
) -> Metadata:
    """Build the content of metadata.json."""
    settings, evaluation = plan.settings, findings.evaluation
    return Metadata(
        model_version=claim.version,
        embedding_model=_name_input_model(dataset, model, settings.publish),
        classifier=model.estimator,
        trained_on=_describe_training(claim, dataset, split),
        run_id=plan.run_id,
        **claim.digests,
        dataset=describe_dataset(dataset),
        split=split.report,
        settings=settings.model_dump(mode="json"),
        hyperparameters=dict(model.parameters),
        metrics=evaluation.scores,
        classes=tuple(str(name) for name in model.pipeline.classes_),
        input=_describe_model_input(split, model, settings.dataset.columns),
        lineage=findings.lineage,
        training_keys_of=key_kind(split.train.text_keys),
        random_state=settings.random_state,
        environment=Environment.model_validate(plan.environment),
        compatible_with=compatible_with,
        decision=_describe_decision(evaluation.decision),
        override=_describe_override(findings.decision),
        cross_fit=findings.cross_fit,
        challenge=_describe_challenge(evaluation.challenge),
        geometry=evaluation.geometry,
        input_check=evaluation.input_check,
        sets_anchor=findings.sets_anchor,
        model_files=findings.model_files,
        limitations=findings.limitations,
    )


def _name_input_model(dataset: Dataset, model: TrainedModel, spec: PublishSpec) -> str | None:
    """Return the name of the embedding model; None if the classifier takes no embeddings."""
    return name_embedding_model(dataset, spec) if "embeddings" in model.feature_blocks else None


def _describe_model_input(
    split: DataSplit, model: TrainedModel, columns: ColumnsSpec
) -> ModelInput:
    blocks = model.feature_blocks
    return describe_input(select_blocks(split.test, blocks, columns), blocks)


def _describe_training(claim: Claim, dataset: Dataset, split: DataSplit) -> TrainedOn:
    return TrainedOn(
        n_train=len(split.train),
        data_version=dataset.provenance.file_digest,
        trained_at=claim.started_at.isoformat(),
    )


def _describe_decision(decision: Decision | None) -> PublishedDecision | None:
    """Return the decision threshold, the share of answered rows, and the answers' precision."""
    if decision is None:
        return None
    coverage, precision = decision.coverage, decision.precision
    return PublishedDecision(
        target_precision=decision.target_precision,
        threshold=decision.threshold,
        status=decision.status,
        reason=decision.reason,
        learned_on=decision.learned_on,
        coverage=None if coverage is None else coverage.value,
        precision=None if precision is None else precision.value,
    )


def _describe_challenge(challenge: Challenge | None) -> ChallengeSummary | None:
    """Return the published model's scores on the challenge set; None if there is no such set."""
    if challenge is None:
        return None
    scores = challenge.intervals.scores
    return ChallengeSummary(
        n_rows=challenge.n_rows,
        n_groups=challenge.n_groups,
        judged=challenge.judged,
        used_for=challenge.used_for,
        level=challenge.intervals.level,
        accuracy=scores["accuracy"],
        f1_macro=scores["f1_macro"],
    )


def _describe_override(decision: GateDecision) -> Override | None:
    """Return why a rejected candidate is published anyway, and why the gate rejected it."""
    if decision.override is None:
        return None
    return Override(reason=decision.override, rejected_for=tuple(decision.reasons))
