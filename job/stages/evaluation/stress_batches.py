"""Draw and standardize batches with another class mix, to stress-test a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from job.contracts.arrays import Array
from job.contracts.matrix_rows import MatrixRows
from job.stages.features.quadric import measure_columns

SHARE: Final = 0.85
N_DRAWS: Final = 10
MAX_BATCH_ROWS: Final = 200
MIN_BATCH_ROWS: Final = 50
MAX_PREDICTED: Final = 100_000
_CONSTANT: Final = 1e-9  # deviation in units of the largest value of the column


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Means and standard deviations of the columns of a table, shape (width,) each."""

    mean: Array
    deviation: Array

    @classmethod
    def of(cls, table: MatrixRows) -> Columns:
        """Compute means and standard deviations of a table's columns."""
        mean, deviation, _ = measure_columns(table)
        return cls(mean=mean, deviation=deviation)

    def standardize(self, batch: Array) -> npt.NDArray[np.float32]:
        """Shift and scale the batch's columns to the means and deviations of the table.

        A column that is constant in the batch gets the column's mean in the table.
        """
        rows = batch.astype(float)
        deviation = rows.std(axis=0)
        varies = deviation > _CONSTANT * np.abs(rows).max(axis=0)
        rows = (rows - rows.mean(axis=0)) / np.where(varies, deviation, 1.0)
        scaled: npt.NDArray[np.float32] = (rows * self.deviation + self.mean).astype(np.float32)
        return scaled


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPlan:
    """Plan of the batches: in each batch, one class dominates.

    Attributes
    ----------
    names
        Classes that dominate batches.
    n_rows
        Number of rows per batch.
    n_draws
        Number of batches per class.
    n_classes_left_out
        Number of classes that dominate no batch.
    """

    names: tuple[str, ...]
    n_rows: int
    n_draws: int
    n_classes_left_out: int


def plan_batches(class_rows: Mapping[str, Array], rng: np.random.Generator) -> BatchPlan | None:
    """Return the plan of the batches.

    The result is None if no class has enough rows for a batch, or if there are fewer than two
    classes.
    """
    min_class_rows = int(np.ceil(SHARE * MIN_BATCH_ROWS))
    names = [name for name, index in class_rows.items() if len(index) >= min_class_rows]
    if not names or len(class_rows) < 2:
        return None
    n_smallest = min(len(class_rows[name]) for name in names)
    n_rows = min(MAX_BATCH_ROWS, int(n_smallest / SHARE))
    if len(names) * n_rows > MAX_PREDICTED:
        sample = rng.choice(len(names), MAX_PREDICTED // n_rows, replace=False)
        names = [names[n] for n in np.sort(sample)]
    n_draws = min(N_DRAWS, MAX_PREDICTED // (len(names) * n_rows))
    return BatchPlan(
        names=tuple(names),
        n_rows=n_rows,
        n_draws=n_draws,
        n_classes_left_out=len(class_rows) - len(names),
    )


def draw_batch(
    class_rows: Mapping[str, Array], name: str, n_rows: int, rng: np.random.Generator
) -> Array:
    """Draw the positions of a batch's rows, most of them of one class.

    If another class has too few rows, its rows are drawn with replacement.

    Parameters
    ----------
    class_rows
        Positions of the rows of each class, at least two classes.
    name
        Dominant class, to which the share `SHARE` of the batch's rows belongs.  `class_rows[name]`
        must have enough rows for this share.
    """
    others = [other for other in class_rows if other != name]
    n_main = round(SHARE * n_rows)
    n_each, n_extra = divmod(n_rows - n_main, len(others))
    has_extra = set(rng.permutation(len(others))[:n_extra].tolist())
    parts = [rng.choice(class_rows[name], n_main, replace=False)]
    for number, other in enumerate(others):
        n, index = n_each + (number in has_extra), class_rows[other]
        parts.append(rng.choice(index, n, replace=n > len(index)))
    return np.concatenate(parts)
