"""Store a bundle so that a reader of the manifest sees the whole version or none."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from job.contracts.identity import Digest, ModelVersion, canonical_json, run_suffix
from job.contracts.messages import pluralize
from job.contracts.ports import ArtifactStore
from job.contracts.store_keys import MANIFEST
from job.errors import ConfigurationError, IntegrityError, TransientError, VersionConflictError
from job.registry.removal import is_being_removed

log = structlog.get_logger(__name__)
# NOTE: today's PCC knows no manifest; so early, a folder without metadata.json lasts one request
_FIRST: Final = ("model.joblib", "metadata.json")
_N_THREADS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What the first attempt of a run id has fixed for all others: name, time, data, settings."""

    version: str
    started_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """One file as a manifest lists it."""

    n_bytes: int
    digest: str

    @classmethod
    def of(cls, data: bytes) -> FileEntry:
        """Measure some bytes."""
        return cls(n_bytes=len(data), digest=str(Digest.of(data)))


def make_manifest(
    version: str, run_id: str, files: Mapping[str, FileEntry], *, copied_from: str | None = None
) -> bytes:
    """List name, bytes and SHA-256 of each file."""
    entries = [
        {"name": name, "n_bytes": entry.n_bytes, "digest": entry.digest}
        for name, entry in sorted(files.items())
    ]
    content = {"version": version, "run_id": run_id, "files": entries}
    return canonical_json(content | ({"copied_from": copied_from} if copied_from else {}))


def name_version(run_id: str, at: datetime, *, copied_from: str | None = None) -> str:
    """Name what a run publishes, or the copy that a rollback makes of an older version."""
    return str(ModelVersion.of(_owner(run_id, copied_from), at))


def is_named_for(version: str, run_id: str, copied_from: str | None) -> bool:
    """Return whether a version's name comes of that run id, or of that copy."""
    return version.endswith(f"_{run_suffix(_owner(run_id, copied_from))}")


def _owner(run_id: str, copied_from: str | None) -> str:
    return run_id if copied_from is None else f"{run_id} {copied_from}"


def find_claim(store: ArtifactStore, run_id: str, digests: Mapping[str, str]) -> Claim | None:
    """Read what an earlier or simultaneous attempt of this run id has fixed.

    Raises
    ------
    ConfigurationError
        It was of another dataset or other settings.
    """
    raw = store.get(_claim_key(run_id))
    if raw is None:
        return None
    try:
        content = json.loads(raw)
        claim = Claim(
            version=str(content["version"]),
            started_at=datetime.fromisoformat(content["started_at"]),
        )
        claimed = {name: value for name, value in content.items() if name.endswith("_digest")}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise IntegrityError(
            f"{_claim_key(run_id)} is damaged", hint="run again with another --run-id"
        ) from None
    if claimed != dict(digests):
        raise ConfigurationError(
            f"run id '{run_id}' is taken by {claim.version}, of another dataset or settings",
            hint="use a new --run-id, or the dataset and settings of that version",
        )
    return claim


def claim(
    store: ArtifactStore,
    run_id: str,
    digests: Mapping[str, str],
    *,
    version: str,
    started_at: datetime,
) -> Claim:
    """Fix the version that this run id publishes; the first attempt's word counts."""
    content = {"version": version, "started_at": started_at.isoformat(), **digests}
    if store.put_if_absent(_claim_key(run_id), canonical_json(content)):
        return Claim(version=version, started_at=started_at)
    found = find_claim(store, run_id, digests)
    if found is None:
        raise TransientError(f"{_claim_key(run_id)} was removed meanwhile", hint="run again")
    return found


def is_complete(store: ArtifactStore, version: str) -> bool:
    """Return whether a version exists: whether its manifest does."""
    return store.head(f"{version}/{MANIFEST}") is not None


def publish(
    store: ArtifactStore,
    version: str,
    run_id: str,
    files: Mapping[str, bytes],
    *,
    copied_from: str | None = None,
) -> None:
    """Create every object of a version; the manifest commits it.

    What an earlier or simultaneous attempt of the same run has stored is left as it is and
    becomes part of the version: objects are never changed, and the manifest lists what is there.

    Raises
    ------
    VersionConflictError
        The name is taken by another run.
    TransientError
        `models prune` has taken the folder for abandoned, and is removing it.
    """
    with ThreadPoolExecutor(_N_THREADS) as pool:
        measured = {name: pool.submit(FileEntry.of, data) for name, data in files.items()}
        stored = {name: _create(store, version, name, files[name]) for name in _FIRST}
        told = json.loads(stored["metadata.json"])
        owner = told.get("run_id")
        if owner not in (run_id, None) and copied_from is None:
            raise VersionConflictError(
                f"{version} belongs to run '{owner}'", hint="run again with another --run-id"
            )
        if told.get("override") != json.loads(files["metadata.json"]).get("override"):
            raise VersionConflictError(
                f"an interrupted attempt of run '{run_id}' has stored another verdict of the gate",
                hint="run again with another --run-id",
            )
        rest = sorted(name for name in files if name not in _FIRST)
        contents = pool.map(lambda name: _create(store, version, name, files[name]), rest)
        stored |= dict(zip(rest, contents, strict=True))
    entries = {
        name: measured[name].result() if data is files[name] else FileEntry.of(data)
        for name, data in stored.items()
    }
    _require_all_there(store, version, entries)
    manifest = make_manifest(version, run_id, entries, copied_from=copied_from)
    _create(store, version, MANIFEST, manifest)


def _require_all_there(store: ArtifactStore, version: str, names: Iterable[str]) -> None:
    """Refuse to commit what `models prune` is removing, or has removed.

    NOTE: the mark first, then the files: a removal that has taken its mark away has removed them.
    """
    if is_being_removed(store, version):
        raise TransientError(
            f"{version} is being removed by `models prune` as abandoned",
            hint="run again when it has ended; if it was killed, once its mark below "
            f"removals/{version}/ is old enough for the next `models prune`",
        )
    lost = {f"{version}/{name}" for name in names} - set(store.keys(f"{version}/"))
    if lost:
        raise TransientError(
            f"{pluralize(len(lost), 'file')} of {version} removed meanwhile", hint="run again"
        )


def _create(store: ArtifactStore, version: str, name: str, data: bytes) -> bytes:
    """Create an object, or give the one that is there."""
    key = f"{version}/{name}"
    if store.put_if_absent(key, data):
        return data
    found = store.get(key)
    if found is None:
        raise TransientError(f"'{key}' was removed meanwhile", hint="run again")
    if found != data:
        log.info("earlier_file_kept", key=key)
    return found


def _claim_key(run_id: str) -> str:
    return f"runs/{run_id}/claim.json"
