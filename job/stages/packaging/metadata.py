"""Turn a judged model into a bundle: bytes by name, all but the manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from job.contracts.dataset import Dataset, Rows
from job.contracts.model import TrainedModel
from job.contracts.plan import Plan
from job.contracts.reports.gate import GateDecision
from job.contracts.settings.publish import PublishSpec
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
    """State what the model takes: kind, names, dtypes, shape."""
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
    """Return the provenance as it is recorded.

    What a table says of itself is kept by its name: exporters write there what they like.
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
        "description": p.note("description"),
        "metadata": {k: v for k, v in p.metadata if k in _NOTES},
        "sidecar": {k: v for k, v in p.sidecar if k in _NOTES},
        "n_other_notes": sum(k not in _NOTES for k, _ in p.metadata + p.sidecar),
        "ignored_columns": list(p.ignored_columns),
        "absent_columns": list(p.absent_columns),
    }


def name_embedding_model(dataset: Dataset, spec: PublishSpec) -> str:
    """Return the embedding model that the table names, else the settings'."""
    return dataset.provenance.note("embedding_model") or spec.embedding_model


def make_metadata(
    plan: Plan,
    dataset: Dataset,
    split: DataSplit,
    model: TrainedModel,
    *,
    digests: Mapping[str, str],
    scores: Mapping[str, float],
    compatible_with: tuple[str, ...],
) -> dict[str, Any]:
    """Write down what a consumer and an auditor need to know of a version.

    `model_version`, `embedding_model`, `classifier` and `trained_on` are the keys PCC reads.
    """
    settings = plan.settings
    has_embeddings = "embeddings" in model.feature_blocks
    said = name_embedding_model(dataset, settings.publish)
    return {
        "model_version": plan.version,
        "embedding_model": said if has_embeddings else None,
        "classifier": model.estimator,
        "trained_on": {
            "n_train": len(split.train),
            "data_version": dataset.provenance.file_digest,
            "trained_at": plan.started_at.isoformat(),
        },
        "run_id": plan.run_id,
        **digests,
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


def describe_decision(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return a consumer the threshold, and what it did on the hold-out."""
    if found is None:
        return None
    shares = {name: found[name] and found[name]["value"] for name in ("coverage", "precision")}
    said = {name: found[name] for name in ("target_precision", "threshold")}
    # absent where an earlier release measured
    said |= {name: found[name] for name in ("status", "reason", "learnt_on") if name in found}
    return {**said, **shares}


def describe_challenge(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return what the challenge set says of the published model; None: there is none."""
    if found is None:
        return None
    said = {name: found[name] for name in ("n_rows", "n_groups", "judged", "used_for")}
    intervals = found["intervals"]
    scores = {name: intervals["scores"][name] for name in ("accuracy", "f1_macro")}
    return {**said, "level": intervals["level"], **scores}


def describe_override(decision: GateDecision) -> dict[str, Any] | None:
    """Say why a rejected candidate is published, and what it was rejected for."""
    if decision.override is None:
        return None
    return {"reason": decision.override, "rejected_for": decision.reasons}
