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
import pandas as pd
import structlog

from job.contracts.dataset import Rows
from job.contracts.messages import pluralize
from job.contracts.shown_names import MIN_HOLDERS, NameRule, is_plain
from job.errors import ContractViolationError, TrainingError
from job.stages.data.look_alikes import describe_difference, fold_label
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
        _raise_if_alike(rows, min_groups)
        raise TrainingError(
            f"fewer than 2 classes have rows of {min_groups} persons each; {rare.n_classes} rarer "
            "classes do not count",
            hint="does dataset.columns.target name the column of the labels, or are two columns "
            "swapped? --set dataset.columns.target=COLUMN --set dataset.columns.text=COLUMN name "
            "them; if the classes are right, add rows, or list the classes: "
            "--set 'expectations.parameters={labels: [A, B]}'",
        )
    return rows.take(~is_rare), rare


def _raise_if_alike(rows: Rows, min_groups: int) -> None:
    """Raise if the table has too few persons for two classes, whatever the classes are."""
    n_persons = len(np.unique(rows.persons))
    if n_persons < 2 * min_groups and len(rows) >= 2 * min_groups:
        raise TrainingError(
            f"the {len(rows)} rows count as {pluralize(n_persons, 'person')}, because their texts "
            f"or features are equal or similar; expected at least {min_groups} persons for each "
            "of two classes",
            hint="are two columns swapped? --set dataset.columns.target=COLUMN --set "
            "dataset.columns.text=COLUMN name them. "
            "Do the columns in features.use have values that differ? `pcc-job validate` "
            "counts cells that are missing or cannot be read. If a group column is named "
            "(dataset.columns.group), each of its values is a person",
        )


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
        As in `check_official_test`.
    """
    check_official_test(test, classes)
    return pool_unnamed_classes(test, classes)


def check_official_test(test: Rows, classes: Collection[str]) -> None:
    """Raise if no row of an official test table has a known class, or if a class looks like one.

    Parameters
    ----------
    classes
        The known classes: those of the training table, or of the evaluated versions.

    Raises
    ------
    ContractViolationError
        No row has a known class, or the class of a row is unknown and looks like a known one.
    """
    by_look = {fold_label(str(name)): str(name) for name in classes}
    codes, names = pd.factorize(test.y)
    n_rows = np.bincount(codes, minlength=len(names))
    alike = [
        (int(n), describe_difference(name, by_look[fold_label(name)]))
        for name, n in zip(names, n_rows, strict=True)
        if name not in classes and fold_label(name) in by_look
    ]
    if alike:
        kinds = sorted({kind for _, kind in alike})
        raise ContractViolationError(
            f"{pluralize(sum(n for n, _ in alike), 'row')} of the official test table have a class "
            f"that looks like a known one, but differs in {'; or in '.join(kinds)}",
            hint="write the labels of dataset.test_uri in the same way as those of the table that "
            "the model is trained on",
        )
    require_known_classes(test, classes, "the official test table")


def check_evaluated(table: Rows, test: Rows | None, classes: Collection[str]) -> None:
    """Raise if no evaluated row has a known class; the rows are those of `test`, if there is one.

    Raises
    ------
    ContractViolationError
        No row has a known class; for an official test, as in `check_official_test`.
    """
    if test is None:
        require_known_classes(table, classes, "the table")
    else:
        check_official_test(test, classes)


def require_known_classes(rows: Rows, classes: Collection[str], title: str) -> None:
    """Raise `ContractViolationError` if no row has a known class; `title` names the table."""
    if not is_among(rows.y, np.array([*classes], dtype=object)).any():
        raise ContractViolationError(
            f"no row of {title} has a known class",
            hint="does dataset.columns.target name the column of the labels in both tables, or "
            "are two columns swapped (dataset.test_uri or dataset.uri)? The columns must be those "
            "of the table that the model is trained on",
        )


def quote_classes(names: Iterable[str], all_names: Iterable[str], labels: Collection[str]) -> str:
    """Return `class 'a'` or `classes 'a', class 3`, at most ten; `all_names` gives the numbers."""
    rule = NameRule(known=labels, is_complete=True)
    numbers = {name: n for n, name in enumerate(sorted(all_names), start=1)}
    shown = [rule.quote(name, numbers[name], "number") for name in sorted(names)]
    more = f" and {len(shown) - 10} more" if len(shown) > 10 else ""
    return f"{'class' if len(shown) == 1 else 'classes'} {', '.join(shown[:10])}{more}"
