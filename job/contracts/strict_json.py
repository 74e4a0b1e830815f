"""Parse JSON that somebody else may have written: everything unusual is a `ValueError`.

How it works
------------
1. The bytes must be UTF-8.  Callers limit the number of bytes before they read them.
2. Integers must fit into 64 bits and other numbers must be finite, so that later arithmetic and
   output cannot fail.
3. A key must be unique in its object: otherwise, two readers could read different values.
4. Nesting is limited, because later code handles values recursively.
5. Every text must be writable as UTF-8.
"""

from __future__ import annotations

import json
import math
from itertools import chain
from typing import Any, Final, NoReturn

MAX_DEPTH: Final = 64
_MAX_DIGITS: Final = 400
_INTEGERS: Final = range(-(2**63), 2**64)


def parse_json(raw: bytes) -> Any:  # any JSON value, which the caller checks
    """Return the value of a JSON text.

    Raises
    ------
    ValueError
        The bytes are not UTF-8 or not JSON, are nested more than `MAX_DEPTH` deep, repeat a key in
        an object, or contain a number or text that cannot be represented.  The message does not
        quote the bytes.
    """
    try:
        value = json.loads(
            raw.decode("utf-8"),
            parse_int=_parse_integer,
            parse_float=_parse_float,
            parse_constant=_refuse_constant,
            object_pairs_hook=_make_object,
        )
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    except json.JSONDecodeError:
        raise ValueError("it is not JSON") from None
    _check_nesting_and_texts(value)
    return value


_TOO_DEEP: Final = f"it is nested more than {MAX_DEPTH} deep"


def _parse_integer(text: str) -> int:
    number = int(text) if len(text) <= _MAX_DIGITS else None
    if number is None or number not in _INTEGERS:
        raise ValueError("an integer does not fit into 64 bits")
    return number


def _parse_float(text: str) -> float:
    number = float(text) if len(text) <= _MAX_DIGITS else math.inf
    if not math.isfinite(number):
        raise ValueError("a number is too large or has too many digits")
    return number


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


def _make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("an object repeats a key")
    return content


def _check_nesting_and_texts(value: object) -> None:
    """Raise `ValueError` for a value that is nested too deep or has a text with half a character.

    An escape such as `\\ud800` stands for half of a character, which UTF-8 cannot represent.
    """
    level: list[Any] = [[value]]
    for _ in range(MAX_DEPTH + 1):
        below = []
        for holder in level:
            for item in chain(holder, holder.values()) if isinstance(holder, dict) else holder:
                if isinstance(item, dict | list):
                    below.append(item)
                elif isinstance(item, str) and not _is_writable(item):
                    raise ValueError("a text contains half a character")
        if not below:
            return
        level = below
    raise ValueError(_TOO_DEEP)


def _is_writable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
