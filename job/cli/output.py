"""Write the result of a command to stdout: a table on a terminal, JSON otherwise."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from job.contracts.messages import escape_control_characters, quote
from job.errors import ConfigurationError, SupportsJson, TransientError

Content = Mapping[str, object]
R = TypeVar("R", bound=Content | SupportsJson)


def check_form(form: str | None) -> None:
    """Raise `ConfigurationError` for an unknown output format.

    Commands call this before they do any work.
    """
    if form not in (None, "json", "table"):
        raise ConfigurationError(
            f"unknown output format {quote(form)}", hint="use --output json or --output table"
        )


def write_result(
    result: R, form: str | None, lay_out: Callable[[R], list[str]] | None = None
) -> None:
    """Write a result to stdout, as JSON or as the lines of text that `lay_out` returns."""
    check_form(form)
    content = result if isinstance(result, Mapping) else result.to_json()
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    if form == "json" or (form is None and not is_terminal):
        write_text(json.dumps(content, sort_keys=True))
    else:
        write_text("\n".join(lay_out(result) if lay_out else _lay_out_mapping(content)))


def write_text(text: str) -> None:
    """Write lines to stdout; characters that its encoding lacks are escaped.

    Raises
    ------
    ConfigurationError, TransientError
        stdout is closed, or the file or pipe that it writes to is full or no longer exists.
    """
    if sys.stdout is None:
        raise ConfigurationError(
            "cannot write to stdout: it is closed",
            hint="the command writes its result to stdout: leave it open, or redirect it to a file",
        )
    encoding = sys.stdout.encoding or "utf-8"
    text = text.encode(encoding, "backslashreplace").decode(encoding)
    try:
        print(text, flush=True)
    except OSError as error:
        # NOTE: flushing the rest of the buffer would fail again when the interpreter exits
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise TransientError(
            f"cannot write to stdout: {os.strerror(error.errno or 0)}",
            hint="the command has completed, but its result is lost; if the disk is full, make "
            "room on it",
        ) from error


def lay_out_columns(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return lines with the rows in columns; numbers are right-aligned."""
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


def _lay_out_mapping(content: Content, indent: str = "") -> list[str]:
    """Return the lines of a nested mapping, one value per line."""
    lines = []
    for key, value in content.items():
        name = _one_line(key)
        if isinstance(value, Mapping) and value:
            lines += [f"{indent}{name}", *_lay_out_mapping(value, f"{indent}  ")]
        else:
            lines.append(f"{indent}{name:<{max(28 - len(indent), 1)}} {_cell(value)}")
    return lines


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return _one_line(value) if isinstance(value, str) else json.dumps(value)


def _one_line(text: str) -> str:
    return escape_control_characters(" ".join(text.split("\n")))
