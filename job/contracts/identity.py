"""SHA-256 digests, which identify content, and the names that identify versions."""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_VERSION = re.compile(r"v(\d{8}_\d{6})_([0-9a-f]{8})")


@dataclass(frozen=True, slots=True)
class Digest:
    """A SHA-256 digest that prints as `sha256:<64 hex>`."""

    hex: str

    def __str__(self) -> str:
        return f"sha256:{self.hex}"

    @classmethod
    def parse(cls, text: str) -> "Digest":
        """Return the digest that was written as `sha256:<64 hex>`.

        Raises
        ------
        ValueError
            The text is not `sha256:` and 64 lower-case hexadecimal digits.
        """
        if not _DIGEST.fullmatch(text):
            raise ValueError("expected a digest of the form sha256:<64 hex digits>")
        return cls(text.removeprefix("sha256:"))

    @classmethod
    def of(cls, data: bytes) -> "Digest":
        """Return the SHA-256 digest of these bytes."""
        return cls(hashlib.sha256(data).hexdigest())


@dataclass(frozen=True, slots=True, order=True)
class ModelVersion:
    """A version name `vYYYYMMDD_HHMMSS_<8 hex>`: it sorts by time; the hex is from the run id."""

    stamp: str
    suffix: str

    def __str__(self) -> str:
        return f"v{self.stamp}_{self.suffix}"

    @classmethod
    def parse(cls, text: str) -> "ModelVersion":
        """Return the version of this name.

        Raises
        ------
        ValueError
            The text is not a version name.
        """
        match = _VERSION.fullmatch(text)
        if not match:
            raise ValueError("expected a version of the form vYYYYMMDD_HHMMSS_<8 hex digits>")
        return cls(*match.groups())

    @classmethod
    def of(cls, run_id: str, started_at: datetime) -> "ModelVersion":
        """Return the name of the version that a run publishes."""
        stamp = started_at.astimezone(UTC).strftime("%Y%m%d_%H%M%S")
        return cls(stamp, run_suffix(run_id))


def is_version(text: str) -> bool:
    """Return whether a text is the name of a version."""
    return _VERSION.fullmatch(text) is not None


def run_suffix(run_id: str) -> str:
    """Return the last 8 hex digits of a run's version name; the run id determines them."""
    return hashlib.sha256(run_id.encode()).hexdigest()[:8]


def canonical_json(value: object) -> bytes:
    """Return JSON with sorted keys and a final newline; raise `ValueError` for NaN and infinity."""
    text = json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode()
