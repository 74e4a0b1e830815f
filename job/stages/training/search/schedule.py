"""The schedule of a search: its rounds, and its time budget."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from job.contracts.dataset import Rows
from job.contracts.ports import Timer
from job.contracts.settings.search import SearchSpec
from job.stages.training.search.successive_halving import plan_rounds

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One round of the search; the last one uses all rows.

    Attributes
    ----------
    share
        Share of the training rows that the candidates are scored on.
    halving_factor
        The best 1 / `halving_factor` of the candidates are kept; None in the last round.
    """

    share: float
    halving_factor: int | None

    @property
    def is_last(self) -> bool:
        """Whether this is the last round, after which the search chooses a candidate."""
        return self.halving_factor is None


class Schedule:
    """Yields rounds and folds until the time budget, counted from construction, is used up.

    Attributes
    ----------
    is_over
        Whether the time budget ended the search before all rounds and folds were completed.
    """

    def __init__(self, spec: SearchSpec, timer: Timer) -> None:
        self._spec, self._timer = spec, timer
        self._ends_at = timer() + (spec.max_seconds or math.inf)
        self.is_over = False

    def rounds(self, n_candidates: int, train: Rows) -> Iterator[Round]:
        """Yield the rounds of a search with `n_candidates` candidates, while time remains."""
        factor = self._spec.halving_factor
        *shares, last = plan_rounds(
            n_candidates, len(train), len(set(train.y)), self._spec.folds, factor
        )
        rounds = [Round(share=share, halving_factor=factor) for share in shares]
        return self.within_time([*rounds, Round(share=last, halving_factor=None)])

    def within_time(self, items: Iterable[T]) -> Iterator[T]:
        """Yield the first item without a check, and each further item if time remains."""
        for n, item in enumerate(items):
            self.is_over = n > 0 and self._timer() >= self._ends_at
            if self.is_over:
                return
            yield item
