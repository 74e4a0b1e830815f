"""Check which lineage keys (secret keys of row digests) are present, and which are needed."""

from __future__ import annotations

from collections import defaultdict

from job.contracts.messages import name_all
from job.contracts.ports import ArtifactStore
from job.contracts.reports.checks import LineageCheck
from job.errors import IntegrityError
from job.registry.champion import list_compared
from job.registry.lineage_keys import STORED_KEY, LineageKeys
from job.registry.read_version import read_lineage_entry
from job.registry.readable import list_readable


def check_lineage(
    store: ArtifactStore, keys: LineageKeys, channel: str | None, anchor: str | None
) -> LineageCheck:
    """Return which lineage keys are mounted, stored, missing and no longer needed.

    Parameters
    ----------
    channel, anchor
        Values of `publish.channel` and `gate.anchor`.
    """
    ring = keys.ring
    needed: dict[str, list[str]] = defaultdict(list)
    damaged = []
    for version in list_readable(store, anchor):
        try:
            published = read_lineage_entry(store, version)
        except IntegrityError:
            damaged.append(version)
            continue
        if published is not None:
            needed[published.key_id].append(version)
    missing = {key_id: tuple(v) for key_id, v in needed.items() if ring.find(key_id) is None}
    compared = list_compared(store, channel, anchor)
    blocking = sorted({v for versions in missing.values() for v in versions} & set(compared))
    earlier = [key.id for key in ring.keys[1:]]
    return LineageCheck(
        key_id=ring.keys[0].id if ring.keys else None,
        source="mounted" if keys.mounted.keys else "store" if ring.keys else None,
        needed_by={key_id: tuple(versions) for key_id, versions in needed.items()},
        missing=missing,
        not_needed=tuple(key_id for key_id in earlier if key_id not in needed),
        is_ready=not blocking,
        notes=tuple(_list_notes(keys, blocking, damaged)),
    )


def _list_notes(keys: LineageKeys, blocking: list[str], damaged: list[str]) -> list[str]:
    """Return what an operator should know or do, as sentences."""
    notes = []
    if damaged:
        notes.append(
            f"the key of {name_all('version', damaged)} is unknown, because metadata.json is "
            f"damaged: `pcc-job models verify {damaged[0]}` says how"
        )
    if blocking:
        notes.append(
            f"the key of {name_all('version', blocking)} is missing, so the next run ends with "
            "exit code 2: mount it as an earlier key (lineage.key_file)"
        )
    if keys.mounted.keys and keys.stored.keys:
        notes.append(
            f"'{STORED_KEY}' in the store is used only for versions from before a key was mounted"
        )
    if not keys.mounted.keys:
        which = (
            f"the key is '{STORED_KEY}' in the store"
            if keys.stored.keys
            else f"no key is mounted: the first run that is not a dry run creates '{STORED_KEY}'"
        )
        notes.append(
            f"{which}, where everyone who can read the whole store can read it; mount a key of "
            "your own (`pcc-job lineage keygen`), the same for all jobs on this store"
        )
    return notes
