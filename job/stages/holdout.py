"""Choose the rows that are held out, whole units at a time: families of rows, or groups."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from job.contracts.dataset import Rows
from job.contracts.specs import SplitSpec
from job.errors import TrainingError
from job.stages.folds import cut_folds
from job.stages.keys import salted_digests

Array = npt.NDArray[Any]
_SCALE: Final = 2.0**64
_N_PASSES: Final = 3  # a unit of two classes can take from one what the other needs


def hold_out(rows: Rows, spec: SplitSpec, folds: int, random_state: int) -> tuple[Array, int]:
    """Choose the test rows, and count the classes that had to be dealt anew.

    By `hash` a unit's side follows from the salted hash of one of its keys.  Where that, or the
    seed, leaves a class without a test unit, or with fewer training units than folds though it has
    enough, the units of that class alone are dealt anew: in the order of their hash, as many as
    fit into the class's share of the rows, the smallest where none fits.

    Raises
    ------
    TrainingError
        The rows cannot be cut into so many parts.
    """
    numbers, unit_of_row = np.unique(rows.units, return_inverse=True)
    if spec.method == "hash":
        digests = _digest_units(rows, unit_of_row, len(numbers), spec.salt)
        is_test = digests / _SCALE < spec.test_fraction
    else:
        digests = None
        is_test = np.zeros(len(numbers), bool)
        is_test[unit_of_row[_cut(rows, spec, random_state)]] = True
    labels, classes = pd.factorize(np.asarray(rows.y, dtype=object), sort=True)
    dealt: set[int] = set()
    for _ in range(_N_PASSES):
        held = [_Held(unit_of_row[labels == n], folds) for n in range(len(classes))]
        broken = [n for n, some in enumerate(held) if some.is_broken(is_test)]
        if not broken:
            break
        if digests is None:
            digests = _digest_units(rows, unit_of_row, len(numbers), spec.salt)
        for n in broken:
            held[n].deal(is_test, digests, spec.test_fraction)
        dealt |= set(broken)
    return is_test[unit_of_row], len(dealt)


class _Held:
    """The units that hold one class, with how many of its rows each has."""

    def __init__(self, unit_of_row: Array, folds: int) -> None:
        self._units, self._n_rows = np.unique(unit_of_row, return_counts=True)
        self._folds = folds

    def is_broken(self, is_test: Array) -> bool:
        """Say whether a side lacks units that the class has."""
        n, n_test = len(self._units), int(is_test[self._units].sum())
        return n > 1 and (n_test == 0 or n - n_test < min(self._folds, n - 1))

    def deal(self, is_test: Array, digests: Array, fraction: float) -> None:
        """Hold units out in the order of their digests, as far as they fit."""
        n_left = fraction * self._n_rows.sum()
        most = max(len(self._units) - self._folds, 1)
        order = np.argsort(digests[self._units], kind="stable")
        taken: list[int] = []
        for n in order.tolist():
            if len(taken) < most and self._n_rows[n] <= n_left:
                taken.append(n)
                n_left -= self._n_rows[n]
        if not taken:
            taken = [order[np.argmin(self._n_rows[order])]]
        is_test[self._units] = False
        is_test[self._units[taken]] = True


def _digest_units(rows: Rows, unit_of_row: Array, n_units: int, salt: str) -> Array:
    """Digest the key that stands for each unit: the one whose own salted digest is the least.

    The digest that decides the side is another one: the least of many would be small, and large
    families be held out more often than others.
    """
    codes, keys = pd.factorize(np.asarray(rows.keys, dtype=object))
    pairs = np.unique(unit_of_row * len(keys) + codes)
    units, members = pairs // len(keys), pairs % len(keys)
    rank = np.zeros(len(pairs), np.uint64)
    has_choice = np.bincount(units, minlength=n_units)[units] > 1
    rank[has_choice] = salted_digests("family", keys[members[has_choice]], salt)
    order = np.lexsort((rank, units))
    first = order[np.flatnonzero(np.diff(units[order], prepend=-1))]
    return salted_digests("side", keys[members[first]], salt)


def _cut(rows: Rows, spec: SplitSpec, random_state: int) -> Array:
    """Give a mask of rows, seeded and stratified by class."""
    share = max(Fraction(spec.test_fraction).limit_denominator(100), Fraction(1, 100))
    n_splits = share.denominator
    is_test = np.zeros(len(rows), bool)
    try:
        folds = cut_folds(rows.y.astype(str), rows.units, n_splits, random_state)
        for _, test in folds[: share.numerator]:
            is_test[test] = True
    except ValueError:
        raise TrainingError(
            f"the table cannot be split into {n_splits} parts by key: its largest class has "
            "fewer rows than that",
            hint="add rows, or choose a split.test_fraction such as 0.2 or 0.25",
        ) from None
    return is_test
