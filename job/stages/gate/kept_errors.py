"""Store the cross-fitted errors of a run by group, and read those of an earlier run."""

from __future__ import annotations

import structlog

from job.contracts.identity import Digest
from job.contracts.ports import ArtifactStore
from job.contracts.reports.evaluation import CrossFit
from job.contracts.reports.metadata import Metadata, PublishedCrossFit
from job.contracts.store_bounds import MAX_GROUP_ERRORS_BYTES
from job.contracts.store_keys import is_key
from job.stages.gate.group_errors import GroupErrors

log = structlog.get_logger(__name__)


def describe_cross_fit(
    cross_fit: CrossFit | None, errors: GroupErrors | None
) -> PublishedCrossFit | None:
    """Return `cross_fit` of metadata.json: number of folds, and digest of the stored errors."""
    if cross_fit is None or errors is None:
        return None
    digest = str(Digest.of(errors.to_bytes()))
    return PublishedCrossFit(**cross_fit.fields(), group_errors_digest=digest)


def store_group_errors(store: ArtifactStore, run_id: str, errors: GroupErrors) -> None:
    """Store the errors of a run by group, as an object whose key contains the digest.

    If an earlier process of the run has stored the same errors, nothing changes.  Errors that no
    later run would read, because they are too large, are not stored.
    """
    data = errors.to_bytes()
    if len(data) > MAX_GROUP_ERRORS_BYTES:
        log.warning("group_errors_not_stored", n_bytes=len(data), max_bytes=MAX_GROUP_ERRORS_BYTES)
        return
    store.put_if_absent(_key(run_id, Digest.of(data)), data)


def read_group_errors(store: ArtifactStore, metadata: Metadata) -> GroupErrors | None:
    """Read the errors by group that the run of a version stored.

    Return None if they are missing or altered, or have the format of another release.
    """
    if metadata.cross_fit is None:
        return None
    digest = Digest.parse(metadata.cross_fit.group_errors_digest)
    key = _key(metadata.run_id, digest)
    data = store.get(key, max_bytes=MAX_GROUP_ERRORS_BYTES) if is_key(key) else None
    if data is None:
        reason = "they were removed, or were too large to be stored"
    elif Digest.of(data) != digest:
        reason = "their digest differs from the recorded one"
    else:
        try:
            return GroupErrors.from_bytes(data)
        except ValueError:
            reason = "another release wrote them in another format"
    log.warning("group_errors_not_read", version=metadata.model_version, reason=reason)
    return None


def _key(run_id: str, digest: Digest) -> str:
    return f"runs/{run_id}/group_errors/{digest.hex}.json"
