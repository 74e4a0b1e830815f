"""Say what differs between two models, by their metadata."""

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
    """Return what differs: `{dotted key: {before, after}}`, of scores the `difference` too."""
    flat = [dict(flatten({k: c.get(k) for k in _COMPARED})) for c in (before, after)]
    keys = sorted(flat[0].keys() | flat[1].keys())
    ends = {key: (flat[0].get(key), flat[1].get(key)) for key in keys}
    return {key: _describe(key, old, new) for key, (old, new) in ends.items() if old != new}


def _describe(key: str, before: Any, after: Any) -> dict[str, Any]:
    found = {"before": before, "after": after}
    if key.startswith("metrics.") and before is not None and after is not None:
        found["difference"] = round(after - before, 6)
    return found
