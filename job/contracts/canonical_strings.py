"""Canonical strings for labels, categories and keys, which CSV and Parquet write differently."""

import re
from datetime import UTC, datetime, time
from typing import Final

_MOMENT: Final = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?"
# regular expression that both Python and pyarrow can read
CANONICALIZABLE: Final = rf"^((?i:true|false)|-?\d+\.0+|{_MOMENT})$"


def canonicalize(text: str) -> str:
    """Return the canonical form of a boolean, integer or timestamp; return other texts unchanged.

    A CSV file does not say whether `2.0` was a number or a text.  Therefore `2.0` counts as a
    number in every format, so that equal rows of CSV and Parquet give equal strings.

    >>> [canonicalize(text) for text in ("True", "2.0", "2.50", "2026-01-02 03:04:05+01:00")]
    ['true', '2', '2.50', '2026-01-02T02:04:05Z']
    >>> canonicalize("2026-01-02 00:00:00")
    '2026-01-02'
    """
    if not re.fullmatch(CANONICALIZABLE, text):
        return text
    if text[-1] in "eE":
        return text.lower()
    if "-" not in text[1:]:
        return text.partition(".")[0]
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return text
    if moment.time() == time.min:
        return moment.date().isoformat()
    return f"{moment.replace(tzinfo=None).isoformat()}Z"
