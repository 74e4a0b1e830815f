"""Store the errors of a run's groups, and read those of an earlier run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from job.contracts.identity import Digest
from job.contracts.ports import ArtifactStore
from job.stages.gate.group_errors import GroupErrors

log = structlog.get_logger(__name__)


def describe_cross_fit(
    evaluation: Mapping[str, Any], errors: GroupErrors | None
) -> dict[str, Any] | None:
    """Return the part `cross_fit` of metadata.json: the folds, and the digest of the errors."""
    if errors is None:
        return None
    digest = str(Digest.of(errors.to_bytes()))
    return {**evaluation["cross_fit"], "group_errors_digest": digest}


def store_group_errors(store: ArtifactStore, run_id: str, errors: GroupErrors) -> None:
    """Store the errors under their digest, below the run; another attempt may store them again."""
    data = errors.to_bytes()
    store.put_if_absent(_key(run_id, Digest.of(data)), data)


def read_group_errors(store: ArtifactStore, metadata: Mapping[str, Any]) -> GroupErrors | None:
    """Read the errors of a version's run; None if there are none, or if their digest differs."""
    cross_fit = metadata.get("cross_fit")
    if cross_fit is None:
        return None
    digest = Digest.parse(cross_fit["group_errors_digest"])
    data = store.get(_key(metadata["run_id"], digest))
    if data is None or Digest.of(data) != digest:
        reason = "they are gone" if data is None else "they are not what was stored"
        log.warning("group_errors_not_read", version=metadata["model_version"], reason=reason)
        return None
    return GroupErrors.from_bytes(data)


def _key(run_id: str, digest: Digest) -> str:
    return f"runs/{run_id}/group_errors/{digest.hex}.json"
