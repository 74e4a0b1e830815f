"""Compute keyed digests of strings: without the key, nobody can compute or confirm them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from job.contracts.arrays import Array
from job.contracts.lineage_key import LineageKey


def keyed_digests(purpose: str, strings: Iterable[str], key: LineageKey) -> Array:
    """Return the keyed BLAKE2b digest (RFC 7693) of each string, 64 bits, as uint64.

    Parameters
    ----------
    purpose
        What the digests are for, at most 16 ASCII characters.  The same string has independent
        digests for different purposes.
    """
    keyed = hashlib.blake2b(key=key.secret, digest_size=8, person=purpose.encode("ascii"))
    digests = bytearray()
    for string in strings:
        one = keyed.copy()
        one.update(string.encode("utf-8", "surrogatepass"))
        digests += one.digest()
    return np.frombuffer(digests, "<u8").astype(np.uint64)
