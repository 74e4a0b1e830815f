"""Read numbers in the notation that the settings state, and tell other notations by their cells.

How it works
------------
1. `dataset.csv.decimal` and `dataset.csv.thousands` state the notation of a CSV file.  The
   character between thousands is removed only where each group has three digits, so that `3,15`
   never becomes 315.
2. With a decimal comma, commas and points change places.  A cell with a decimal point is then
   unreadable; nothing is guessed for single cells.
3. If cells cannot be read, they are compared with the known notations.  The most frequent notation
   of a column is named together with the setting that reads it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from job.contracts.settings.dataset import CsvSpec

_SPACES: Final = r"[ \x{a0}\x{2009}\x{202f}]"
_SEPARATORS: Final[Mapping[str, str]] = {
    ",": ",",
    ".": r"\.",
    "space": _SPACES,
    "apostrophe": "['\\x{2019}]",
}
_SIGN: Final = r"^\s*[+\-]?"

# the forms of numbers by their names, in the order in which they are tried
NOTATIONS: Final[Mapping[str, str]] = {
    "percent": r"\d\s*[%\x{2030}]\s*$",
    "currency": r"^\s*[+\-]?\s*\p{Sc}|\p{Sc}\s*$|^\s*[A-Z]{3}\s?\d|\d\s?[A-Z]{3}\s*$",
    "points between thousands and a decimal comma": _SIGN + r"\d{1,3}(\.\d{3})+(,\d+)?\s*$",
    "blanks between thousands and a decimal comma": (
        rf"{_SIGN}\d{{1,3}}({_SPACES}\d{{3}})+,\d+\s*$"
    ),
    "blanks between thousands": rf"{_SIGN}\d{{1,3}}({_SPACES}\d{{3}})+(\.\d+)?\s*$",
    "apostrophes between thousands": rf"{_SIGN}\d{{1,3}}(['\x{{2019}}]\d{{3}})+(\.\d+)?\s*$",
    "commas between thousands": _SIGN + r"\d{1,3}(,\d{3})+(\.\d+)?\s*$",
    "a decimal comma": _SIGN + r"\d*,\d+([eE][+\-]?\d+)?\s*$",
    "a decimal point": _SIGN + r"\d*\.\d+([eE][+\-]?\d+)?\s*$",
    "parentheses for negative numbers": r"^\s*\([\d.,]+\)\s*$",
}
_SETTINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "points between thousands and a decimal comma": ("decimal=,", "thousands=."),
    "blanks between thousands and a decimal comma": ("decimal=,", "thousands=space"),
    "blanks between thousands": ("thousands=space",),
    "apostrophes between thousands": ("thousands=apostrophe",),
    "commas between thousands": ("thousands=,",),
    "a decimal comma": ("decimal=,",),
    "a decimal point": ("decimal=.",),
}
_EXPORTS: Final[Mapping[str, str]] = {
    "percent": "export it without the percent sign",
    "currency": "export it without the currency",
    "parentheses for negative numbers": "export negative numbers with a minus sign",
}


def read_notation(array: pa.Array, csv: CsvSpec | None) -> pa.Array:
    """Return the cells of a column of numbers in the notation that programs read.

    Parameters
    ----------
    array
        Cells of one batch, shape (n_rows,).  Cells that are not text are returned unchanged.
    csv
        How the file is written; None if it is no CSV file.
    """
    if csv is None or not csv.has_own_numbers or not _is_text(array.type):
        return array
    if csv.thousands != "none":
        array = _remove_thousands(array, csv)
    if csv.decimal == ",":
        for old, new in ((".", "\0"), (",", "."), ("\0", ",")):
            array = pc.replace_substring(array, old, new)
    return array


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _remove_thousands(array: pa.Array, csv: CsvSpec) -> pa.Array:
    separator, point = _SEPARATORS[csv.thousands], re.escape(csv.decimal)
    pattern = rf"{_SIGN}\d{{1,3}}({separator}\d{{3}})+({point}\d*)?\s*$"
    is_grouped = pc.match_substring_regex(array, pattern)
    return pc.if_else(is_grouped, pc.replace_substring_regex(array, separator, ""), array)


def count_notations(array: pa.Array) -> Counter[str]:
    """Count the cells of each notation; a cell in the plain notation counts as none."""
    counts: Counter[str] = Counter()
    if not _is_text(array.type):
        return counts
    rest = array.drop_null()
    for name, pattern in NOTATIONS.items():
        matches = pc.match_substring_regex(rest, pattern)
        counts[name] = int(pc.sum(matches).as_py() or 0)
        rest = rest.filter(pc.invert(matches))
    return +counts


def suggest_notation(counts: Counter[str], csv: CsvSpec | None) -> str | None:
    """Return the notation of a column with unreadable cells, and what reads it; None if unknown.

    The notation that the settings state is left out.  A number such as `1,200` has a decimal comma
    if other numbers of the column have one that cannot separate thousands.
    """
    counts = Counter(counts)
    if "a decimal comma" in counts:
        counts["a decimal comma"] += counts.pop("commas between thousands", 0)
    has_comma = csv is not None and csv.decimal == ","
    counts.pop("a decimal comma" if has_comma else "a decimal point", None)
    if not counts:
        return None
    [(name, _)] = counts.most_common(1)
    return f"{name}: {explain_notation(name, csv)}"


def explain_notation(notation: str, csv: CsvSpec | None) -> str:
    """Return what reads numbers in this notation: a setting, or another export.

    >>> explain_notation("a decimal comma", CsvSpec())
    "--set 'dataset.csv.decimal=,' reads it"
    """
    if notation in _EXPORTS:
        return _EXPORTS[notation]
    if csv is None:
        return "export the column as numbers"
    settings = [f"--set 'dataset.csv.{setting}'" for setting in _SETTINGS[notation]]
    return f"{' '.join(settings)} {'reads' if len(settings) == 1 else 'read'} it"
