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
from typing import Final

import numpy as np
import numpy.typing as npt

from job.contracts.arrays import Array
from job.contracts.dataset import MatrixRows, Rows
from job.contracts.model import TrainedModel
from job.contracts.reports.intervals import Interval
from job.contracts.reports.stress import BatchScore, StatedBy, StressReport
from job.contracts.settings.evaluation import EvaluationSpec
from job.stages.evaluation.recentering import predict_recentered
from job.stages.features.quadric import measure_columns
from job.stages.metrics.confidence_bounds import MIN_GROUPS
from job.stages.metrics.group_bootstrap import GroupBootstrap
from job.stages.metrics.predictions import Predictions, predict

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _BatchPlan:
    """The classes that have batches or none, the rows of a batch, and the batches of a class."""

    names: tuple[str, ...]
    n_rows: int
    n_draws: int
    n_classes_left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _ClassBatches:
    """The drawn rows of all batches of one class, and which are classified correctly.

    Attributes
    ----------
    index
        Positions of the rows, shape (n_drawn,).
    is_right, is_right_recentered
        After the batches were standardized anew, and after the consumer recentered them (None
        unless rows are restored); shape (n_drawn,).
    """

    index: Array
    is_right: Array
    is_right_recentered: Array | None


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
    plan = _plan_batches(class_rows, rng)
    if plan is None:
        return None
    batches = []
    for name in plan.names:
        drawn = [draw_batch(class_rows, name, plan.n_rows, rng) for _ in range(plan.n_draws)]
        batches.append(_predict_class(model, rows, columns, drawn, is_restored=is_restored))
    predictions = predict(model.pipeline, rows, model.feature_blocks)
    return _score_batches(
        plan, batches, predictions, rows.groups, stated_by=stated_by, spec=spec, rng=rng
    )


def _score_batches(
    plan: _BatchPlan,
    batches: list[_ClassBatches],
    predictions: Predictions,
    groups: Array,
    *,
    stated_by: StatedBy,
    spec: EvaluationSpec,
    rng: np.random.Generator,
) -> StressReport:
    """Return the accuracy by class and its interval; predictions are those of the rows as given."""
    index = np.concatenate([of_class.index for of_class in batches])
    bootstrap = GroupBootstrap.of(groups[index], predictions.y_true[index], spec, rng)
    return StressReport(
        stated_by=stated_by,
        share=SHARE,
        n_batch_rows=plan.n_rows,
        n_draws=plan.n_draws,
        n_rows=len(groups),
        n_groups=len(np.unique(groups)),
        n_classes_left_out=plan.n_classes_left_out,
        classes=tuple(
            _score_class(name, of_class, predictions)
            for name, of_class in zip(plan.names, batches, strict=True)
        ),
        interval=_compute_interval(batches, bootstrap),
        level=spec.confidence,
    )


def _compute_interval(batches: list[_ClassBatches], bootstrap: GroupBootstrap) -> Interval | None:
    """Compute the interval of the mean accuracy; batches are not drawn again for resamples."""
    if bootstrap.n_groups < MIN_GROUPS:
        return None
    return bootstrap.share_interval(np.concatenate([of_class.is_right for of_class in batches]))


def _plan_batches(class_rows: Mapping[str, Array], rng: np.random.Generator) -> _BatchPlan | None:
    """Return the batches to draw; None if no class has enough rows, or if it is the only one."""
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
    return _BatchPlan(
        names=tuple(names),
        n_rows=n_rows,
        n_draws=n_draws,
        n_classes_left_out=len(class_rows) - len(names),
    )


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


def _predict_class(
    model: TrainedModel, rows: Rows, columns: Columns, batches: list[Array], *, is_restored: bool
) -> _ClassBatches:
    """Standardize batches of these rows anew, and predict them."""
    assert rows.embeddings is not None
    index = np.concatenate(batches)
    standardized = [columns.standardize(rows.embeddings.take(batch).read()) for batch in batches]
    matrix = MatrixRows(np.concatenate(standardized), np.arange(len(index)))
    batch_rows = replace(rows.take(index), embeddings=matrix)
    predictions = predict(model.pipeline, batch_rows, model.feature_blocks)
    is_right_recentered = None
    if is_restored:
        is_right_recentered = predict_recentered(model, standardized) == rows.y[index]
    return _ClassBatches(
        index=index,
        is_right=predictions.y_pred == predictions.y_true,
        is_right_recentered=is_right_recentered,
    )


def _score_class(name: str, batches: _ClassBatches, as_given: Predictions) -> BatchScore:
    """Return the accuracies of the batches of one class, also with the embeddings as given."""
    is_right_as_given = (as_given.y_pred == as_given.y_true)[batches.index]
    recentered = batches.is_right_recentered
    return BatchScore(
        name=name,
        accuracy=float(batches.is_right.mean()),
        accuracy_as_given=float(is_right_as_given.mean()),
        accuracy_recentered=None if recentered is None else float(recentered.mean()),
    )
