"""The secret keys of lineage digests, and how to read and write them as text.

How it works
------------
1. A lineage digest replaces a text that must stay secret, such as the text of a training row.
2. Without the key, nobody can compute the digest of a guessed text, so nobody can check a guess.
3. A key has an id, which files may contain.  The id reveals nothing about the key.
4. A key ring has the current key, for new digests, and earlier keys, to compare earlier digests.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final, Self

N_BYTES: Final = 32
# environment variable with the keys; not a setting, because settings are published
KEY_VARIABLE: Final = "PCC_JOB_LINEAGE_KEY"
_ID_BYTES: Final = 8


@dataclass(frozen=True, slots=True, repr=False)
class LineageKey:
    """A secret key of 32 bytes; printing the object shows only the id."""

    secret: bytes

    def __post_init__(self) -> None:
        if len(self.secret) != N_BYTES:
            raise ValueError(f"a lineage key has {N_BYTES} bytes")

    @property
    def id(self) -> str:
        """16 hexadecimal digits that identify the key: a keyed digest of a fixed text."""
        return hashlib.blake2b(b"key id", key=self.secret, digest_size=_ID_BYTES).hexdigest()

    def __repr__(self) -> str:
        return f"LineageKey(id={self.id!r})"

    @classmethod
    def generate(cls) -> Self:
        """Return a new random key."""
        return cls(secrets.token_bytes(N_BYTES))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the key that is written as 64 hexadecimal digits.

        Raises
        ------
        ValueError
            The text is anything else; the message does not quote it.
        """
        try:
            return cls(bytes.fromhex(text))
        except ValueError:
            raise ValueError(f"a lineage key is written as {2 * N_BYTES} hex digits") from None

    def to_text(self) -> str:
        """Return the key as 64 hexadecimal digits."""
        return self.secret.hex()


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Lineage keys: the current key first, then the earlier ones; empty without any key."""

    keys: tuple[LineageKey, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read keys that are separated by white space or commas, the current key first.

        In a line, everything after `#` is a comment.

        Raises
        ------
        ValueError
            The text contains no key, or anything that is not a key.
        """
        lines = [line.partition("#")[0] for line in text.splitlines()]
        words = " ".join(lines).replace(",", " ").split()
        if not words:
            raise ValueError("there is no lineage key")
        return cls(tuple(LineageKey.parse(word) for word in words))

    def find(self, key_id: str) -> LineageKey | None:
        """Return the key with this id; None if it is not in the ring."""
        return next((key for key in self.keys if key.id == key_id), None)

    def with_earlier(self, other: KeyRing) -> KeyRing:
        """Return a ring with the keys of this ring, followed by the keys of `other`."""
        new = (key for key in other.keys if self.find(key.id) is None)
        return KeyRing((*self.keys, *new))
