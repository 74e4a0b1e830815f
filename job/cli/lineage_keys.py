"""Read the lineage keys that the operator mounts: from a file, or from a variable."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from job.adapters.small_files import UnusableFileError, read_small_file
from job.contracts.lineage_key import KEY_VARIABLE, KeyRing, LineageKey
from job.contracts.messages import quote
from job.errors import ConfigurationError

if TYPE_CHECKING:
    from job.contracts.settings.job_settings import JobSettings

_MAX_BYTES: Final = 64 * 2**10


def read_mounted_keys(settings: JobSettings, environment: Mapping[str, str]) -> KeyRing:
    """Return the keys of `lineage.key_file` or `PCC_JOB_LINEAGE_KEY`; empty if neither is set.

    Raises
    ------
    ConfigurationError
        Both are set, the file cannot be read, or the text is not a list of keys.
    """
    path, text = settings.lineage.key_file, environment.get(KEY_VARIABLE)
    if path is not None and text is not None:
        raise ConfigurationError(
            f"lineage.key_file and {KEY_VARIABLE} are both set",
            hint="use only one of them",
        )
    if path is None and text is None:
        return KeyRing()
    source = KEY_VARIABLE if path is None else f"the key file {quote(path)}"
    if path is not None and _is_key(path):
        raise ConfigurationError(
            "lineage.key_file is a key, but must be the path of a file",
            hint="write the key to a file and set lineage.key_file to its path, or set "
            f"{KEY_VARIABLE} to the key",
        )
    if path is not None:
        try:
            text = read_small_file(Path(path), _MAX_BYTES).decode("ascii", errors="replace")
        except UnusableFileError as error:
            raise ConfigurationError(
                f"{source} {error}",
                hint="check lineage.key_file, and whether this user may read the file",
            ) from None
    try:
        return KeyRing.parse(text or "")
    except ValueError as error:
        raise ConfigurationError(
            f"{source} is invalid: {error}",
            hint="`pcc-job lineage keygen` prints a key; write one key per line",
        ) from None


def _is_key(text: str) -> bool:
    """Return whether a text is a key, which no message may quote."""
    try:
        LineageKey.parse(text.strip())
    except ValueError:
        return False
    return True
