"""stdout: the result of a command, once; a table on a terminal, JSON otherwise."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from job.contracts.messages import escape_control_characters
from job.errors import ConfigurationError, TransientError

Layout = Callable[[Mapping[str, Any]], list[str]]


def check_form(form: str | None) -> None:
    """Refuse an output form that does not exist, before any work is done."""
    if form not in (None, "json", "table"):
        raise ConfigurationError(f"no output form '{form}'", hint="json or table")


def write_result(
    result: Mapping[str, Any], form: str | None, lay_out: Layout | None = None
) -> None:
    """Write a result to stdout; `lay_out` gives the lines of a table that is not key by key."""
    check_form(form)
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    if form == "json" or (form is None and not is_terminal):
        write_text(json.dumps(result, sort_keys=True))
    else:
        write_text("\n".join((lay_out or _lines)(result)))


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


def lay_out_columns(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    """Lay rows out in columns; numbers are aligned to the right."""
    cells = [tuple(head), *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(row[n]) for row in cells) for n in range(len(head))]
    return [
        "  ".join(
            cell.rjust(width) if _is_number(cell) else cell.ljust(width)
            for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in cells
    ]


def _is_number(cell: str) -> bool:
    return bool(re.fullmatch(r"[-+]?[0-9.]+(e[-+]?[0-9]+)?", cell))


def _lines(content: Mapping[str, Any], indent: str = "") -> list[str]:
    """Lay nested mappings out, one value a line."""
    found = []
    for key, value in content.items():
        name = _one_line(key)
        if isinstance(value, Mapping) and value:
            found += [f"{indent}{name}", *_lines(value, f"{indent}  ")]
        else:
            found.append(f"{indent}{name:<{max(28 - len(indent), 1)}} {_cell(value)}")
    return found


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return _one_line(value) if isinstance(value, str) else json.dumps(value)


def _one_line(text: str) -> str:
    return escape_control_characters(" ".join(text.split("\n")))
