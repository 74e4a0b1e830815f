"""Find out whether a store's create-only writes hold when many come at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from job.contracts.ports import ArtifactStore
from job.contracts.store_keys import ProbeStep

_N_RIVALS: Final = 16
_N_ROUNDS: Final = 40
# NOTE: the longer a body takes to arrive, the more rivals pass a check that was made before it
_N_BYTES: Final = 64_000


def probe_concurrent_creates(store: ArtifactStore, token: str) -> ProbeStep:
    """Let rivals create one key at the same moment, many times; one must win each time.

    A store that passes may still fail one day; one that fails has shown that two runs can both
    be told that they have moved a channel.
    """
    winners = (_n_winners(store, f"probe/{token}-{n}") for n in range(_N_ROUNDS))
    most = next((n for n in winners if n != 1), 1)
    return ProbeStep(
        name="creates_alone",
        is_met=most == 1,
        answer=f"{most} of {_N_RIVALS} rivals won" if most != 1 else "one won each time",
    )


def _n_winners(store: ArtifactStore, key: str) -> int:
    barrier = threading.Barrier(_N_RIVALS)

    def create(n: int) -> bool:
        barrier.wait()
        return store.put_if_absent(key, bytes([n]) * _N_BYTES)

    with ThreadPoolExecutor(_N_RIVALS) as pool:
        won = list(pool.map(create, range(_N_RIVALS)))
    store.delete(key)
    return sum(won)
