"""Turn a judged model into a bundle: bytes by name, all but the manifest."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from job.contracts.dataset import Dataset, Rows
from job.contracts.digest import canonical_json
from job.contracts.reports import SplitReport, ValidationReport
from job.stages.features import embedding_names
from job.stages.keys import salted_digests


def describe_input(rows: Rows, use: tuple[str, ...]) -> dict[str, Any]:
    """State what the model takes: kind, names, dtypes, shape."""
    width = 0 if rows.embeddings is None else rows.embeddings.shape[1]
    if use == ("embeddings",):
        return {"kind": "embeddings", "names": [], "dtypes": ["float32"], "shape": [None, width]}
    if use == ("text",):
        return {"kind": "text", "names": [], "dtypes": ["str"], "shape": [None]}
    names = ["text"] if "text" in use else []
    dtypes = ["str"] * len(names)
    if "embeddings" in use:
        names += embedding_names(width)
        dtypes += ["float32"] * width
    names += list(rows.frame.columns)
    dtypes += ["str" if d.kind == "O" else "float32" for d in rows.frame.dtypes]
    return {"kind": "dataframe", "names": names, "dtypes": dtypes, "shape": [None, len(names)]}


def describe_dataset(dataset: Dataset) -> dict[str, Any]:
    """Give the provenance as it is recorded."""
    p = dataset.provenance
    return {
        "uri": p.uri,
        "format": p.format,
        "n_rows": dataset.n_rows,
        "n_bytes": p.n_bytes,
        "modified_at": p.modified_at.isoformat(),
        "file_digest": p.file_digest,
        "content_digest": p.content_digest,
        "metadata": dict(p.metadata),
        "sidecar": dict(p.sidecar),
        "ignored_columns": list(p.ignored_columns),
        "absent_columns": list(p.absent_columns),
    }


def find_limitations(split: SplitReport, validation: ValidationReport) -> list[str]:
    """Say what a reader must know about the data behind this very model."""
    found = []
    if validation.n_dropped:
        found.append(f"{validation.n_dropped} rows broke an expectation and were dropped.")
    if split.n_conflicting_keys:
        found.append(
            f"{split.n_conflicting_keys} texts carry more than one label "
            f"({split.n_conflicting_rows} rows)."
        )
    if split.n_dropped_leaking:
        found.append(
            f"{split.n_dropped_leaking} training rows also stood in the hold-out and were dropped."
        )
    if split.n_rare_classes:
        found.append(
            f"{split.n_rare_classes} classes were too rare to learn and were dropped "
            f"({split.n_dropped_rare_class} rows)."
        )
    if split.n_test_only_rows:
        found.append(
            f"{split.n_test_only_rows} test rows are of {len(split.test_only_classes)} classes "
            "the model never saw; they count as errors."
        )
    small = [name for name, _, n_test in split.class_rows if n_test < 30]
    if small:
        found.append(
            f"{len(small)} classes have fewer than 30 test rows: their scores are uncertain."
        )
    return found or ["None were found in this run's own reports."]


def training_keys(rows: Rows, salt: str) -> np.ndarray[Any, Any]:
    """Give sorted salted digests of all keys trained on, shape (n_keys,), uint64."""
    return np.unique(salted_digests("trained", {*rows.keys, *rows.text_keys}, salt))


def make_bundle(
    *,
    model: bytes,
    metadata: Mapping[str, Any],
    evaluation: Mapping[str, Any],
    validation: Mapping[str, Any],
    keys: np.ndarray[Any, Any],
    pages: Mapping[str, bytes],
) -> dict[str, bytes]:
    """Gather the files of a version."""
    stream = io.BytesIO()
    np.save(stream, keys, allow_pickle=False)
    return {
        **pages,
        "model.joblib": model,
        "metadata.json": canonical_json(metadata),
        "evaluation.json": canonical_json(evaluation),
        "validation.json": canonical_json(validation),
        "training_keys.npy": stream.getvalue(),
    }
