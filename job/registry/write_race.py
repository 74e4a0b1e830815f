"""Probe that only one of many concurrent create-only writes to a store succeeds."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from job.contracts.ports import ArtifactStore
from job.contracts.store_keys import ProbeStep

_N_WRITERS: Final = 16
_N_ROUNDS: Final = 40
# NOTE: the longer an upload takes, the more writers pass an existence check made before it
_N_BYTES: Final = 64_000


def probe_concurrent_creates(store: ArtifactStore, token: str) -> ProbeStep:
    """Test, with several keys, that only one of many concurrent writers can create a key.

    If the store fails this test, two runs could both conclude that they have moved a channel.  The
    test may miss a defect of the store.
    """
    winners = (_count_winners(store, f"probe/{token}-{n}") for n in range(_N_ROUNDS))
    n_winners = next((n for n in winners if n != 1), 1)
    return ProbeStep(
        name="creates_alone",
        is_met=n_winners == 1,
        answer=f"{n_winners} of {_N_WRITERS} concurrent writers succeeded"
        if n_winners != 1
        else "one writer succeeded each time",
    )


def _count_winners(store: ArtifactStore, key: str) -> int:
    barrier = threading.Barrier(_N_WRITERS)

    def create(n: int) -> bool:
        barrier.wait()
        return store.put_if_absent(key, bytes([n]) * _N_BYTES)

    try:
        with ThreadPoolExecutor(_N_WRITERS) as pool:
            try:
                won = list(pool.map(create, range(_N_WRITERS)))
            except BaseException:
                barrier.abort()  # otherwise the writers that have started wait forever
                raise
    finally:
        store.delete(key)
    return sum(won)
