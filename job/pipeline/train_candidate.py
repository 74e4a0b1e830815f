"""One candidate: searched, trained and evaluated.

How it works
------------
1. Estimate the memory, and restore the geometry of the embeddings if the table determines it.
2. Search the candidates by cross-validation; the challenge set may choose among them instead.
3. Learn the temperature out of fold, refit on the training rows, and evaluate.
4. Learn the decision threshold out of fold, or on the challenge set, if there is one.
5. Measure what else is reported, such as wording and label noise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from job.contracts.dataset import Rows
from job.contracts.messages import pluralize
from job.contracts.model import TrainedModel
from job.contracts.plan import Plan
from job.contracts.reports.label_noise import LabelNoise
from job.contracts.reports.search import SearchReport
from job.contracts.settings.job_settings import TrainingSpec
from job.contracts.version_files import MODEL_FILE
from job.pipeline.batches import evaluate_batches, may_be_restandardized
from job.pipeline.challenge import choose_candidate, evaluate_on_challenge
from job.pipeline.evaluation import (
    calibrate,
    evaluate_candidate,
    needs_out_of_fold,
    predict_all_rows,
    predict_test_rows,
)
from job.pipeline.out_of_scope import evaluate_out_of_scope
from job.pipeline.run_context import RunContext
from job.stages.evaluation.label_noise import estimate_label_noise
from job.stages.evaluation.method import choose_method, may_cross_fit
from job.stages.evaluation.wording import measure_templates, measure_wording
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.features.geometry import describe_geometry, detect_geometry, keep_lengths
from job.stages.features.preprocessing import select_blocks
from job.stages.gate.group_errors import GroupErrors, count_group_errors
from job.stages.gate.power import measure_equal_error
from job.stages.split.split import DataSplit
from job.stages.training.compatibility import make_compatible
from job.stages.training.cross_fit import CrossFit, plan_folds
from job.stages.training.memory_estimate import estimate_training_bytes
from job.stages.training.memory_limit import require_memory
from job.stages.training.out_of_fold import predict_out_of_fold
from job.stages.training.refit import train_model
from job.stages.training.search import search
from job.stages.training.search.preference import resolve_preference
from job.stages.training.temperature_scaling import scale_coefficients

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedCandidate:
    """A trained model and its evaluation, the input of gate and package.

    `models` are the model files of the version by name.
    `group_errors` are those of a cross-fitted evaluation, for comparison with later runs;
    `equal_error` is the metric and the standard error of its difference between two equal
    retrainings, if known.
    """

    split: DataSplit
    search: SearchReport
    model: TrainedModel
    models: Mapping[str, bytes]
    compatible_with: tuple[str, ...]
    evaluation: Mapping[str, Any]
    label_noise: LabelNoise | None
    group_errors: GroupErrors | None
    equal_error: tuple[str, float] | None

    @property
    def payload(self) -> bytes:
        """The bytes of `model.joblib`, by which versions are compared and measured."""
        return self.models[MODEL_FILE]


def train_candidate(
    context: RunContext, split: DataSplit, out_of_scope: Rows | None
) -> TrainedCandidate:
    """Search, train and evaluate; raise `ConfigurationError` if memory is too small.

    Parameters
    ----------
    out_of_scope
        Requests that belong to no class; None without such a set.
    """
    plan, ports = context.plan, context.ports
    s, executor = plan.settings, ports.executor
    is_templated = measure_templates(split.table).is_templated
    # an upper bound for the memory: only the geometry decides whether prototypes are tried
    spec = resolve_preference(s.training, is_templated=is_templated, geometry="restored")
    folds = None
    if may_cross_fit(split, s.evaluation):
        folds = plan_folds(split.kept, s.evaluation.cross_fit_folds, s.split.salt)
    method = choose_method(split, s.evaluation, None if folds is None else len(folds.folds))
    train, is_crossed = split.train, method == "cross_fit"
    _require_memory(context, spec, split.kept if is_crossed else train)
    with context.stage("geometry"):
        geometry = detect_geometry(train, spec.features, s.random_state, executor)
    spec = resolve_preference(
        s.training,
        is_templated=is_templated,
        geometry=None if geometry is None else geometry.status,
    )
    if geometry is not None and spec.search.prefer == "wording":
        geometry = keep_lengths(geometry)
    with context.stage("search"):
        feature_matrices = FeatureMatrices(
            train,
            spec.features,
            spec.columns,
            ports.matrices,
            executor,
            geometry=geometry,
        )
    with context.stage("search"):
        report = search(train, feature_matrices, spec, executor, ports.timer)
    report = choose_candidate(
        context, spec, split=split, report=report, feature_matrices=feature_matrices
    )
    cross = oof_predictions = None
    if is_crossed and folds is not None:
        with context.stage("cross_fit"):
            cross = predict_all_rows(spec, ports, split, report, folds, geometry=geometry)
        oof_predictions = cross.chosen.take(split.train_index)
    elif needs_out_of_fold(plan, report.chosen):
        with context.stage("out_of_fold"):
            oof_predictions = predict_out_of_fold(
                train,
                feature_matrices,
                report.chosen,
                spec=spec,
                executor=executor,
            )
    temperature, threshold = calibrate(
        plan, split, report.chosen, oof_predictions, cross, is_templated=is_templated
    )
    ports.memory.release()  # that of the search, before the whole table is prepared
    refit_report = report.copy_with(baselines=()) if is_crossed else report
    with context.stage("train"):
        model = train_model(
            train,
            feature_matrices,
            refit_report,
            spec,
            executor,
            handles_restandardized_batches=may_be_restandardized(s, plan.suite, geometry),
        )
    if temperature is not None:
        scale_coefficients(model.pipeline, temperature)
    log.info("model_trained", estimator=model.estimator, n_samples=len(train))
    compatible_with = make_compatible(model.pipeline, s.package.compatible_with)
    with context.stage("evaluate"):
        evaluated = predict_test_rows(plan, split, model, cross, temperature)
    with context.stage("evaluate"):
        evaluation = evaluate_candidate(
            plan,
            ports,
            split,
            report,
            model,
            evaluated,
            method=method,
            cross=cross,
            threshold=threshold,
            temperature=temperature,
        )
    log.info("model_evaluated", method=method, **evaluation["scores"])
    evaluation["challenge"] = None
    if split.challenge is not None:
        with context.stage("challenge"):
            evaluation |= evaluate_on_challenge(plan, split.challenge, model, split.table.y)
    with context.stage("out_of_scope"):
        evaluation["out_of_scope"] = evaluate_out_of_scope(
            plan, split, model, evaluation, out_of_scope
        )
    with context.stage("wording"):
        wording = measure_wording(
            select_blocks(split.table, model.feature_blocks, spec.columns),
            evaluated.rows,
            evaluated.parts,
            predictions=evaluated.predictions,
            spec=s.evaluation,
            random_state=s.random_state,
        )
    evaluation["wording"] = wording.to_json()
    evaluation["geometry"] = describe_geometry(geometry, model.feature_blocks)
    with context.stage("stress"):
        evaluation |= evaluate_batches(plan, split, model, evaluation, executor)
    noise = None
    if s.evaluation.label_noise:
        with context.stage("labels"):
            noise = estimate_label_noise(
                train,
                feature_matrices,
                report,
                spec=spec,
                evaluation=s.evaluation,
                executor=executor,
                oof_predictions=oof_predictions,
            )
        evaluation["label_noise"] = noise.to_json()
        log.info("labels_judged", n_rows=noise.n_rows, wrong_share=round(noise.share.value, 6))
    return TrainedCandidate(
        split=split,
        search=report,
        model=model,
        models=ports.encode_model(model.pipeline),
        compatible_with=compatible_with,
        evaluation=evaluation,
        label_noise=noise,
        group_errors=None if cross is None else count_group_errors(cross.nested, split.kept),
        equal_error=None if cross is None else _measure_equal_error(plan, split, report, cross),
    )


def _require_memory(context: RunContext, spec: TrainingSpec, rows: Rows) -> None:
    """Raise `ConfigurationError` if a training on these rows needs more memory than the limit."""
    ports = context.ports
    n_workers = ports.executor.n_workers
    n_training_bytes = estimate_training_bytes(rows, spec, n_workers, ports.matrices)
    ports.memory.release()
    n_bytes = ports.memory.used_bytes() + n_training_bytes
    context.recorder.facts.estimated_memory_bytes = n_bytes
    workers = pluralize(n_workers, "worker")
    require_memory(n_bytes, ports.memory, f"to train on {len(rows)} rows with {workers}")


def _measure_equal_error(
    plan: Plan, split: DataSplit, report: SearchReport, cross: CrossFit
) -> tuple[str, float] | None:
    """Return the metric and the standard error of its difference between two equal retrainings."""
    if report.labels is None:
        return None
    standard_error = measure_equal_error(
        report.labels,
        report.candidates.index(report.chosen),
        cross.chosen.y_pred[split.train_index],
        split.train.groups,
        plan.settings.paired,
    )
    return None if standard_error is None else (report.metric, standard_error)
