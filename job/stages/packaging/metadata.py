"""The content of metadata.json: what a consumer and an auditor need to know of a version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from job.contracts.dataset import Dataset, Rows
from job.contracts.model import TrainedModel
from job.contracts.plan import Plan
from job.contracts.reports.gate import GateDecision
from job.contracts.settings.publish import PublishSpec
from job.registry.publish import Claim
from job.stages.data.leakage_keys import key_kind
from job.stages.features.preprocessing import embedding_column_names, select_blocks
from job.stages.split.split import DataSplit

_NOTES: Final = (
    "created_at",
    "description",
    "embedding_model",
    "generator",
    "git_commit",
    "license",
    "schema_version",
    "seed",
    "version",
)


def describe_input(rows: Rows, feature_blocks: tuple[str, ...]) -> dict[str, Any]:
    """Return the model's input as kind, names, dtypes and shape."""
    width = 0 if rows.embeddings is None else rows.embeddings.shape[1]
    if feature_blocks == ("embeddings",):
        return {"kind": "embeddings", "names": [], "dtypes": ["float32"], "shape": [None, width]}
    if feature_blocks == ("text",):
        return {"kind": "text", "names": [], "dtypes": ["str"], "shape": [None]}
    names = ["text"] if "text" in feature_blocks else []
    dtypes = ["str"] * len(names)
    if "embeddings" in feature_blocks:
        names += embedding_column_names(width)
        dtypes += ["float32"] * width
    names += list(rows.frame.columns)
    dtypes += ["str" if d.kind == "O" else "float32" for d in rows.frame.dtypes]
    return {"kind": "dataframe", "names": names, "dtypes": dtypes, "shape": [None, len(names)]}


def describe_dataset(dataset: Dataset) -> dict[str, Any]:
    """Return the provenance of a table, as it is published.

    Only known notes of the exporter are included: others may contain anything, personal data too.
    """
    p = dataset.provenance
    return {
        "uri": p.uri,
        "format": p.format,
        "n_rows": dataset.n_rows,
        "n_bytes": p.n_bytes,
        "modified_at": p.modified_at.isoformat(),
        "file_digest": p.file_digest,
        "content_digest": p.content_digest,
        "description": p.metadata_value("description"),
        "metadata": {k: v for k, v in p.metadata if k in _NOTES},
        "sidecar": {k: v for k, v in p.sidecar if k in _NOTES},
        "n_other_notes": sum(k not in _NOTES for k, _ in p.metadata + p.sidecar),
        "ignored_columns": list(p.ignored_columns),
        "absent_columns": list(p.absent_columns),
    }


def name_embedding_model(dataset: Dataset, spec: PublishSpec) -> str:
    """Return the embedding model's name, from the table or else from the settings."""
    return dataset.provenance.metadata_value("embedding_model") or spec.embedding_model


def make_metadata(
    plan: Plan,
    claim: Claim,
    dataset: Dataset,
    split: DataSplit,
    model: TrainedModel,
    *,
    scores: Mapping[str, float],
    compatible_with: tuple[str, ...],
) -> dict[str, Any]:
    """Build the content of metadata.json.

    `model_version`, `embedding_model`, `classifier` and `trained_on` are the keys PCC reads.
    """
    settings = plan.settings
    has_embeddings = "embeddings" in model.feature_blocks
    embedding_model = name_embedding_model(dataset, settings.publish)
    return {
        "model_version": claim.version,
        "embedding_model": embedding_model if has_embeddings else None,
        "classifier": model.estimator,
        "trained_on": {
            "n_train": len(split.train),
            "data_version": dataset.provenance.file_digest,
            "trained_at": claim.started_at.isoformat(),
        },
        "run_id": plan.run_id,
        **claim.digests,
        "dataset": describe_dataset(dataset),
        "split": split.report.to_json(),
        "settings": settings.model_dump(mode="json"),
        "hyperparameters": dict(model.parameters),
        "metrics": dict(scores),
        "classes": [str(name) for name in model.pipeline.classes_],
        "input": describe_input(
            select_blocks(split.test, model.feature_blocks, settings.dataset.columns),
            model.feature_blocks,
        ),
        "training_keys_salt": settings.split.salt,
        "training_keys_of": key_kind(split.train.text_keys),
        "random_state": settings.random_state,
        "environment": dict(plan.environment),
        "compatible_with": list(compatible_with),
    }


def describe_decision(decision: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the decision threshold, and its coverage and precision on the hold-out."""
    if decision is None:
        return None
    shares = {
        name: decision[name] and decision[name]["value"] for name in ("coverage", "precision")
    }
    rule = {name: decision[name] for name in ("target_precision", "threshold")}
    # absent from the evaluations of earlier releases
    rule |= {
        name: decision[name] for name in ("status", "reason", "learned_on") if name in decision
    }
    return {**rule, **shares}


def describe_challenge(challenge: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the published model's scores on the challenge set; None without a set."""
    if challenge is None:
        return None
    facts = {name: challenge[name] for name in ("n_rows", "n_groups", "judged", "used_for")}
    intervals = challenge["intervals"]
    scores = {name: intervals["scores"][name] for name in ("accuracy", "f1_macro")}
    return {**facts, "level": intervals["level"], **scores}


def describe_override(decision: GateDecision) -> dict[str, Any] | None:
    """Return why a rejected candidate is published, and why it was rejected."""
    if decision.override is None:
        return None
    return {"reason": decision.override, "rejected_for": decision.reasons}
