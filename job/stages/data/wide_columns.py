"""Find the columns of embeddings that have one column for each dimension."""

from __future__ import annotations

import re
from typing import Final

_NUMBERED: Final = re.compile(r"(\d+)")


def wide_columns(names: tuple[str, ...], pattern: str) -> tuple[str, ...]:
    """Return the columns whose names match `prefix*`, sorted by the number after the prefix."""
    prefix = pattern.removesuffix("*")
    rests = {name: name.removeprefix(prefix) for name in names if name.startswith(prefix)}
    numbers = {
        name: int(n.group(1)) for name, rest in rests.items() if (n := _NUMBERED.fullmatch(rest))
    }
    return tuple(sorted(numbers, key=lambda name: (numbers[name], name)))
