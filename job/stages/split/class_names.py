"""Decide which classes may be named: drop rare classes; number those whose names are not plain.

A label column can contain anything, for example the texts if two columns are swapped.

How it works
------------
1. A class that the expected labels do not list is dropped with its rows if fewer than `min_groups`
   persons have it.
2. In an official test table, a challenge set and the table of `pcc-job gate`, all classes that do
   not remain after step 1 are pooled into one class, `(other)`.  A class is not pooled if its name
   is plain (`job.contracts.shown_names`) and at least `MIN_HOLDERS` persons have it.
3. Messages quote a name if the expected labels list it, or if it is plain; otherwise they give the
   number of the class in sorted order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

import numpy as np
import structlog

from job.contracts.dataset import Rows
from job.contracts.shown_names import MIN_HOLDERS, NameRule, is_plain
from job.errors import ContractViolationError, TrainingError
from job.stages.data.slices import OTHER
from job.stages.split.counts import count_groups_by_class, is_among

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RareClasses:
    """Number of classes that are dropped because they are rare, and number of their rows."""

    n_classes: int = 0
    n_rows: int = 0


def drop_rare_classes(
    rows: Rows, labels: Collection[str], min_groups: int
) -> tuple[Rows, RareClasses]:
    """Drop the rows of rare classes that `labels` does not list; also count classes and rows.

    Raises
    ------
    TrainingError
        Fewer than two classes are left.
    """
    codes, classes, n_persons = count_groups_by_class(rows, rows.persons)
    is_listed = is_among(classes, np.array([*labels], dtype=object))
    is_rare_class = (n_persons < min_groups) & ~is_listed
    is_rare = is_rare_class[codes]
    rare = RareClasses(n_classes=int(is_rare_class.sum()), n_rows=int(is_rare.sum()))
    if not rare.n_classes:
        return rows, rare
    log.warning("rare_classes_dropped", n_classes=rare.n_classes, n_rows=rare.n_rows)
    if len(classes) - rare.n_classes < 2:
        raise TrainingError(
            f"fewer than 2 classes have rows of {min_groups} persons each; {rare.n_classes} rarer "
            "classes do not count",
            hint="does dataset.columns.target name the column of the labels, or are two columns "
            "swapped? --set dataset.columns.target=COLUMN --set dataset.columns.text=COLUMN name "
            "them; if the classes are right, add rows, or list the classes: "
            "--set 'expectations.parameters={labels: [A, B]}'",
        )
    return rows.take(~is_rare), rare


def pool_unnamed_classes(rows: Rows, classes: Iterable[str]) -> Rows:
    """Return rows in which all classes that may not be named are one class, `(other)`.

    Parameters
    ----------
    classes
        Classes that may be named: those of the model, and the expected labels.  Any other class is
        named if its name is plain, and at least `MIN_HOLDERS` persons have it.
    """
    codes, names, n_persons = count_groups_by_class(rows, rows.persons)
    is_known = is_among(names, np.array([*classes], dtype=object))
    is_shown = np.array([is_plain(str(name)) for name in names], dtype=bool)
    is_unnamed = ~(is_known | (is_shown & (n_persons >= MIN_HOLDERS)))[codes]
    return replace(rows, y=np.where(is_unnamed, OTHER, rows.y)) if is_unnamed.any() else rows


def pool_official_test(test: Rows, classes: Collection[str]) -> Rows:
    """Return the official test rows; classes that may not be named are pooled into `(other)`.

    Raises
    ------
    ContractViolationError
        No row has a class of the table.
    """
    if not is_among(test.y, np.array([*classes], dtype=object)).any():
        raise ContractViolationError(
            "no row of the official test table has a class of the table",
            hint="does dataset.columns.target name the column of the labels in both tables, or "
            "are two columns of dataset.test_uri swapped? The two tables must have the same "
            "columns",
        )
    return pool_unnamed_classes(test, classes)


def quote_classes(names: Iterable[str], all_names: Iterable[str], labels: Collection[str]) -> str:
    """Return `class 'a'` or `classes 'a', class 3`, at most ten; `all_names` gives the numbers."""
    rule = NameRule(known=labels, is_complete=True)
    numbers = {name: n for n, name in enumerate(sorted(all_names), start=1)}
    shown = [rule.quote(name, numbers[name], "number") for name in sorted(names)]
    more = f" and {len(shown) - 10} more" if len(shown) > 10 else ""
    return f"{'class' if len(shown) == 1 else 'classes'} {', '.join(shown[:10])}{more}"
