"""stdout: the result of a command, once; a table on a terminal, JSON otherwise."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from job.errors import ConfigurationError, TransientError


def check_form(form: str | None) -> None:
    """Refuse an output form that does not exist, before any work is done."""
    if form not in (None, "json", "table"):
        raise ConfigurationError(f"no output form '{form}'", hint="json or table")


def write_result(result: Mapping[str, Any], form: str | None) -> None:
    """Write a result to stdout."""
    check_form(form)
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    if form == "json" or (form is None and not is_terminal):
        write_text(json.dumps(result, sort_keys=True))
    else:
        write_text("\n".join(_lines(result)))


def write_text(text: str) -> None:
    """Write lines to stdout.

    Raises
    ------
    ConfigurationError, TransientError
        stdout is closed, or what it goes to is full or has gone away.
    """
    if sys.stdout is None:
        raise ConfigurationError("stdout is closed", hint="the result goes there: give it a file")
    try:
        print(text, flush=True)
    except OSError as error:
        # NOTE: what is still in the buffer would fail again when the interpreter ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise TransientError(
            f"stdout cannot be written: {os.strerror(error.errno or 0)}",
            hint="what the command did stands, but its result was not told; free space",
        ) from error


def _lines(content: Mapping[str, Any], indent: str = "") -> list[str]:
    """Lay nested mappings out, one value a line."""
    found = []
    for key, value in content.items():
        if isinstance(value, Mapping) and value:
            found += [f"{indent}{key}", *_lines(value, f"{indent}  ")]
        else:
            found.append(f"{indent}{key:<{max(28 - len(indent), 1)}} {_cell(value)}")
    return found


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value)
