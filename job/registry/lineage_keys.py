"""Find the secret keys of row digests: those that the operator mounts, and the store's own key.

How it works
------------
1. The first mounted key is the current key: new digests are made with it.
2. Without a mounted key, the first run that is not a dry run creates the store's own key.  Then
   everyone who can read the whole store has both key and digests, so a mounted key protects better.
3. The store's own key stays in use for reading, so that versions from before a key was mounted can
   still be compared.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final

import structlog

from job.contracts.lineage_key import KeyRing, LineageKey
from job.contracts.ports import ArtifactStore
from job.contracts.store_bounds import MAX_LINEAGE_KEY_BYTES
from job.errors import ConfigurationError, IntegrityError, TransientError

log = structlog.get_logger(__name__)
STORED_KEY: Final = "lineage/key"


class LineageKeys:
    """The lineage keys of a run or command; the store's own key is read on first use.

    Parameters
    ----------
    mounted
        The keys that the operator mounts; empty without any.
    """

    def __init__(self, store: ArtifactStore, mounted: KeyRing) -> None:
        self._store, self.mounted = store, mounted
        self._generated: LineageKey | None = None

    @cached_property
    def stored(self) -> KeyRing:
        """The store's own key; empty if it has none.

        Raises
        ------
        IntegrityError
            The stored object is not a key.
        """
        raw = self._store.get(STORED_KEY, max_bytes=MAX_LINEAGE_KEY_BYTES)
        if raw is None:
            return KeyRing()
        try:
            return KeyRing.parse(raw.decode("ascii"))
        except ValueError:
            raise IntegrityError(
                f"'{STORED_KEY}' of '{self._store.uri}' is damaged",
                hint="restore the object from a backup, or mount the key (lineage.key_file)",
            ) from None

    @property
    def ring(self) -> KeyRing:
        """All keys, the current one first; empty if there is no key yet."""
        return self.mounted.with_earlier(self.stored)

    @property
    def current(self) -> LineageKey:
        """The key for new digests; if there is no key yet, a random key that is not stored."""
        if self.ring.keys:
            return self.ring.keys[0]
        if self._generated is None:
            self._generated = LineageKey.generate()
        return self._generated

    def find(self, key_id: str) -> LineageKey | None:
        """Return the key with this id; None if it is missing."""
        return self.ring.find(key_id)

    def require(self, version: str, key_id: str, *, otherwise: str) -> None:
        """Raise if the key with which the rows of a version were digested is missing.

        Parameters
        ----------
        otherwise
            What an operator without the key can do, for the hint of the error.

        Raises
        ------
        ConfigurationError
            The key is missing.
        """
        if self.find(key_id) is None:
            raise ConfigurationError(
                f"lineage key {key_id} of {version} is missing",
                hint=f"mount it as an earlier key (lineage.key_file), or {otherwise}",
            )

    def create_if_none(self) -> None:
        """Create the store's own key if there is no key yet, and log a warning."""
        if self.ring.keys:
            return
        is_created = self._store.put_if_absent(STORED_KEY, f"{self.current.to_text()}\n".encode())
        del self.stored  # read again: another run may have created its key first
        if not self.stored.keys:
            raise TransientError(f"'{STORED_KEY}' was removed during the run", hint="run again")
        if is_created:
            log.warning(
                "lineage_key_created",
                key=STORED_KEY,
                key_id=self.current.id,
                advice="everyone who can read the whole store can read this key: mount a key of "
                "your own instead (`pcc-job lineage keygen`), the same for all jobs on this store",
            )
