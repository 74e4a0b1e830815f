"""Decide how the candidates of a table are trained and evaluated, before anything is fitted.

How it works
------------
1. With `evaluation.method: auto`, the number of groups decides between cross-fitting and a
   hold-out.
2. The memory of the most expensive candidate is estimated and compared with the limit.
3. The geometry of the embeddings is detected: whether all rows had length 1 before the columns were
   scaled.  If so, models can map the rows back to length 1.
4. The geometry, and whether most texts come from sentence templates, decide what
   `search.prefer=auto` means.
"""

from __future__ import annotations

from dataclasses import dataclass

from job.contracts.dataset import Rows
from job.contracts.messages import pluralize
from job.contracts.reports.evaluation import Method
from job.contracts.reports.geometry import Geometry
from job.contracts.settings.job_settings import TrainingSpec
from job.pipeline.run_context import RunContext
from job.stages.evaluation.method import choose_method, may_cross_fit
from job.stages.evaluation.wording import measure_templates
from job.stages.features.geometry import detect_geometry, keep_lengths
from job.stages.split.split import DataSplit
from job.stages.training.cross_fit import FoldPlan, plan_folds
from job.stages.training.memory_estimate import estimate_training_bytes
from job.stages.training.memory_limit import require_memory
from job.stages.training.search.preference import resolve_preference


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSetup:
    """How the candidates of a table are trained and evaluated.

    Attributes
    ----------
    folds
        Folds of all rows; None unless `method` is `cross_fit`.
    geometry
        Geometry of the training rows; None if it was not examined.
    is_templated
        Whether most rows of the table come from sentence templates.
    """

    spec: TrainingSpec
    method: Method
    folds: FoldPlan | None
    geometry: Geometry | None
    is_templated: bool


def set_up_training(context: RunContext, split: DataSplit) -> TrainingSetup:
    """Decide how to train and evaluate; raise `ConfigurationError` if memory is too small."""
    s = context.settings
    is_templated = measure_templates(split.table).is_templated
    # an upper bound of the memory: only the geometry decides whether prototypes are searched
    spec = resolve_preference(s.training, is_templated=is_templated, geometry="restored")
    folds = None
    if may_cross_fit(split, s.evaluation):
        folds = plan_folds(split.kept, s.evaluation.cross_fit_folds, s.split.salt)
    method = choose_method(split, s.evaluation, None if folds is None else len(folds.folds))
    is_crossed = method == "cross_fit"
    _require_memory(context, spec, split.kept if is_crossed else split.train)
    with context.stage("geometry"):
        geometry = detect_geometry(
            split.train, spec.features, s.random_state, context.ports.executor
        )
    status = None if geometry is None else geometry.status
    spec = resolve_preference(s.training, is_templated=is_templated, geometry=status)
    if geometry is not None and spec.search.prefer == "wording":
        geometry = keep_lengths(geometry)
    return TrainingSetup(
        spec=spec,
        method=method,
        folds=folds if is_crossed else None,
        geometry=geometry,
        is_templated=is_templated,
    )


def _require_memory(context: RunContext, spec: TrainingSpec, rows: Rows) -> None:
    """Raise `ConfigurationError` if training on these rows needs more memory than allowed."""
    ports = context.ports
    n_workers = ports.executor.n_workers
    n_training_bytes = estimate_training_bytes(rows, spec, n_workers, ports.matrices)
    ports.memory.release()
    n_bytes = ports.memory.used_bytes() + n_training_bytes
    context.recorder.facts.estimated_memory_bytes = n_bytes
    workers = pluralize(n_workers, "worker")
    require_memory(n_bytes, ports.memory, f"to train on {len(rows)} rows with {workers}")
