"""Compare the metadata of two models."""

from __future__ import annotations

from typing import Final

from pydantic import JsonValue

from job.contracts.nesting import flatten
from job.contracts.reports.evaluation import Change
from job.contracts.reports.metadata import Metadata

_COMPARED: Final = {
    "classifier",
    "hyperparameters",
    "metrics",
    "decision",
    "settings",
    "classes",
    "input",
    "environment",
    "data_digest",
    "random_state",
    "compatible_with",
}


def compare_metadata(before: Metadata, after: Metadata) -> dict[str, Change]:
    """Return the values that differ, by dotted key, as reports and `models diff` show them."""
    old, new = (
        dict(flatten(metadata.model_dump(mode="json", include=_COMPARED)))
        for metadata in (before, after)
    )
    keys = sorted(old.keys() | new.keys())
    return {
        key: _describe(key, old.get(key), new.get(key))
        for key in keys
        if old.get(key) != new.get(key)
    }


def _describe(key: str, before: JsonValue, after: JsonValue) -> Change:
    if key.startswith("metrics.") and isinstance(before, float) and isinstance(after, float):
        return Change(before=before, after=after, difference=round(after - before, 6))
    return Change(before=before, after=after)
