"""Describe the newest versions of a store, with one request for each of them."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from job.contracts.ports import ArtifactStore
from job.contracts.reports.lists import ListedVersion, ModelList
from job.contracts.store_bounds import MAX_JSON_BYTES
from job.contracts.strict_json import parse_json
from job.contracts.version_files import METADATA_FILE
from job.errors import IntegrityError
from job.registry.anchors import list_anchors
from job.registry.channels import list_channels
from job.registry.list_versions import list_newest, list_versions

_N_THREADS: Final = 4
_MAX_TEXT: Final = 100


def list_models(store: ArtifactStore, limit: int | None) -> ModelList:
    """Return the newest `limit` versions, with channels and anchors; None returns all versions.

    The digest of metadata.json is not checked here, but by `models verify`.
    """
    names = list_versions(store) if limit is None else list_newest(store, limit + 1)
    shown = names[::-1][:limit]
    channels, anchors = list_channels(store), list_anchors(store)

    def describe(version: str) -> ListedVersion:
        return ListedVersion(
            version=version,
            **_read_facts(store, version),
            channels=tuple(name for name, at in sorted(channels.items()) if at == version),
            anchor_of=tuple(name for name, at in sorted(anchors.items()) if at == version),
        )

    with ThreadPoolExecutor(_N_THREADS) as pool:
        versions = tuple(pool.map(describe, shown))
    return ModelList(
        store_uri=store.uri,
        versions=versions,
        is_complete=len(shown) == len(names),
        channels=channels,
        anchors=anchors,
    )


def _read_facts(store: ArtifactStore, version: str) -> dict[str, Any]:
    """Return what metadata.json, written by any release, tells about a version."""
    try:
        raw = store.get(f"{version}/{METADATA_FILE}", max_bytes=MAX_JSON_BYTES)
        content = parse_json(raw or b"{}")
    except (ValueError, IntegrityError):
        return {}
    metric = _find(content, ("settings", "search", "metric"), str)
    return {
        "trained_at": _find(content, ("trained_on", "trained_at"), str),
        "n_rows": _find(content, ("dataset", "n_rows"), int),
        "metric": metric,
        "score": None if metric is None else _find(content, ("metrics", metric), int | float),
    }


def _find(content: object, path: tuple[str, ...], kind: Any) -> Any:  # a type, or a union of types
    """Return the value below nested keys; None if it is missing or of another type."""
    for key in path:
        content = content.get(key) if isinstance(content, Mapping) else None
    if not isinstance(content, kind) or isinstance(content, bool):
        return None
    if isinstance(content, str):
        return content[:_MAX_TEXT]
    return None if isinstance(content, int) and content < 0 else content
