"""Claim the names of versions for a run, so that all processes of the run publish one version.

How it works
------------
1. The first process of a run stores a claim: name and time of the version, and digests of the run's
   data and settings.
2. Later processes of the run read the claim.  They must have the same data, settings and lineage
   key.
3. If there are foreign files under a name, or a version that no process of the run has recorded as
   its own, the run publishes under the next name.  The names follow from the claim: the n-th name
   is n - 1 seconds later.  So every process of the run tries the same names in the same order, and
   finds a version that another process has published.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from job.contracts.identity import canonical_json, is_version
from job.contracts.ports import ArtifactStore
from job.contracts.store_bounds import MAX_RECORD_BYTES
from job.contracts.strict_json import parse_json
from job.errors import ConfigurationError, IntegrityError, TransientError
from job.registry.publish import is_published_by, name_version

_N_NAMES: Final = 5
_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Name and time of a version, and digests of the run's data and settings.

    The first process of a run stores the claim; later processes of the run use it.  The stored
    version is the first name of `list_names`.  `key_id` is the id of the secret key that the
    digests of rows are made with; None in claims of earlier releases.
    """

    version: str
    started_at: datetime
    digests: Mapping[str, str]
    key_id: str | None = None


def find_claim(store: ArtifactStore, run_id: str, digests: Mapping[str, str]) -> Claim | None:
    """Return the claim that a process of this run id has stored; None if there is none.

    Raises
    ------
    ConfigurationError
        The process that stored the claim used another dataset or other settings.
    IntegrityError
        The claim is damaged, or its version is not named after the run.
    """
    raw = store.get(_claim_key(run_id), max_bytes=MAX_RECORD_BYTES)
    if raw is None:
        return None
    try:
        content = parse_json(raw)
        claim = Claim(
            version=str(content["version"]),
            started_at=datetime.fromisoformat(content["started_at"]),
            digests={name: value for name, value in content.items() if name.endswith("_digest")},
            key_id=content.get("lineage_key_id"),
        )
        names = list_names(run_id, claim)
        if claim.version != names[0] or not all(map(is_version, names)):
            raise ValueError(claim.version)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise IntegrityError(
            f"cannot read the version of run id '{run_id}': {_claim_key(run_id)} is damaged",
            hint="run again with another --run-id",
        ) from None
    if claim.digests != dict(digests):
        raise ConfigurationError(
            f"run id '{run_id}' was used for {claim.version} with another dataset or other "
            "settings",
            hint="use another --run-id, or the dataset and settings of that version",
        )
    return claim


def claim(store: ArtifactStore, run_id: str, proposed: Claim) -> Claim:
    """Store the claim `proposed`, unless the run already has a claim; return the stored claim.

    Raises
    ------
    ConfigurationError
        An earlier process with this run id used another dataset, other settings or another lineage
        key.
    """
    content = {
        "version": proposed.version,
        "started_at": proposed.started_at.isoformat(),
        "lineage_key_id": proposed.key_id,
        **proposed.digests,
    }
    if store.put_if_absent(_claim_key(run_id), canonical_json(content)):
        return proposed
    earlier = find_claim(store, run_id, proposed.digests)
    if earlier is None:
        raise TransientError(f"{_claim_key(run_id)} was removed during the run", hint="run again")
    if earlier.key_id not in (proposed.key_id, None):
        raise ConfigurationError(
            f"run id '{run_id}' was used for {earlier.version} with lineage key {earlier.key_id}",
            hint="use another --run-id, or put that key first in lineage.key_file",
        )
    return earlier


def list_names(run_id: str, claim: Claim) -> list[str]:
    """Return the names under which a run may publish its version, in the order of their use."""
    return [name_version(run_id, claim.started_at + n * _SECOND) for n in range(_N_NAMES)]


def find_published(store: ArtifactStore, run_id: str, claim: Claim) -> str | None:
    """Return the version that a run with this claim has published; None if there is none yet.

    A complete version that the run has not recorded is ignored, even under a name of the claim.
    """
    names = list_names(run_id, claim)
    return next((version for version in names if is_published_by(store, version, run_id)), None)


def _claim_key(run_id: str) -> str:
    return f"runs/{run_id}/claim.json"
