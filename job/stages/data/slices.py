"""Divide the rows into slices by the values of columns; put rare values into one slice.

How it works
------------
1. Categories and booleans are sliced by value, texts by quartile of their length, and times into
   the newest month and older times.
2. A value is named only if enough rows, of enough persons, have it (`DisclosureRule`).
3. All other values of the column form one slice, `(other)`; missing cells form `(missing)`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray

from job.contracts.arrays import Array, Ints
from job.contracts.dataset import Column, Dataset, Rows

OTHER: Final = "(other)"
MISSING: Final = "(missing)"
NEAR_TRAINING: Final = "near-duplicate of a training row"
_MAX_VALUES: Final = 50  # a column with more values holds data, not schema
_MAX_NAME_LENGTH: Final = 60
_QUARTERS: Final = (0.25, 0.5, 0.75)


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosureRule:
    """A value is named only if it has at least these numbers of rows and of persons."""

    min_rows: int
    min_groups: int


def make_slices(
    dataset: Dataset, index: Array, persons: Ints, names: Collection[str], rule: DisclosureRule
) -> pd.DataFrame:
    """Return each row's slices: a DataFrame with a categorical column for each of `names`.

    For categories and booleans, each value is a slice.  Texts form four slices, the quartiles of
    their lengths in characters.  Times form two slices, the newest month and older times.  Values
    that `rule` does not allow to name form one slice, `(other)`.  If a column has more than 50
    values, or a long value, all its values are in `(other)`.  Each cell of the result takes one
    byte.

    Parameters
    ----------
    index, persons
        Positions of the rows in the table, and the ids of their persons, shape (n_rows,) each.
    names
        Columns that divide the rows into slices; columns that the table lacks are left out.
    """
    person_codes = pd.factorize(persons)[0]
    slices = {}
    for column in dataset.columns:
        if column.name in names:
            codes, values = _read(column, index)
            slices[column.name] = _pooled(codes, values, person_codes, rule)
    return pd.DataFrame(slices, index=range(len(index)))


def _read(column: Column, index: Array) -> tuple[Array, list[str]]:
    """Return each row's slice as a number (-1 if the cell is missing), and the slices' names."""
    values = column.values[index]
    match column.role:
        case "text":
            return _length_quartiles(
                np.fromiter((len(text or "") for text in values), int, len(values))
            )
        case "timestamp":
            return _newest_month(values)
        case "boolean":
            is_missing = np.isnan(values)
            return np.where(is_missing, -1, np.nan_to_num(values)).astype(int), ["false", "true"]
        case _:
            codes, categories = pd.factorize(values)
            return codes, [str(name) for name in categories]


def _length_quartiles(lengths: Array) -> tuple[Array, list[str]]:
    is_text = lengths > 0
    if not is_text.any():
        return np.full(len(lengths), -1), []
    upper_ends = np.unique(np.quantile(lengths[is_text], _QUARTERS, method="lower"))
    starts = [1, *(upper_ends + 1).tolist()]
    names = [f"{low} to {high} characters" for low, high in zip(starts, upper_ends, strict=False)]
    names[0] = f"up to {upper_ends[0]} characters"
    codes = np.where(is_text, np.searchsorted(upper_ends, lengths, side="left"), -1)
    return codes, [*names, f"{starts[-1]} characters or more"]


def _newest_month(times: Array) -> tuple[Array, list[str]]:
    has_time = times != np.iinfo(np.int64).min
    if not has_time.any():
        return np.full(len(times), -1), []
    months = times.astype("datetime64[us]").astype("datetime64[M]")
    newest = months[has_time].max()
    codes = np.where(has_time, (months == newest).astype(int), -1)
    return codes, ["older", f"{newest}, the newest month"]


def disclosable_values(values: Array, person_codes: Array, rule: DisclosureRule) -> list[str]:
    """Return the distinct values that `rule` allows to name, sorted.

    Parameters
    ----------
    values
        Cells of a column, shape (n_rows,), with dtype object (str or None).
    person_codes
        Each row's person as a number from 0, shape (n_rows,).
    """
    codes, categories = pd.factorize(values)
    names = [str(name) for name in categories]
    return _disclosable(codes, names, person_codes, rule)


def _disclosable(
    codes: Array, names: list[str], person_codes: Array, rule: DisclosureRule
) -> list[str]:
    is_present = codes >= 0
    n_rows = np.bincount(codes[is_present], minlength=len(names))
    n_all_persons = int(person_codes.max(initial=0)) + 1
    pairs = np.unique(codes[is_present].astype(np.int64) * n_all_persons + person_codes[is_present])
    n_persons = np.bincount(pairs // n_all_persons, minlength=len(names))
    is_disclosable = (n_rows >= rule.min_rows) & (n_persons >= rule.min_groups)
    if len(names) > _MAX_VALUES or max(map(len, names), default=0) > _MAX_NAME_LENGTH:
        is_disclosable[:] = False
    allowed = {name for name, is_allowed in zip(names, is_disclosable, strict=True) if is_allowed}
    return sorted(allowed - {OTHER, MISSING})


def _pooled(
    codes: Array, names: list[str], person_codes: Array, rule: DisclosureRule
) -> ExtensionArray:
    slice_names = [*_disclosable(codes, names, person_codes, rule), OTHER, MISSING]
    numbers = {name: number for number, name in enumerate(slice_names)}
    slice_codes = [numbers.get(name, numbers[OTHER]) for name in names]
    cells = np.array([*slice_codes, numbers[MISSING]])[codes]
    return pd.Categorical.from_codes(cells, dtype=pd.CategoricalDtype(slice_names))


def mark_near_training(test: Rows, train: Rows) -> Rows:
    """Add a slice column to an official test set: whether a row has near-duplicates in `train`."""
    if (
        test.slices is None
        or test.near_duplicate_groups is None
        or train.near_duplicate_groups is None
    ):
        return test
    is_near = np.isin(test.near_duplicate_groups, train.near_duplicate_groups)
    marks = pd.Categorical(np.where(is_near, "yes", "no"), categories=["no", "yes"])
    return replace(test, slices=test.slices.assign(**{NEAR_TRAINING: marks}))
