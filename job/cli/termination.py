"""Write the outcome to the file that Kubernetes shows as the container's termination message."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Final

_PATH: Final = Path("/dev/termination-log")
_MAX_BYTES: Final = 2048


def write_termination_message(
    outcome: str,
    exit_code: int,
    *,
    error: str | None = None,
    hint: str | None = None,
    run_id: str | None = None,
    version: str | None = None,
    reason: str | None = None,
    path: Path = _PATH,
) -> None:
    """Write the outcome as JSON of at most 2,048 bytes if the file exists; never raise.

    If the JSON is too long, the end of `hint` is cut off, then the end of `error`.
    """
    if not path.is_file():
        return
    content = {"outcome": outcome, "exit_code": int(exit_code), "run_id": run_id}
    content |= {"version": version, "reason": reason, "error": error, "hint": hint}
    facts = {name: value for name, value in content.items() if value is not None}
    for name in ("hint", "error"):
        while len(_encode(facts)) > _MAX_BYTES and facts.get(name):
            n_excess = len(_encode(facts)) - _MAX_BYTES
            text = str(facts[name]).removesuffix("...")
            facts[name] = f"{text[: max(len(text) - n_excess - 3, 0)]}..." if len(text) > 9 else ""
    with contextlib.suppress(OSError):
        path.write_bytes(_encode(facts))


def _encode(facts: dict[str, object]) -> bytes:
    return json.dumps(facts).encode()
