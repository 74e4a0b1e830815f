"""Lay out the most important facts of a version for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from job.cli.layout import lay_out_labelled, to_cell

_WIDTH: Final = 18
# label and dotted key in metadata.json, which any release may have written
_FACTS: Final = (
    ("version", "model_version"),
    ("trained at", "trained_on.trained_at"),
    ("run", "run_id"),
    ("table", "dataset.uri"),
    ("rows of the table", "dataset.n_rows"),
    ("rows trained on", "trained_on.n_train"),
    ("input", "input.kind"),
    ("embedding model", "embedding_model"),
    ("classifier", "classifier"),
    ("hyperparameters", "hyperparameters"),
    ("classes", "classes"),
    ("accuracy", "metrics.accuracy"),
    ("macro F1", "metrics.f1_macro"),
    ("log loss", "metrics.log_loss"),
    ("threshold", "decision.threshold"),
    ("loads with", "compatible_with"),
    ("table digest", "dataset.content_digest"),
)


def lay_out_version(metadata: Mapping[str, object]) -> list[str]:
    """Return one line per fact; facts that the version does not have are left out."""
    lines = []
    for label, key in _FACTS:
        value = _find(metadata, key)
        if value is None or value == {}:
            continue
        lines += lay_out_labelled(label, _format_value(value), label_width=_WIDTH)
    return [*lines, "`-o yaml` prints the whole metadata.json"]


def _format_value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    return ", ".join(map(to_cell, value)) if isinstance(value, list) else to_cell(value)


def _find(content: object, key: str) -> object:
    """Return the value of a dotted key; None if there is none."""
    for part in key.split("."):
        content = content.get(part) if isinstance(content, Mapping) else None
    return content
