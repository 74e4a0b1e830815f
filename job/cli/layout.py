"""Lay out values as text for a terminal: columns and labelled lines, no wider than the terminal."""

from __future__ import annotations

import json
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from job.contracts.messages import escape_control_characters

_GAP: Final = "  "
_LABEL_WIDTH: Final = 28
_MIN_WIDTH: Final = 8
_UNLIMITED: Final = 10**6
_DIGEST: Final = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")
# the space in a time does not end a line; it is written as this character until then
_FIXED_SPACE: Final = "\u00a0"
_TIME: Final = re.compile(r"^([0-9]{4}-[0-9]{2}-[0-9]{2}) ([0-9]{2}:[0-9]{2})$")
_NUMBER: Final = re.compile(r"[-+]?[0-9.]+(e[-+]?[0-9]+)?")


def terminal_width() -> int:
    """Return the columns of the terminal that stdout is; without one, lines have no limit."""
    if sys.stdout is None or not sys.stdout.isatty():
        return _UNLIMITED
    return max(shutil.get_terminal_size().columns, 4 * _MIN_WIDTH)


def lay_out_columns(
    head: Sequence[str], rows: Iterable[Sequence[object]], width: int | None = None
) -> list[str]:
    """Return lines with the rows in columns; columns of numbers are right-aligned.

    Cells that do not fit into `width`, by default that of the terminal, are wrapped.
    """
    cells = [tuple(head), *([_hold(to_cell(value)) for value in row] for row in rows)]
    limit = terminal_width() if width is None else width
    widths = _fit([[row[n] for row in cells] for n in range(len(head))], limit)
    is_number = [all(_is_number(row[n]) for row in cells[1:]) for n in range(len(head))]
    return [line for row in cells for line in _lay_out_row(row, widths, is_number)]


def lay_out_mapping(content: Mapping[str, object], indent: str = "") -> list[str]:
    """Return the lines of a nested mapping, one value per line; long values are wrapped."""
    lines = []
    for key, value in content.items():
        name = _one_line(str(key))
        if isinstance(value, Mapping) and value:
            lines += [f"{indent}{name}", *lay_out_mapping(value, f"{indent}  ")]
        else:
            lines += lay_out_labelled(name, to_cell(value), indent)
    return lines


def lay_out_labelled(
    label: str, text: str, indent: str = "", label_width: int = _LABEL_WIDTH
) -> list[str]:
    """Return the lines of a label and its value; further lines are indented to the value."""
    head = f"{indent}{label:<{max(label_width - len(indent), 1)}} "
    limit = terminal_width()
    if len(head) > limit // 2:
        below = f"{indent}  "
        return [line for part in (f"{indent}{label}", f"{below}{text}")
                for line in _wrap(part, limit, below)]  # fmt: skip
    return _wrap(f"{head}{text}".rstrip(), limit, " " * len(head))


def to_cell(value: object) -> str:
    """Return a value as text in one line; digests are cut to twelve digits."""
    if value is None:
        return "-"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return _DIGEST.sub(r"\1", _one_line(text))


def _hold(cell: str) -> str:
    return _TIME.sub(rf"\1{_FIXED_SPACE}\2", cell)


def _one_line(text: str) -> str:
    return escape_control_characters(" ".join(text.split("\n")))


def _fit(columns: Sequence[Sequence[str]], limit: int) -> list[int]:
    """Return widths with which a line fits; words are broken only if there is no other way."""
    widths = [max(map(len, cells)) for cells in columns]
    words = [max((len(word) for cell in cells for word in cell.split(" ")), default=0)
             for cells in columns]  # fmt: skip
    n_excess = sum(widths) + len(_GAP) * (len(widths) - 1) - limit
    # words of the first column are names and ids, which people copy: they are never broken
    for floors in (words, [words[0], *[_MIN_WIDTH] * (len(widths) - 1)]):
        while n_excess > 0:
            room = [width - floor for width, floor in zip(widths, floors, strict=True)]
            if max(room) <= 0:
                break
            widths[room.index(max(room))] -= 1
            n_excess -= 1
    return widths


def _is_number(cell: str) -> bool:
    return cell in ("", "-") or bool(_NUMBER.fullmatch(cell))


def _lay_out_row(row: Sequence[str], widths: Sequence[int], is_number: Sequence[bool]) -> list[str]:
    wrapped = [_wrap(cell, width) for cell, width in zip(row, widths, strict=True)]
    lines = []
    for n in range(max(len(parts) for parts in wrapped)):
        parts = [part[n] if n < len(part) else "" for part in wrapped]
        aligned = [
            part.rjust(width) if is_right and _NUMBER.fullmatch(cell) else part.ljust(width)
            for part, cell, width, is_right in zip(parts, row, widths, is_number, strict=True)
        ]
        lines.append(_GAP.join(aligned).replace(_FIXED_SPACE, " ").rstrip())
    return lines


def _wrap(text: str, width: int, indent: str = "") -> list[str]:
    if len(text) <= width:
        return [text]
    return textwrap.wrap(
        text,
        width,
        subsequent_indent=indent,
        break_on_hyphens=False,
        replace_whitespace=False,
        drop_whitespace=True,
    ) or [""]
