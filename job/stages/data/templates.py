"""Compute templates: normalized texts in which ids, dates, amounts and the like are masked.

How it works
------------
1. A slot is the digit 0.  Tokens with a digit or an @, and web addresses, are replaced by a slot.
2. The text is normalized as for leakage keys.
3. Adjacent slots, and months or units of money next to a slot, are merged into one slot.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from job.contracts.arrays import Array
from job.stages.data.leakage_keys import normalize

TEXT_PREFIX: Final = "text:"  # prefix of text keys that are made from texts
SLOT: Final = "0"
_MONTHS: Final = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    "sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
UNITS: Final = (
    "usd|eur|gbp|chf|jpy|inr|dollars?|euros?|pounds?|cents?|pence|rupees?|yen|francs?|percent"
)
# whole tokens: number, date, amount, phone number, id with a digit, e-mail or web address
_FILLED: Final = re.compile(r"(?<!\S)(?:\S*(?:[\d@]|://)\S*|www\.\S+)", re.IGNORECASE)
_TOKEN: Final = re.compile(r"\S+")
_MAY_BE_FILLED: Final = re.compile(r"[\d@]|://|www\.", re.IGNORECASE)
# a slot, with the months, units and slots next to it, is replaced by one slot
_BEFORE: Final = rf"(?:(?:{_MONTHS}|{UNITS}) )"
_AFTER: Final = rf"(?: (?:{SLOT}|{_MONTHS}|{UNITS}|am|pm)\b)"
_SLOTS: Final = rf"{SLOT}\b{_AFTER}*+"
# NOTE: months and units without a slot after them are matched, too.  Otherwise the search would
# begin again at each of them, and its time would grow with the square of their number.
_RUN: Final = re.compile(rf"\b(?:{_BEFORE}++(?:{_SLOTS})?|{_SLOTS})")


def make_template(text: str) -> str:
    """Return the template of a text; if nothing but slots is left, the normalized text.

    >>> make_template("Order #A-17 of 3 May 2026 (EUR 5.00) is late, write to jo@example.com!")
    'order 0 of 0 is late write to 0'
    """
    # NFKC maps other forms of digits, such as superscripts, to digits
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    if _MAY_BE_FILLED.search(plain):
        template = _RUN.sub(_merge, normalize(_FILLED.sub(f" {SLOT} ", plain)))
        if template != SLOT:
            return template
    return normalize(text)


def _merge(run: re.Match[str]) -> str:
    """Return one slot for a run of slots; months and units without a slot stay as they are."""
    return run[0] if run[0].endswith(" ") else SLOT


def cut_at_slots(text: str) -> list[str]:
    """Return the parts of a text between its slots; a text without slots is one part.

    Each part has whole tokens only, and the characters of the text.

    >>> cut_at_slots("Write to jo@example.com or call 0301234567")
    ['Write to ', ' or call ', '']
    """
    if text.isascii() and not _MAY_BE_FILLED.search(text):
        return [text]
    parts, start = [], 0
    for token in _TOKEN.finditer(text):
        if _FILLED.search(unicodedata.normalize("NFKC", token[0])):
            parts.append(text[start : token.start()])
            start = token.end()
    return [*parts, text[start:]]


def make_templates(texts: Array, text_keys: Array) -> Array:
    """Return each row's template, with the same prefix as a text key.

    If nothing is masked in the text of a row, the template is the row's text key.
    """
    templates = text_keys.copy()
    for row, text in enumerate(texts):
        may_differ = bool(text) and (_MAY_BE_FILLED.search(text) or not text.isascii())
        if may_differ and text_keys[row].startswith(TEXT_PREFIX):
            templates[row] = TEXT_PREFIX + make_template(text)
    return templates
