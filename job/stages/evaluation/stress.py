"""Measure a model on batches of another class mix whose embeddings are standardized anew.

An upstream that fits its scalers to each batch gives the same text other numbers on another day.

How it works
------------
1. Batches are drawn from rows that the model was not trained on: 85 % of the rows of one class, the
   rest evenly of the others. Each class has its turn, ten times with other rows.
2. Mean and standard deviation of each column of the batch are brought to those of the table. That
   is what standardizing anew does where the table's own columns were standardized.
3. The model predicts the batch, and the accuracy is compared with that of the same rows as given.
4. Where the model restores embeddings to length 1, a consumer can recenter the batch first
   (`job.stages.evaluation.recentering`); that is measured besides.

The work is bounded: at most 100,000 rows are predicted, by fewer draws where there are many
classes, and by a seeded sample of the classes beyond 500. Recentering a batch of 384 columns takes
some 20 ms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from job.contracts.dataset import MatrixRows, Rows
from job.contracts.model import TrainedModel
from job.contracts.reports.intervals import Interval
from job.contracts.reports.stress import BatchScore, StatedBy, StressReport
from job.contracts.settings.evaluation import EvaluationSpec
from job.stages.evaluation.recentering import predict_recentered
from job.stages.features.quadric import measure_columns
from job.stages.metrics.confidence_bounds import MIN_GROUPS, bootstrap, interval_or_count_bound
from job.stages.metrics.group_bootstrap import count_by_group
from job.stages.metrics.predictions import predict

Array = npt.NDArray[Any]
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
        """Measure the columns of a table."""
        mean, deviation, _ = measure_columns(table)
        return cls(mean=mean, deviation=deviation)

    def standardize(self, batch: Array) -> npt.NDArray[np.float32]:
        """Return the batch with the means and deviations of the table.

        A column that does not vary in the batch gets the mean of the table.
        """
        rows = batch.astype(float)
        deviation = rows.std(axis=0)
        varies = deviation > _CONSTANT * np.abs(rows).max(axis=0)
        rows = (rows - rows.mean(axis=0)) / np.where(varies, deviation, 1.0)
        found: npt.NDArray[np.float32] = (rows * self.deviation + self.mean).astype(np.float32)
        return found


def measure_stress(
    model: TrainedModel,
    rows: Rows,
    columns: Columns,
    *,
    stated_by: StatedBy,
    is_restored: bool,
    spec: EvaluationSpec,
    random_state: int,
) -> StressReport | None:
    """Measure the accuracy on batches that are standardized anew.

    Parameters
    ----------
    rows
        Rows that the model was not trained on, with the blocks that it takes; embeddings are among
        them.
    columns
        Of the table.
    is_restored
        Whether the model restores embeddings, and takes nothing else.

    Returns
    -------
    report
        None where no class has rows enough for a batch of 50, or there are not two classes.
    """
    rng = np.random.default_rng(random_state)
    of_class = _find_rows(rows, model)
    sizes = _choose_sizes(of_class, rng)
    if sizes is None:
        return None
    names, n_batch_rows, n_draws = sizes
    found = predict(model.pipeline, rows, model.feature_blocks)
    is_right_as_given = found.y_pred == found.y_true
    drawn, is_right, scores = [], [], []
    for name in names:
        batches = [draw_batch(of_class, name, n_batch_rows, rng) for _ in range(n_draws)]
        index, moved = np.concatenate(batches), _standardize(rows, batches, columns)
        is_right_moved, recentered = _predict_batches(model, rows, index, moved), None
        if is_restored:
            recentered = float((predict_recentered(model, moved) == rows.y[index]).mean())
        score = BatchScore(
            name=name,
            accuracy=float(is_right_moved.mean()),
            accuracy_as_given=float(is_right_as_given[index].mean()),
            accuracy_recentered=recentered,
        )
        drawn.append(index)
        is_right.append(is_right_moved)
        scores.append(score)
    index = np.concatenate(drawn)
    return StressReport(
        stated_by=stated_by,
        share=SHARE,
        n_batch_rows=n_batch_rows,
        n_draws=n_draws,
        n_rows=len(rows),
        n_groups=len(np.unique(rows.groups)),
        n_classes_left_out=len(of_class) - len(names),
        classes=tuple(scores),
        interval=_find_interval(
            np.concatenate(is_right), found.y_true[index], rows.groups[index], spec, rng
        ),
        level=spec.confidence,
    )


def _choose_sizes(
    of_class: Mapping[str, Array], rng: np.random.Generator
) -> tuple[list[str], int, int] | None:
    """Return the classes that have batches, the rows of a batch, and the batches of a class."""
    n_fewest = int(np.ceil(SHARE * MIN_BATCH_ROWS))
    names = [name for name, some in of_class.items() if len(some) >= n_fewest]
    if not names or len(of_class) < 2:
        return None
    n_most = min(len(of_class[name]) for name in names)
    n_batch_rows = min(MAX_BATCH_ROWS, int(n_most / SHARE))
    if len(names) * n_batch_rows > MAX_PREDICTED:
        kept = rng.choice(len(names), MAX_PREDICTED // n_batch_rows, replace=False)
        names = [names[n] for n in np.sort(kept)]
    return names, n_batch_rows, min(N_DRAWS, MAX_PREDICTED // (len(names) * n_batch_rows))


def draw_batch(
    of_class: Mapping[str, Array], name: str, n_rows: int, rng: np.random.Generator
) -> Array:
    """Draw the positions of a batch's rows, most of them of one class.

    A class with fewer rows than its part of the rest gives some of them more than once.

    Parameters
    ----------
    of_class
        Positions of the rows of each class, two classes or more.
    name
        The class that `SHARE` of the rows are of; it has so many rows.
    """
    others = [other for other in of_class if other != name]
    n_own = round(SHARE * n_rows)
    each, n_more = divmod(n_rows - n_own, len(others))
    has_more = set(rng.permutation(len(others))[:n_more].tolist())
    parts = [rng.choice(of_class[name], n_own, replace=False)]
    for number, other in enumerate(others):
        n, some = each + (number in has_more), of_class[other]
        parts.append(rng.choice(some, n, replace=n > len(some)))
    return np.concatenate(parts)


def _find_rows(rows: Rows, model: TrainedModel) -> dict[str, Array]:
    """Return the positions of the rows of each class that the model knows, in order of names."""
    y = rows.y.astype(str)
    known = sorted({str(name) for name in model.pipeline.classes_} & set(y.tolist()))
    return {name: np.flatnonzero(y == name) for name in known}


def _standardize(rows: Rows, batches: list[Array], columns: Columns) -> list[Array]:
    """Return the embeddings of each batch, standardized anew."""
    assert rows.embeddings is not None
    return [columns.standardize(rows.embeddings.take(some).read()) for some in batches]


def _predict_batches(model: TrainedModel, rows: Rows, index: Array, moved: list[Array]) -> Array:
    """Return which rows at these positions are classified correctly with other embeddings."""
    matrix = np.concatenate(moved)
    others = replace(rows.take(index), embeddings=MatrixRows(matrix, np.arange(len(index))))
    found = predict(model.pipeline, others, model.feature_blocks)
    is_right: Array = found.y_pred == found.y_true
    return is_right


def _find_interval(
    is_right: Array, y: Array, groups: Array, spec: EvaluationSpec, rng: np.random.Generator
) -> Interval | None:
    """Return the interval of the mean accuracy; the batches' means stay as they were drawn."""
    n_groups = len(np.unique(groups))
    if n_groups < MIN_GROUPS:
        return None
    group_sums = count_by_group(groups, y, (np.zeros(len(y), int), np.where(is_right, 1, -1)), 2)
    tail = (1 - spec.confidence) / 2
    (point,), bounds = bootstrap(
        group_sums, lambda sums: sums[:, 1:] / sums[:, :1], spec.resamples, rng, tail
    )
    return interval_or_count_bound(point, *bounds[:, 0], n_groups=n_groups, tail=tail)
