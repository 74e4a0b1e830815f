"""Lineage keys, and lineage files of invented rows."""

import numpy as np

from job.contracts.identity import Digest
from job.contracts.lineage_key import KeyRing, LineageKey
from job.registry.lineage_files import LINEAGE_SUFFIX, PROFILE_SUFFIX
from job.registry.lineage_keys import LineageKeys
from job.stages.lineage.lineage_file import trace_rows

KEY, OTHER_KEY = LineageKey(bytes(range(32))), LineageKey(bytes(range(1, 33)))


def mount(store, *keys):
    """Return the keys of a store if an operator mounts these keys; KEY if none is given."""
    return LineageKeys(store, KeyRing(keys or (KEY,)))


def trace_training(rows, key=KEY):
    """Return the bytes of the lineage file of a version that was trained on all of these rows."""
    return trace_rows(rows, rows.take(np.array([], int)), key).to_bytes()


def describe(lineage, profile=b"{}", key=KEY):
    """Return `lineage` of metadata.json for the bytes of these files."""
    digests = {"digest": str(Digest.of(lineage)), "profile_digest": str(Digest.of(profile))}
    return {"key_id": key.id, **digests}


def lineage_files(lineage, profile=b"{}"):
    """Return the lineage files by suffix."""
    return {LINEAGE_SUFFIX: lineage, PROFILE_SUFFIX: profile}
