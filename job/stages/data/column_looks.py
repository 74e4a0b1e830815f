"""Describe what the cells of a column look like: labels, texts, embeddings, times or numbers.

The cells are those of a preview: the first rows of a table, where a cell of a CSV file is text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from job.contracts.table_preview import ColumnPreview

Look = Literal["label", "text", "embedding", "time", "number", "code", "constant", "empty"]

_MIN_SHARE: Final = 0.9  # of the cells that must have a form
_MAX_LABEL_LENGTH: Final = 60  # mean number of characters
_MAX_LABEL_SHARE: Final = 0.5  # of distinct values among the cells
_MIN_TEXT_LENGTH: Final = 30  # mean number of characters of a text without spaces
_MAX_CODES: Final = 100  # distinct numbers that can be labels
_NUMBER: Final = re.compile(r"[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?%?")
_LIST: Final = re.compile(r"\[\s*[-+.\d][^\[\]\"']*\]")  # of numbers
_TIME: Final = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?|\d{1,4}[./-]\d{1,2}[./-]\d{1,4}( .*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnLook:
    """A column, and what its cells look like.

    Attributes
    ----------
    position
        Number of the column in the file, from 1.
    n_cells, n_distinct
        Number of cells of the preview that are not missing, and of distinct values among them.
    mean_length
        Mean number of characters of a cell.
    can_be_label
        Whether the look is `label` or `constant`, or the cells are numbers with few distinct
        values.
    is_named
        False if the name is also one of the column's cells, as in a file without a header.
    """

    name: str
    position: int
    look: Look
    n_cells: int
    n_distinct: int
    mean_length: float
    can_be_label: bool
    is_named: bool


def describe_column(column: ColumnPreview, position: int) -> ColumnLook:
    """Return what the cells of a column look like."""
    cells = [str(cell).strip() for cell in column.cells if cell is not None]
    cells = [cell for cell in cells if cell]
    n_distinct = len(set(cells))
    mean_length = sum(map(len, cells)) / len(cells) if cells else 0.0
    look = _find_look(column, cells, n_distinct, mean_length)
    is_code = look == "number" and n_distinct <= _MAX_CODES and _is_repeated(cells, n_distinct)
    return ColumnLook(
        name=column.name,
        position=position,
        look=look,
        n_cells=len(cells),
        n_distinct=n_distinct,
        mean_length=mean_length,
        can_be_label=look in ("label", "constant") or is_code,
        is_named=column.name.strip().casefold() not in {cell.casefold() for cell in cells},
    )


def _find_look(
    column: ColumnPreview, cells: Sequence[str], n_distinct: int, mean_length: float
) -> Look:
    if column.type == "list":
        return "embedding"
    if not cells:
        return "empty"
    if column.type == "time" or _share(cells, _is_time) >= _MIN_SHARE:
        return "time"
    if _share(cells, _is_list) >= _MIN_SHARE:
        return "embedding"
    if column.type == "number" or _share(cells, _is_number) >= _MIN_SHARE:
        return "number"
    if n_distinct == 1:
        return "constant"
    is_short = mean_length <= _MAX_LABEL_LENGTH
    if column.type == "boolean" or (is_short and _is_repeated(cells, n_distinct)):
        return "label"
    has_words = _share(cells, lambda cell: " " in cell) >= 0.5
    return "text" if has_words or mean_length >= _MIN_TEXT_LENGTH else "code"


def _is_repeated(cells: Sequence[str], n_distinct: int) -> bool:
    return n_distinct <= max(2, _MAX_LABEL_SHARE * len(cells))


def _share(cells: Sequence[str], is_one: Callable[[str], bool]) -> float:
    return sum(map(is_one, cells)) / len(cells)


def _is_number(cell: str) -> bool:
    return _NUMBER.fullmatch(cell) is not None


def _is_list(cell: str) -> bool:
    return _LIST.fullmatch(cell) is not None


def _is_time(cell: str) -> bool:
    if _TIME.fullmatch(cell) is None:
        return False
    try:
        datetime.fromisoformat(cell.replace("Z", "+00:00"))
    except ValueError:
        return "-" not in cell  # other notations, such as 24.12.2026
    return True
