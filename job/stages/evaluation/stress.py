"""Measure a model on batches that have another class mix and were standardized on their own rows.

An upstream that fits its scalers to each batch computes different embeddings for the same text on
different days.

How it works
------------
1. Batches are drawn from rows that the model was not trained on.  85% of the rows are of one
   class, and the others share the rest evenly.  Ten batches are drawn for each class.
2. Each column of the batch is scaled to the mean and standard deviation that the column has in the
   table.  This is what restandardizing does if the table's own columns were standardized.
3. The model predicts the batch.  Its accuracy is compared with the accuracy on the original rows.
4. If the model restores embeddings to length 1, a consumer can recenter the batch before it is
   predicted (`job.stages.evaluation.recentering`).  The accuracy after recentering is measured,
   too.

The work is bounded: at most 100,000 rows of restandardized batches are predicted.  If there are
many classes, fewer batches are drawn per class.  If that is not enough, a seeded sample of the
classes is used.  Recentering a batch of 384 columns takes about 20 ms.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from job.contracts.arrays import Array
from job.contracts.dataset import Rows
from job.contracts.matrix_rows import MatrixRows
from job.contracts.model import TrainedModel
from job.contracts.reports.intervals import Interval
from job.contracts.reports.stress import BatchScore, StatedBy, StressReport
from job.contracts.settings.evaluation import EvaluationSpec
from job.stages.evaluation.recentering import predict_recentered
from job.stages.evaluation.stress_batches import SHARE, BatchPlan, Columns, draw_batch, plan_batches
from job.stages.metrics.confidence_bounds import MIN_GROUPS
from job.stages.metrics.group_bootstrap import GroupBootstrap
from job.stages.metrics.predictions import Predictions, predict


@dataclass(frozen=True, slots=True, kw_only=True)
class _ClassBatches:
    """The rows of the batches that one class dominates, and whether each is predicted correctly.

    Attributes
    ----------
    index
        Positions of the rows, shape (n_drawn,).
    is_right, is_right_recentered
        Whether the model predicts each row correctly in the restandardized batch, and after the
        batch is recentered; shape (n_drawn,).  `is_right_recentered` is None if the model does not
        restore rows to length 1.
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
    """Draw batches from `rows`, restandardize them, and measure the model's accuracy on them.

    Parameters
    ----------
    rows
        Rows that the model was not trained on.  They have the model's feature blocks, which include
        embeddings.
    columns
        Means and standard deviations of the table's embedding columns.
    is_restored
        Whether the model takes only embeddings, and maps them back to rows of length 1.

    Returns
    -------
    report
        None if no class has enough rows for a batch of 50, or if there are fewer than two classes.
    """
    rng = np.random.default_rng(random_state)
    class_rows = _find_class_rows(rows, model)
    plan = plan_batches(class_rows, rng)
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
    plan: BatchPlan,
    batches: list[_ClassBatches],
    predictions: Predictions,
    groups: Array,
    *,
    stated_by: StatedBy,
    spec: EvaluationSpec,
    rng: np.random.Generator,
) -> StressReport:
    """Compute the accuracies of each class's batches, and the interval of the mean accuracy.

    `predictions` are the predictions of the original rows, for comparison.
    """
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
    """Compute the interval of the batches' mean accuracy, by a bootstrap over groups.

    The batches are drawn once and not redrawn for each resample.  The result is None if there are
    too few groups.
    """
    if bootstrap.n_groups < MIN_GROUPS:
        return None
    return bootstrap.share_interval(np.concatenate([of_class.is_right for of_class in batches]))


def _find_class_rows(rows: Rows, model: TrainedModel) -> dict[str, Array]:
    """Return, for each class of the model, the positions of its rows; sorted by class name."""
    y = rows.y.astype(str)
    known = sorted({str(name) for name in model.pipeline.classes_} & set(y.tolist()))
    return {name: np.flatnonzero(y == name) for name in known}


def _predict_class(
    model: TrainedModel, rows: Rows, columns: Columns, batches: list[Array], *, is_restored: bool
) -> _ClassBatches:
    """Restandardize the batches of one class, and predict them.

    `batches` has, for each batch, the positions of its rows in `rows`.
    """
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
    """Return the accuracies on the batches that one class dominates.

    The accuracies are those on restandardized, recentered and original values of the same rows.
    """
    is_right_as_given = (as_given.y_pred == as_given.y_true)[batches.index]
    recentered = batches.is_right_recentered
    return BatchScore(
        name=name,
        accuracy=float(batches.is_right.mean()),
        accuracy_as_given=float(is_right_as_given.mean()),
        accuracy_recentered=None if recentered is None else float(recentered.mean()),
    )
