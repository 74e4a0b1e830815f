"""Escape text of the data: no markup, and no control of the text around it."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from markupsafe import Markup, escape

_HIDDEN: Final = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_SPACES: Final = "\t\n\r"
_MARKUP: Final = re.compile(r"[\\`*_{}\[\]<>#|!&~$@]|:(?=//)|(?<=www)\.", re.IGNORECASE)
_LINE_START: Final = re.compile(r"^([-+]|\d+(?=[.)]))")


def visible(text: str) -> str:
    """Write what has no shape, or turns the direction of writing, as its number.

    White space becomes one space; joiners of letters (U+200C, U+200D) stay, words need them.
    """
    shown = "".join(_shape(character) for character in text)
    return re.sub(r" {2,}", " ", shown)


def _shape(character: str) -> str:
    if character in _SPACES:
        return " "
    if unicodedata.category(character) in _HIDDEN and character not in "\u200c\u200d":
        return f"[U+{ord(character):04X}]"
    return character


def finalize(value: object) -> Markup:
    """Show everything that a template writes by `visible`; finished markup passes."""
    if isinstance(value, Markup):
        return value
    return escape(visible(str(value)))


def breakable(name: str) -> Markup:
    """Allow a long name to break after its joints."""
    return Markup("<wbr>").join(escape(part) for part in re.split(r"(?<=[_./-])", visible(name)))


def in_markdown(text: str) -> str:
    """Make a text plain in Markdown: one line, no HTML, no markup, no link made of an address."""
    one_line = visible(text).strip()
    escaped = _MARKUP.sub(lambda match: f"\\{match[0]}", one_line)
    return _LINE_START.sub(lambda match: _escape_start(match[1]), escaped)


def _escape_start(mark: str) -> str:
    """Keep a line from being an item of a list."""
    return f"\\{mark}" if mark in "+-" else f"{mark}\\"


def as_code(text: str) -> str:
    """Quote a name in Markdown; nothing in a code span is markup, also in a cell of a table."""
    plain = visible(text).replace("|", r"\|")
    longest = max((len(run) for run in re.findall("`+", plain)), default=0)
    fence, space = "`" * (longest + 1), " " if "`" in plain or not plain.strip() else ""
    return f"{fence}{space}{plain}{space}{fence}"
