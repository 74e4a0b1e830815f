"""Templates: what is left of a text without what is filled in, such as ids, dates and amounts."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

import numpy.typing as npt

from job.stages.data.leakage_keys import normalize

Array = npt.NDArray[Any]
TEXT: Final = "text:"  # how keys of texts begin
SLOT: Final = "0"
_MONTHS: Final = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    "sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_UNITS: Final = (
    "usd|eur|gbp|chf|jpy|inr|dollars?|euros?|pounds?|cents?|pence|rupees?|yen|francs?|percent"
)
# a whole token: number, date, amount, phone number, id with a digit, e-mail or web address
_FILLED: Final = re.compile(r"(?<!\S)(?:\S*(?:[\d@]|://)\S*|www\.\S+)", re.IGNORECASE)
_MAY_BE_FILLED: Final = re.compile(r"[\d@]|://|www\.", re.IGNORECASE)
# months and units beside a slot belong to it, and slots in a row are one
_BEFORE: Final = rf"(?:(?:{_MONTHS}|{_UNITS}) )"
_AFTER: Final = rf"(?: (?:{SLOT}|{_MONTHS}|{_UNITS}|am|pm)\b)"
_RUN: Final = re.compile(rf"\b{_BEFORE}*{SLOT}\b{_AFTER}*")


def make_template(text: str) -> str:
    """Return the normalized text with its slots masked; slots alone are no template, and stay.

    >>> make_template("Order #A-17 of 3 May 2026 (EUR 5.00) is late, write to jo@example.com!")
    'order 0 of 0 is late write to 0'
    """
    # some signs are digits in another form, as in a superscript
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    if _MAY_BE_FILLED.search(plain):
        template = _RUN.sub(SLOT, normalize(_FILLED.sub(f" {SLOT} ", plain)))
        if template != SLOT:
            return template
    return normalize(text)


def make_templates(texts: Array, text_keys: Array) -> Array:
    """Return the template of each row, with the prefix of its key; without slots, the key."""
    templates = text_keys.copy()
    for row, text in enumerate(texts):
        may_differ = bool(text) and (_MAY_BE_FILLED.search(text) or not text.isascii())
        if may_differ and text_keys[row].startswith(TEXT):
            templates[row] = TEXT + make_template(text)
    return templates
