"""Lineage keys, where they are written, and lineage files of invented rows."""

import base64

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


def _spell(key):
    """Return the ways in which a key could be written."""
    texts = [key.to_text(), key.to_text().upper(), base64.b64encode(key.secret).decode()]
    texts += [str(key.secret), repr(key.secret)[2:-1], str(list(key.secret))]
    return [key.secret, key.secret[::-1], *(text.encode() for text in texts)]


def find_key(key, outputs):
    """Return the names of the outputs that contain the key or half of it, in any spelling."""
    words = [
        part for word in _spell(key) for part in (word[: len(word) // 2], word[-len(word) // 2 :])
    ]
    return sorted(name for name, data in outputs.items() if any(word in data for word in words))
