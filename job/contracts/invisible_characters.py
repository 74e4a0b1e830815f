"""Find characters that nobody sees in a name, and show them by their code points."""

from __future__ import annotations

import unicodedata
from typing import Final

# control and format characters, separators of lines and paragraphs, half characters
_CATEGORIES: Final = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs"})
# characters without ink that belong to other categories
_OTHERS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_SELECTORS: Final = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))


def is_invisible(character: str) -> bool:
    """Return whether a character has no ink, or is a blank other than the space.

    >>> [is_invisible(c) for c in ("\\u200b", "\\xa0", "\\t", " ", "a")]
    [True, True, True, False, False]
    """
    category = unicodedata.category(character)
    is_other_blank = category == "Zs" and character != " "
    is_selector = any(ord(character) in codes for codes in _SELECTORS)
    return category in _CATEGORIES or is_other_blank or is_selector or character in _OTHERS


def reveal(text: str) -> str:
    """Return a text with its invisible characters as code points.

    >>> reveal("te\\u200bxt")
    'te<U+200B>xt'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(f"<U+{ord(c):04X}>" if is_invisible(c) else c for c in text)


def remove_invisible(text: str) -> str:
    """Return a text without its invisible characters, and without blanks around it.

    >>> remove_invisible("\\ufeff intent\\xa0")
    'intent'
    """
    return "".join(c for c in text if not is_invisible(c)).strip()


def escape_for_yaml(text: str) -> str:
    """Return a text in double quotes for YAML, with its invisible characters as escapes.

    >>> escape_for_yaml("te\\u200bxt")
    '"te\\\\u200bxt"'
    """
    return '"' + "".join(map(_escape, text)) + '"'


def _escape(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if not is_invisible(character):
        return character
    return f"\\U{ord(character):08x}" if ord(character) > 0xFFFF else f"\\u{ord(character):04x}"
