"""Count the rows of a CSV file that a quote that is not closed has moved into a cell.

How it works
------------
1. A cell that holds a line break takes several lines of the file.  A genuine text of several lines
   does that, too, so each of these lines is split by the delimiter.
2. A line can be a row of its own if it has as many cells as the header, and if each of its cells
   looks like the other cells of its column: a number is a number, a label is one of the labels, and
   a text is about as long as other texts.  The looks are learned from cells without line breaks.
3. The first line of a cell is the row itself.  Each further line that can be a row is a row that
   the cell holds.
4. The last line ends outside of the cell, so it is read together with the cells that follow.  It
   counts only if the first line or a line in between can be a row, too: the end of any text of
   several lines, with the label behind it, looks like a row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from job.adapters.tables.cell_looks import CellLook, Mask
from job.contracts.arrays import Ints
from job.contracts.rows_in_cells import RowsInCells

_SAMPLE_ROWS: Final = 20_000


class RowWatch:
    """Looks for rows in the cells of one CSV file.

    Parameters
    ----------
    n_columns
        Number of cells of the header.
    line_end
        Character that ends a line of the file: a line feed or a carriage return.
    """

    def __init__(self, n_columns: int, delimiter: str, line_end: str) -> None:
        self._n_columns = n_columns
        self._delimiter = delimiter
        self._line_end = line_end
        self._sample: list[list[pa.Array]] = [[] for _ in range(n_columns)]
        self._n_sampled = self._n_learned = 0
        self._looks: list[CellLook] = []
        self._n_cells = self._n_rows = 0
        self._last_cell = ""

    def summarize(self, *, is_open: bool) -> RowsInCells:
        """Return the counts of the file; `is_open` says that it ends in a quoted cell."""
        lines = self._last_cell.strip(self._line_end).split(self._line_end)
        return RowsInCells(
            n_cells=self._n_cells, n_rows=self._n_rows, n_open_lines=len(lines) if is_open else 0
        )

    def look(self, batch: pa.RecordBatch) -> None:
        """Look at all cells of a batch, whose columns are texts in the order of the header."""
        broken = [n for n, column in enumerate(batch.columns) if self._has_break(column)]
        masks = {n: pa.array(self._find_breaks(batch.column(n))) for n in broken}
        self._sample_cells(batch, masks)
        if batch.num_rows:
            self._last_cell = batch.columns[-1][-1].as_py() or ""
        if self._n_columns < 2:
            return
        for n, mask in masks.items():
            is_all = pc.all(mask).as_py()
            self._look_at_column(batch if is_all else batch.filter(mask), n, batch)

    def _sample_cells(self, batch: pa.RecordBatch, masks: Mapping[int, pa.Array]) -> None:
        """Keep the cells without a line break of the first rows of the file."""
        n_rows = min(batch.num_rows, _SAMPLE_ROWS - self._n_sampled)
        if n_rows == 0:
            return
        self._n_sampled += n_rows
        for n, column in enumerate(batch.columns):
            cells = column.slice(0, n_rows)
            if n in masks:
                cells = cells.filter(pc.invert(masks[n].slice(0, n_rows)))
            self._sample[n].append(cells)

    def look_at_header(self, names: Sequence[str]) -> None:
        """Look for rows in a header whose quote is not closed; call it after the last batch."""
        if any(self._line_end in name for name in names):
            columns = [pa.array([name], pa.string()) for name in names]
            labels = [str(n) for n in range(len(names))]
            last_cell = self._last_cell
            self.look(pa.RecordBatch.from_arrays(columns, labels))
            self._last_cell = last_cell

    def _has_break(self, column: pa.Array) -> bool:
        """Return whether the line end is anywhere in the bytes of a column; it is fast."""
        data = column.buffers()[2]
        return data is not None and bool(
            (np.frombuffer(data, np.uint8) == ord(self._line_end)).any()
        )

    def _find_breaks(self, column: pa.Array) -> Mask:
        matches = pc.match_substring(column, self._line_end)
        return pc.fill_null(matches, False).to_numpy(zero_copy_only=False)

    def _look_at_column(self, rows: pa.RecordBatch, n: int, batch: pa.RecordBatch) -> None:
        """Count the rows in the cells of column `n`; each of the cells has a line break."""
        lists = pc.split_pattern(rows.column(n), self._line_end)
        lines, ends = lists.flatten(), lists.offsets.to_numpy() - lists.offsets[0].as_py()
        parents = np.repeat(np.arange(len(lists)), np.diff(ends))
        is_first, is_last = np.zeros((2, len(lines)), bool)
        is_first[ends[:-1]] = is_last[ends[1:] - 1] = True
        n_before, n_after = n, self._n_columns - 1 - n
        n_missing = np.where(is_first, n_before, np.where(is_last, n_after, 0))
        looks = self._learn(batch)
        has_indents = any(look.has_indents for look in looks[1:])
        n_cells = self._count_cells(lines, has_indents=has_indents)
        can_be = n_cells + n_missing == self._n_columns
        if not can_be[~is_first].any():
            return
        fits = np.zeros(len(lines), bool)
        for kind, before, after in (
            (is_first, n_before, 0),
            (is_last, 0, n_after),
            (~is_first & ~is_last, 0, 0),
        ):
            index = np.flatnonzero(can_be & kind)
            owners = pa.array(parents[index])
            columns = [
                *(column.take(owners) for column in rows.columns[:before]),
                *self._split(lines.take(pa.array(index)), self._n_columns - before - after),
                *(column.take(owners) for column in rows.columns[self._n_columns - after :]),
            ]
            fits[index] = _fit(columns, looks, len(index))
        self._count(fits, is_first, is_last, parents)

    def _count_cells(self, lines: pa.Array, *, has_indents: bool) -> Ints:
        """Return the number of cells of each line; faster than a search in each line.

        Without `has_indents`, a line in which a blank follows a delimiter has no number: in prose,
        a blank follows a comma, but no cell of the table begins with one.
        """
        offsets = np.frombuffer(lines.buffers()[1], np.int32)[: len(lines) + 1]
        data = np.frombuffer(lines.buffers()[2] or b"", np.uint8)
        marks = np.flatnonzero(data == ord(self._delimiter))
        n_cells = np.diff(np.searchsorted(marks, offsets)) + 1
        if not has_indents:
            blanks = marks[data[np.minimum(marks + 1, len(data) - 1)] == ord(" ")]
            n_cells[np.diff(np.searchsorted(blanks, offsets)) > 0] = -self._n_columns
        return n_cells

    def _split(self, lines: pa.Array, n_cells: int) -> list[pa.Array]:
        """Return the cells of lines that have `n_cells` cells each, column by column."""
        plain = pc.ascii_trim(pc.ascii_rtrim(lines, "\r"), '"')
        flat = pc.split_pattern(plain, self._delimiter).flatten()
        index = np.arange(0, len(flat), n_cells)
        return [pc.ascii_trim(flat.take(pa.array(index + n)), '"') for n in range(n_cells)]

    def _learn(self, batch: pa.RecordBatch) -> list[CellLook]:
        """Return the looks of the columns; labels are also learned from the current batch."""
        if self._n_learned < self._n_sampled:
            self._looks = [CellLook.of(pa.concat_arrays(cells)) for cells in self._sample]
            self._n_learned = self._n_sampled
        return [
            look.with_values(cells) if look.kind == "category" else look
            for look, cells in zip(self._looks, batch.columns, strict=True)
        ]

    def _count(self, fits: Mask, is_first: Mask, is_last: Mask, parents: Mask) -> None:
        """Add the lines that can be rows; a last line alone proves nothing."""
        supported = np.zeros(int(parents[-1]) + 1, bool)
        supported[parents[fits & ~is_last]] = True
        held = fits & ~is_first & (~is_last | supported[parents])
        self._n_cells += len(np.unique(parents[held]))
        self._n_rows += int(held.sum())


def _fit(columns: list[pa.Array], looks: list[CellLook], n_rows: int) -> Mask:
    """Return which rows have a fitting cell in each column, shape (n_rows,)."""
    is_fitting = np.ones(n_rows, bool)
    for n in sorted(range(len(columns)), key=lambda n: looks[n].kind == "free"):
        index = np.flatnonzero(is_fitting)
        if not len(index):
            break
        is_fitting[index] = looks[n].fits(columns[n].take(pa.array(index)))
    return is_fitting
