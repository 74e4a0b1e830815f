"""Compare the metadata of two models."""

from __future__ import annotations

from typing import Any, Final

from job.contracts.nesting import flatten

_COMPARED: Final = (
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
)


def compare_metadata(before: dict[str, Any], after: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the differences by dotted key: `before`, `after`, and for scores the `difference`."""
    flat = [dict(flatten({k: c.get(k) for k in _COMPARED})) for c in (before, after)]
    keys = sorted(flat[0].keys() | flat[1].keys())
    values = {key: (flat[0].get(key), flat[1].get(key)) for key in keys}
    return {key: _describe(key, old, new) for key, (old, new) in values.items() if old != new}


def _describe(key: str, before: Any, after: Any) -> dict[str, Any]:
    change = {"before": before, "after": after}
    if key.startswith("metrics.") and before is not None and after is not None:
        change["difference"] = round(after - before, 6)
    return change
