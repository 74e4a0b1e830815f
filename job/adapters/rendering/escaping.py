"""Escape text from the data, so that it has no markup and no control characters."""

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
    """Replace invisible and direction-changing characters by their code points.

    White space becomes one space.  Joiners of letters (U+200C, U+200D) are kept: some scripts need
    them.
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
    """Escape a value that a template writes and make it `visible`; markup stays as it is."""
    if isinstance(value, Markup):
        return value
    return escape(visible(str(value)))


def breakable(name: str) -> Markup:
    """Allow a line break after each underscore, dot, slash and hyphen of a name."""
    return Markup("<wbr>").join(escape(part) for part in re.split(r"(?<=[_./-])", visible(name)))


def in_markdown(text: str) -> str:
    """Escape a text for Markdown: one line, no HTML, no markup, no automatic links."""
    one_line = visible(text).strip()
    escaped = _MARKUP.sub(lambda match: f"\\{match[0]}", one_line)
    return _LINE_START.sub(lambda match: _escape_start(match[1]), escaped)


def _escape_start(mark: str) -> str:
    """Escape a mark at the start of a line, which would make the line a list item."""
    return f"\\{mark}" if mark in "+-" else f"{mark}\\"


def as_code(text: str) -> str:
    """Return a name as a Markdown code span, which is safe in a table cell too."""
    plain = visible(text).replace("|", r"\|")
    longest = max((len(run) for run in re.findall("`+", plain)), default=0)
    fence, space = "`" * (longest + 1), " " if "`" in plain or not plain.strip() else ""
    return f"{fence}{space}{plain}{space}{fence}"
