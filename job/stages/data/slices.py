"""Cut rows into slices by what is known of them; a value that few rows hold has no name there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from job.contracts.dataset import Column, Dataset, Rows

Array = np.ndarray[Any, Any]
OTHER: Final = "(other)"
MISSING: Final = "(missing)"
NEAR_TRAINING: Final = "near-duplicate of a training row"
_MAX_VALUES: Final = 50  # of a column whose values are schema, not data
_MAX_NAME_LENGTH: Final = 60
_QUARTERS: Final = (0.25, 0.5, 0.75)


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosureRule:
    """Who holds a value that may be named: so many rows of the table, under so many keys."""

    min_rows: int
    min_groups: int


def make_slices(
    dataset: Dataset, index: Array, keys: Array, names: Collection[str], rule: DisclosureRule
) -> pd.DataFrame:
    """Return the slice of each row in each column that can be sliced by, a byte a cell.

    Categories and truth values are slices by themselves; a text by its length in characters, in
    quarters of the table; a time by whether it falls into the newest month.  Values that the rule
    does not allow to be named are one slice, `(other)`; so are all values of a column with more
    than 50, or with long ones.

    Parameters
    ----------
    index, keys
        Positions of the rows in the table, and their leakage keys.
    names
        Columns to slice by; those that the table lacks are left out.
    """
    key_codes = pd.factorize(np.asarray(keys, dtype=object))[0]
    slices = {}
    for column in dataset.columns:
        if column.name in names:
            codes, values = _read(column, index)
            slices[column.name] = _pooled(codes, values, key_codes, rule)
    return pd.DataFrame(slices, index=range(len(index)))


def _read(column: Column, index: Array) -> tuple[Array, list[str]]:
    """Return the number of each row's value, -1 for none, and what the numbers stand for."""
    values = column.values[index]
    match column.role:
        case "text":
            return _bands(np.fromiter((len(text or "") for text in values), int, len(values)))
        case "timestamp":
            return _months(values)
        case "boolean":
            is_missing = np.isnan(values)
            return np.where(is_missing, -1, np.nan_to_num(values)).astype(int), ["false", "true"]
        case _:
            codes, found = pd.factorize(values)
            return codes, [str(name) for name in found]


def _bands(lengths: Array) -> tuple[Array, list[str]]:
    is_text = lengths > 0
    if not is_text.any():
        return np.full(len(lengths), -1), []
    ends = np.unique(np.quantile(lengths[is_text], _QUARTERS, method="lower"))
    starts = [1, *(ends + 1).tolist()]
    names = [f"{low} to {high} characters" for low, high in zip(starts, ends, strict=False)]
    names[0] = f"up to {ends[0]} characters"
    codes = np.where(is_text, np.searchsorted(ends, lengths, side="left"), -1)
    return codes, [*names, f"{starts[-1]} characters or more"]


def _months(moments: Array) -> tuple[Array, list[str]]:
    has_known_class = moments != np.iinfo(np.int64).min
    if not has_known_class.any():
        return np.full(len(moments), -1), []
    months = moments.astype("datetime64[us]").astype("datetime64[M]")
    newest = months[has_known_class].max()
    codes = np.where(has_known_class, (months == newest).astype(int), -1)
    return codes, ["older", f"{newest}, the newest month"]


def disclosable_values(values: Array, key_codes: Array, rule: DisclosureRule) -> list[str]:
    """Return the values, sorted, that the rule allows to be named.

    Parameters
    ----------
    values
        Shape (n_rows,), object (str or None).
    key_codes
        Number of each row's leakage key, shape (n_rows,).
    """
    codes, found = pd.factorize(values)
    names = [str(name) for name in found]
    return _named(codes, names, key_codes, rule)


def _named(codes: Array, names: list[str], key_codes: Array, rule: DisclosureRule) -> list[str]:
    is_held = codes >= 0
    n_rows = np.bincount(codes[is_held], minlength=len(names))
    n_all_keys = int(key_codes.max(initial=0)) + 1
    pairs = np.unique(codes[is_held].astype(np.int64) * n_all_keys + key_codes[is_held])
    n_keys = np.bincount(pairs // n_all_keys, minlength=len(names))
    is_named = (n_rows >= rule.min_rows) & (n_keys >= rule.min_groups)
    if len(names) > _MAX_VALUES or max(map(len, names), default=0) > _MAX_NAME_LENGTH:
        is_named[:] = False
    kept = {name for name, named in zip(names, is_named, strict=True) if named}
    return sorted(kept - {OTHER, MISSING})


def _pooled(
    codes: Array, names: list[str], key_codes: Array, rule: DisclosureRule
) -> pd.Categorical[Any]:
    shown = [*_named(codes, names, key_codes, rule), OTHER, MISSING]
    numbers = {name: number for number, name in enumerate(shown)}
    new = [numbers.get(name, numbers[OTHER]) for name in names]
    cells = np.array([*new, numbers[MISSING]])[codes]
    return pd.Categorical.from_codes(cells, dtype=pd.CategoricalDtype(shown))


def mark_near_training(test: Rows, train: Rows) -> Rows:
    """Return an official test with two slices more: near-duplicates of training rows, or not."""
    if (
        test.slices is None
        or test.near_duplicate_groups is None
        or train.near_duplicate_groups is None
    ):
        return test
    is_near = np.isin(test.near_duplicate_groups, train.near_duplicate_groups)
    marks = pd.Categorical(np.where(is_near, "yes", "no"), categories=["no", "yes"])
    return replace(test, slices=test.slices.assign(**{NEAR_TRAINING: marks}))
