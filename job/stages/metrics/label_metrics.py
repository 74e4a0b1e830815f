"""Scores of labels out of counts, for many resamples at once."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from job.stages.metrics.group_bootstrap import effective_groups

Array = np.ndarray[Any, Any]
OF_CLASS: Final = ("f1", "precision", "recall")
AVERAGED: Final = (
    *("accuracy", "balanced_accuracy"),
    *(f"{score}_macro" for score in OF_CLASS),
    *(f"{score}_weighted" for score in OF_CLASS),
)


def count_columns(y_true: Array, y_pred: Array, n_classes: int) -> tuple[Array, Array, Array]:
    """Return the columns that count each row: its class, its predicted class, and a hit."""
    hit = np.where(y_true == y_pred, 2 * n_classes + y_true, -1)
    return y_true, n_classes + y_pred, hit


def pair_cells(y_true: Array, y_pred: Array, other: Array, n_classes: int) -> tuple[Array, ...]:
    """Return the columns in which each row counts for two sets of labels, of 5 * n_classes.

    The first three blocks are those of `count_columns` for `y_pred`; the labels and hits of `other`
    follow.
    """
    true, taken, hit = count_columns(y_true, y_pred, n_classes)
    _, other_taken, other_hit = count_columns(y_true, other, n_classes)
    other_hit = np.where(other_hit < 0, -1, other_hit + 2 * n_classes)
    return true, taken, hit, other_taken + 2 * n_classes, other_hit


def count_groups(
    groups: Array, y_true: Array, y_pred: Array, n_classes: int
) -> tuple[int, Array, Array]:
    """Count all groups, those with rows of each class, and those with rows taken for it."""
    pairs = (np.unique(groups * n_classes + y) % n_classes for y in (y_true, y_pred))
    true, predicted = (np.bincount(some, minlength=n_classes) for some in pairs)
    return len(np.unique(groups)), true, predicted


def count_effective_groups(
    groups: Array, y_true: Array, y_pred: Array, n_classes: int
) -> tuple[float, Array, Array]:
    """Count as `count_groups` does, uneven groups as so many of equal size.

    That is `sum(n)**2 / sum(n**2)` (Kish 1965).
    """
    true, predicted = (
        np.array([effective_groups(groups[y == n]) for n in range(n_classes)])
        for y in (y_true, y_pred)
    )
    return effective_groups(groups), true, predicted


class LabelScores:
    """Every score of labels, as `measure` gives them and `names` names them.

    Parameters
    ----------
    total
        Counts of the whole hold-out, shape (1, 3 * n_classes): rows of a class, rows predicted as
        it, hits.  Averages are over the classes that occur there, as in scikit-learn.
    """

    def __init__(self, total: Array) -> None:
        support, predicted, _ = np.split(total[0], 3)
        self.n_classes = len(support)
        self._occurs, self._is_true = support + predicted > 0, support > 0

    @property
    def names(self) -> list[tuple[str, int | None]]:
        """Name each column: a score, and its class or None."""
        classes = [(name, n) for name in OF_CLASS for n in range(self.n_classes)]
        return [*((name, None) for name in AVERAGED), *classes]

    def count_effective_groups(self, n_groups: float, true: Array, predicted: Array) -> Array:
        """Return how many groups each score rests on, where all of them agree.

        A macro average rests on as many as if each class had the smallest one's.
        """
        macro = int(self._occurs.sum()) * true[self._is_true].min(initial=n_groups)
        averaged = [n_groups, *[macro] * (1 + len(OF_CLASS)), *[n_groups] * len(OF_CLASS)]
        return np.concatenate([averaged, np.minimum(true, predicted), predicted, true])

    def measure(self, counts: Array) -> Array:
        """Return scores, shape (n, n_scores), of counts, shape (n, 3 * n_classes)."""
        support, predicted, hits = np.split(counts, 3, axis=1)
        of_class = {
            "f1": _share(2 * hits, support + predicted),
            "precision": _share(hits, predicted),
            "recall": _share(hits, support),
        }
        n_rows = support.sum(axis=1)
        averaged = [hits.sum(axis=1) / n_rows]
        averaged.append(of_class["recall"][:, self._is_true].mean(axis=1))
        averaged += [of_class[name][:, self._occurs].mean(axis=1) for name in OF_CLASS]
        averaged += [(of_class[name] * support).sum(axis=1) / n_rows for name in OF_CLASS]
        return np.concatenate([np.stack(averaged, axis=1), *of_class.values()], axis=1)


def _share(part: Array, whole: Array) -> Array:
    share: Array = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return share
