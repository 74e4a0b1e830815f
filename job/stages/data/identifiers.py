"""Find the values of a text that identify a person: e-mail addresses, phone numbers and ids.

How it works
------------
1. Web addresses with a path, and e-mail addresses and other names with an @, are compared without
   case and without the punctuation around them.
2. Dates, times, amounts of money, decimal numbers and numbers of laws such as 2016/679 are ignored.
3. Of the rest, a number identifies if it has at least six digits, or seven if there are spaces
   between its digits.  Its last eight digits are compared, so that a phone number is recognized
   with and without a country code.
4. A token identifies if it has at least six letters and digits, of which at least three are digits
   outside years, and if the letters are not just a unit after a number.  Only letters and digits
   are compared.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from job.stages.data.templates import UNITS

_MIN_LENGTH: Final = 6  # shorter numbers and codes are shared by chance in a large table
_MIN_SPACED_DIGITS: Final = 7  # not a day and a year, as in "May 31 2026"
_MIN_CODE_DIGITS: Final = 3
_N_COMPARED_DIGITS: Final = 8
_PUNCTUATION: Final = ".,;:!?'\"()[]{}<>"

_MAY_IDENTIFY: Final = re.compile(r"\d\D*\d\D*\d|@|://|www\.", re.IGNORECASE)
_DIGIT: Final = re.compile(r"\d")
_INNER_WORDS: Final = re.compile(r"(?<=[^\W\d_]\s)(?:[^\W\d_]+\s+)+(?=[^\W\d_])")  # no unit
_WEB: Final = re.compile(r"(?:\b\w+://(?:www\.)?|\bwww\.)(\S+)")
_NAME: Final = r"[^\s@<>()\[\]{},;:\"'=|]"
_ADDRESS: Final = re.compile(rf"(?<!{_NAME}){_NAME}*@{_NAME}*[^\W\d_]{_NAME}*")
_DAY: Final = r"(?:0?[1-9]|[12]\d|3[01])"
_YEAR: Final = r"(?:19|20)\d\d"
_CURRENCY: Final = "[$€£¥₹]"
# a part of a phone number may look like a date, so nothing but the date may be there
_DATE: Final = (
    rf"(?<![\w./-])(?<!\d )(?:{_YEAR}(?P<a>[ ./-]){_DAY}(?P=a){_DAY}"
    rf"|{_DAY}(?P<b>[ ./-]){_DAY}(?P=b)(?:{_YEAR}|\d\d)|{_YEAR}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01]))"
    r"(?![ ./-]?\d)"
)
_TIME: Final = r"(?<!\d)\d?\d:\d\d(?::\d\d)?(?!\d)"
_NUMERAL: Final = r"(?<![\d.,'])\d[\d.,']*"
_AMOUNT: Final = (
    rf"(?:{_CURRENCY}|\b(?:{UNITS}))\s?{_NUMERAL}|{_NUMERAL}\s?(?:{_CURRENCY}|%|(?:{UNITS})\b)"
)
_DECIMAL: Final = r"(?<![\w./-])\d+[.,]\d+(?![\w/-]|[.,]\d)"
_LAW: Final = rf"(?<![\w./-])(?:{_YEAR}/\d{{1,4}}|\d{{1,4}}/{_YEAR})(?![\w./-]*\d)"
_IGNORED: Final = re.compile("|".join([_DATE, _TIME, _AMOUNT, _DECIMAL, _LAW]))
_NUMBER: Final = re.compile(r"\d(?:[ ().\-/+]{0,2}\d)+")
_CODE: Final = re.compile(r"[^\W_][\w.\-/]*[^\W_]")
_STANDALONE_YEAR: Final = re.compile(rf"(?<!\d){_YEAR}(?!\d)")
_QUANTITY: Final = re.compile(r"\d+[^\W\d]+")  # 1000mb, 365-days: a number and its unit


def find_identifiers(text: str) -> set[str]:
    """Return the values that identify a person, in the form in which they are compared.

    >>> sorted(find_identifiers("I am Jo@Example.com, call +49 (30) 1234567 from 3 May 2026"))
    ['01234567', 'jo@example.com']
    """
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    if not _MAY_IDENTIFY.search(plain):
        return set()
    found: set[str] = set()
    rest = _INNER_WORDS.sub("", plain.casefold())
    for pattern in (_WEB, _ADDRESS):
        values = (match[match.lastindex or 0] for match in pattern.finditer(rest))
        found |= {value.strip(_PUNCTUATION + "/") for value in values}
        rest = pattern.sub("|", rest)
    found = {value for value in found if "@" in value or "/" in value}
    rest = _IGNORED.sub("|", rest)
    for match in _NUMBER.finditer(rest):
        found |= _numbers(match[0])
    tokens = filter(_DIGIT.search, _CODE.findall(rest))
    return found | {code for token in tokens if (code := _code(token))}


def _numbers(run: str) -> set[str]:
    """Return the digits by which a number is compared, and the digits of each long part of it."""
    parts = [_digits(part) for part in run.split(" ")]
    whole = "".join(parts)
    found = {part[-_N_COMPARED_DIGITS:] for part in parts if len(part) >= _MIN_LENGTH}
    if len(whole) >= _MIN_SPACED_DIGITS:
        found.add(whole[-_N_COMPARED_DIGITS:])
    return found


def _digits(text: str) -> str:
    """Return the digits of a text as ASCII, also those of other scripts."""
    return "".join(str(int(c)) for c in text if c.isdecimal())


def _code(token: str) -> str | None:
    """Return the letters and digits of a token, or None if they do not identify a person."""
    code = "".join(c for c in token if c.isalnum())
    n_digits = len(_digits(_STANDALONE_YEAR.sub("", token)))
    is_long = len(code) >= _MIN_LENGTH and n_digits >= _MIN_CODE_DIGITS
    return code if is_long and not code.isdecimal() and not _QUANTITY.fullmatch(code) else None
