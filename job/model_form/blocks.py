"""Compute the features of rows, block by block.

The input X has the form that `ModelForm.input` names: a list of texts, a matrix, or a DataFrame.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from job.contracts.arrays import Array
from job.model_form.block_forms import (
    Block,
    BooleanBlock,
    CategoricalBlock,
    EmbeddingBlock,
    NumericBlock,
    TermBlock,
)
from job.model_form.terms import TermCounter

Transform = Callable[[Any], Any]
MISSING_LEVEL: Final = "__none__"
_MIN_LENGTH: Final = 10 * np.finfo(np.float64).eps  # shorter rows are not divided by their lengths


def make_transform(block: Block) -> Transform:
    """Return a function that takes an input X and returns features, shape (n_rows, width)."""
    if isinstance(block, TermBlock):
        counter, column = TermCounter(block), block.column
        return lambda X: counter.transform(X if column is None else X[column])
    if isinstance(block, EmbeddingBlock):
        return lambda X: _map_embeddings(block, _read_numbers(X, block.names))
    if isinstance(block, NumericBlock):
        return lambda X: _damp_numbers(block, _read_numbers(X, block.names))
    if isinstance(block, BooleanBlock):
        return lambda X: _fill_booleans(block, _read_numbers(X, block.names))
    return _make_indicators(block)


def scale_rows(rows: Array) -> Array:
    """Divide rows by their Euclidean lengths; rows of almost no length are returned unchanged."""
    lengths = np.sqrt(np.einsum("nd,nd->n", rows, rows))
    scaled: Array = rows / np.where(lengths < _MIN_LENGTH, 1.0, lengths)[:, None]
    return scaled


def _read_numbers(X: Any, names: tuple[str, ...] | None) -> Array:
    """Return columns in double precision, shape (n_rows, n_columns); None becomes NaN."""
    return np.asarray(X if names is None else X[list(names)].to_numpy(), np.float64)


def _map_embeddings(block: EmbeddingBlock, rows: Array) -> Array:
    if block.columns is not None:
        rows = rows[:, block.columns]
    if block.offset is not None:
        rows = block.offset + block.scale * rows
    return scale_rows(rows) if block.unit_rows else rows


def _damp_numbers(block: NumericBlock, rows: Array) -> Array:
    damped = np.arcsinh(block.offset + block.scale * rows)
    is_missing = np.isnan(damped)
    return np.hstack([np.where(is_missing, 0.0, damped), is_missing])


def _fill_booleans(block: BooleanBlock, rows: Array) -> Array:
    is_missing = np.isnan(rows)
    return np.hstack([np.where(is_missing, block.fill, rows), is_missing])


def _make_indicators(block: CategoricalBlock) -> Transform:
    columns = [{level: n for n, level in enumerate(levels)} for levels in block.levels]

    def transform(X: Any) -> Array:
        parts = []
        for name, positions in zip(block.names, columns, strict=True):
            values = X[name].tolist()
            levels = (MISSING_LEVEL if _is_missing(value) else value for value in values)
            place = [positions.get(level, len(positions)) for level in levels]
            indicators = np.zeros((len(place), len(positions) + 1))
            indicators[np.arange(len(place)), np.array(place, np.int64)] = 1
            parts.append(indicators)
        return np.hstack(parts)

    return transform


def _is_missing(value: object) -> bool:
    """Return whether a category is missing: None or NaN."""
    return value is None or value != value
