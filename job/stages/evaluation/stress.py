"""Measure a model on batches of another class mix whose embeddings are standardized anew.

An upstream that fits its scalers to each batch computes other embeddings of the same text on
another day.

How it works
------------
1. Batches are drawn from rows that the model was not trained on: 85 % of the rows are of one class,
   the others share the rest evenly. Ten batches are drawn for each class.
2. Each column of the batch is scaled to the mean and standard deviation that it has in the table.
   Standardizing anew has this effect if the table's own columns were standardized.
3. The model predicts the batch. Its accuracy is compared with that on the same rows as given.
4. If the model restores embeddings to length 1, a consumer can recenter the batch first
   (`job.stages.evaluation.recentering`); the accuracy after recentering is measured as well.

The work is bounded: at most 100,000 rows of standardized batches are predicted. With many classes
there are fewer draws, and beyond that a seeded sample of the classes. Recentering a batch of 384
columns takes about 20 ms.
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

        A column that is constant in the batch becomes the mean of the table.
        """
        rows = batch.astype(float)
        deviation = rows.std(axis=0)
        varies = deviation > _CONSTANT * np.abs(rows).max(axis=0)
        rows = (rows - rows.mean(axis=0)) / np.where(varies, deviation, 1.0)
        scaled: npt.NDArray[np.float32] = (rows * self.deviation + self.mean).astype(np.float32)
        return scaled


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
        Rows that the model was not trained on, with its feature blocks, which include embeddings.
    columns
        Columns of the table's embeddings.
    is_restored
        Whether the model restores embeddings, and takes nothing else.

    Returns
    -------
    report
        None if no class has enough rows for a batch of 50, or if there are fewer than two classes.
    """
    rng = np.random.default_rng(random_state)
    class_rows = _find_class_rows(rows, model)
    sizes = _choose_sizes(class_rows, rng)
    if sizes is None:
        return None
    names, n_batch_rows, n_draws = sizes
    predictions = predict(model.pipeline, rows, model.feature_blocks)
    is_right_as_given = predictions.y_pred == predictions.y_true
    drawn_index, is_right, scores = [], [], []
    for name in names:
        batches = [draw_batch(class_rows, name, n_batch_rows, rng) for _ in range(n_draws)]
        index, standardized = np.concatenate(batches), _standardize(rows, batches, columns)
        is_right_standardized = _predict_batches(model, rows, index, standardized)
        accuracy_recentered = None
        if is_restored:
            labels = predict_recentered(model, standardized)
            accuracy_recentered = float((labels == rows.y[index]).mean())
        score = BatchScore(
            name=name,
            accuracy=float(is_right_standardized.mean()),
            accuracy_as_given=float(is_right_as_given[index].mean()),
            accuracy_recentered=accuracy_recentered,
        )
        drawn_index.append(index)
        is_right.append(is_right_standardized)
        scores.append(score)
    index = np.concatenate(drawn_index)
    return StressReport(
        stated_by=stated_by,
        share=SHARE,
        n_batch_rows=n_batch_rows,
        n_draws=n_draws,
        n_rows=len(rows),
        n_groups=len(np.unique(rows.groups)),
        n_classes_left_out=len(class_rows) - len(names),
        classes=tuple(scores),
        interval=_compute_interval(
            np.concatenate(is_right), predictions.y_true[index], rows.groups[index], spec, rng
        ),
        level=spec.confidence,
    )


def _choose_sizes(
    class_rows: Mapping[str, Array], rng: np.random.Generator
) -> tuple[list[str], int, int] | None:
    """Return the classes that have batches, the rows of a batch, and the batches of a class."""
    min_class_rows = int(np.ceil(SHARE * MIN_BATCH_ROWS))
    names = [name for name, index in class_rows.items() if len(index) >= min_class_rows]
    if not names or len(class_rows) < 2:
        return None
    n_smallest = min(len(class_rows[name]) for name in names)
    n_batch_rows = min(MAX_BATCH_ROWS, int(n_smallest / SHARE))
    if len(names) * n_batch_rows > MAX_PREDICTED:
        sample = rng.choice(len(names), MAX_PREDICTED // n_batch_rows, replace=False)
        names = [names[n] for n in np.sort(sample)]
    return names, n_batch_rows, min(N_DRAWS, MAX_PREDICTED // (len(names) * n_batch_rows))


def draw_batch(
    class_rows: Mapping[str, Array], name: str, n_rows: int, rng: np.random.Generator
) -> Array:
    """Draw the positions of a batch's rows, most of them of one class.

    The rows of another class are drawn with replacement if it has too few of them.

    Parameters
    ----------
    class_rows
        Positions of the rows of each class, at least two classes.
    name
        Class of `SHARE` of the batch's rows; it must have that many rows.
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


def _find_class_rows(rows: Rows, model: TrainedModel) -> dict[str, Array]:
    """Return the positions of the rows of each class that the model knows, sorted by name."""
    y = rows.y.astype(str)
    known = sorted({str(name) for name in model.pipeline.classes_} & set(y.tolist()))
    return {name: np.flatnonzero(y == name) for name in known}


def _standardize(rows: Rows, batches: list[Array], columns: Columns) -> list[Array]:
    """Return the embeddings of each batch, standardized anew."""
    assert rows.embeddings is not None
    return [columns.standardize(rows.embeddings.take(index).read()) for index in batches]


def _predict_batches(
    model: TrainedModel, rows: Rows, index: Array, embeddings: list[Array]
) -> Array:
    """Return which rows at these positions are classified correctly with these embeddings."""
    matrix = MatrixRows(np.concatenate(embeddings), np.arange(len(index)))
    batch_rows = replace(rows.take(index), embeddings=matrix)
    predictions = predict(model.pipeline, batch_rows, model.feature_blocks)
    is_right: Array = predictions.y_pred == predictions.y_true
    return is_right


def _compute_interval(
    is_right: Array, y: Array, groups: Array, spec: EvaluationSpec, rng: np.random.Generator
) -> Interval | None:
    """Compute the interval of the mean accuracy; batches are not drawn again for resamples."""
    n_groups = len(np.unique(groups))
    if n_groups < MIN_GROUPS:
        return None
    counted = (np.zeros(len(y), int), np.where(is_right, 1, -1))
    group_sums = count_by_group(groups, y, counted, 2)
    alpha = (1 - spec.confidence) / 2
    (point,), bounds = bootstrap(
        group_sums, lambda sums: sums[:, 1:] / sums[:, :1], spec.resamples, rng, alpha
    )
    return interval_or_count_bound(point, *bounds[:, 0], n_groups=n_groups, alpha=alpha)
