"""List the versions that consumers can be expected to have.

A run compares its table with the tables of these versions.

These are the versions that channels and anchors point to, and the newest 50 versions.  A consumer
may also have older versions, but they are not listed.
"""

from __future__ import annotations

from typing import Final

from job.contracts.ports import ArtifactStore
from job.registry.anchors import pointed_versions
from job.registry.champion import find_anchor
from job.registry.list_versions import list_newest
from job.registry.publish import is_complete

N_NEWEST: Final = 50


def list_readable(store: ArtifactStore, anchor: str | None) -> list[str]:
    """Return the versions that consumers can be expected to have, newest first.

    Parameters
    ----------
    anchor
        Value of `gate.anchor`: a version or a channel; None without one.
    """
    newest = set(list_newest(store, N_NEWEST))
    named = set() if anchor is None else {find_anchor(store, anchor)}
    older = (pointed_versions(store) | named) - newest
    return sorted({*newest, *(v for v in older if is_complete(store, v))}, reverse=True)
