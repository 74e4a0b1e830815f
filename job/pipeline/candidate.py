"""One candidate: split off, searched, trained and measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog

from job.contracts.abstention import Threshold
from job.contracts.dataset import Rows
from job.contracts.label_noise import LabelNoise
from job.contracts.lists import counted
from job.contracts.plan import Plan
from job.contracts.ports import Ports
from job.contracts.reports import CandidateScore, SearchReport
from job.pipeline.intake import Tables, find_near_duplicates
from job.recorder import Recorder
from job.stages.capacity import require_memory
from job.stages.compatibility import make_compatible
from job.stages.evaluate import evaluate
from job.stages.evaluation.cross_fitted import evaluate_cross_fit, heated
from job.stages.evaluation.method import Method, choose_method
from job.stages.features import restrict
from job.stages.footprint import estimate_training_bytes
from job.stages.label_noise import estimate_label_noise
from job.stages.optimism import measure_optimism
from job.stages.out_of_fold import predict_out_of_fold
from job.stages.predictions import Predictions
from job.stages.preparation import Preparation
from job.stages.search import search
from job.stages.split import DataSplit, split_dataset
from job.stages.temperature import divide, find_temperature, heat
from job.stages.threshold import choose_threshold
from job.stages.train import TrainedModel, train_model
from job.stages.training.cross_fit import CrossFit, count_folds, cross_fit

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A trained model, as the gate and the package see it."""

    split: DataSplit
    search: SearchReport
    model: TrainedModel
    payload: bytes
    compatible_with: tuple[str, ...]
    evaluation: Mapping[str, Any]
    label_noise: LabelNoise | None
    cross_fit: CrossFit | None


def split_tables(plan: Plan, ports: Ports, tables: Tables) -> DataSplit:
    """Hold rows out, or take the official test table's, near-duplicates looked for."""
    s = plan.settings
    tables, kind = find_near_duplicates(plan, ports, tables)
    split = split_dataset(
        tables.rows,
        tables.official_test,
        s.split,
        has_groups=s.dataset.columns.group is not None,
        labels=plan.labels,
        min_groups=s.features.min_groups,
        folds=s.search.folds,
        random_state=s.random_state,
        near_duplicates=kind,
    )
    optimism = measure_optimism(split.table, s.training, ports.matrices, ports.executor)
    split = replace(split, report=replace(split.report, optimism=optimism))
    log.info(
        "dataset_split",
        n_train=split.report.n_train,
        n_test=split.report.n_test,
        n_dropped_leaking=split.report.n_dropped_leaking,
        n_near_duplicates=split.report.families.n_near_duplicates,
    )
    return split


def train_candidate(plan: Plan, ports: Ports, recorder: Recorder, split: DataSplit) -> Candidate:
    """Search, train and evaluate, if the memory holds it."""
    s, spec, executor = plan.settings, plan.settings.training, ports.executor
    n_folds = count_folds(split.kept, s.evaluation.cross_fit_folds)
    method = choose_method(split, s.evaluation, n_folds)
    train, is_crossed = split.train, method == "cross_fit"
    _require_memory(plan, ports, recorder, split.kept if is_crossed else train)
    preparation = recorder.run(
        "search", Preparation, train, spec.features, spec.columns, ports.matrices, executor
    )
    report = recorder.run("search", search, train, preparation, spec, executor, ports.timer)
    cross = told = None
    if is_crossed:
        cross = recorder.run("cross_fit", _cross_fit, plan, ports, split, report, n_folds)
        told = cross.chosen.take(split.train_index)
    elif needs_out_of_fold(plan, report.chosen):
        told = recorder.run(
            "out_of_fold",
            predict_out_of_fold,
            train,
            preparation,
            report.chosen,
            spec=spec,
            executor=executor,
        )
    temperature, threshold = learn_confidence(plan, split, report.chosen, told, cross)
    ports.memory.release()  # the search's, before the whole table is prepared
    asked = replace(report, baselines=()) if is_crossed else report
    model = recorder.run("train", train_model, train, preparation, asked, spec, executor)
    if temperature is not None:
        divide(model.pipeline[-1], temperature)
    log.info("model_trained", estimator=model.estimator, n_samples=len(train))
    compatible_with = make_compatible(model.pipeline, s.package.compatible_with)
    evaluation = recorder.run(
        "evaluate",
        _evaluate,
        plan,
        ports,
        split,
        report,
        model,
        method=method,
        cross=cross,
        threshold=threshold,
        temperature=temperature,
    )
    log.info("model_evaluated", method=method, **evaluation["scores"])
    noise = None
    if s.evaluation.label_noise:
        noise = recorder.run(
            "labels",
            estimate_label_noise,
            train,
            preparation,
            report,
            spec=spec,
            evaluation=s.evaluation,
            executor=executor,
            told=_judge_of_labels(report, split, cross, told),
        )
        evaluation["label_noise"] = noise.to_json()
        log.info("labels_judged", n_rows=noise.n_rows, wrong_share=round(noise.share.value, 6))
    return Candidate(
        split=split,
        search=report,
        model=model,
        payload=ports.codec.encode(model.pipeline),
        compatible_with=compatible_with,
        evaluation=evaluation,
        label_noise=noise,
        cross_fit=cross,
    )


def _require_memory(plan: Plan, ports: Ports, recorder: Recorder, rows: Rows) -> None:
    """Raise `ConfigurationError` where the memory cannot hold a training on these rows."""
    n_workers = ports.executor.n_workers
    n_more = estimate_training_bytes(rows, plan.settings.training, n_workers, ports.matrices)
    ports.memory.release()
    n_bytes = ports.memory.used_bytes() + n_more
    recorder.facts["estimated_memory_bytes"] = n_bytes
    work = f"to train on {len(rows)} rows with {counted(n_workers, 'worker')}"
    require_memory(n_bytes, ports.memory, work)


def _cross_fit(
    plan: Plan, ports: Ports, split: DataSplit, report: SearchReport, n_folds: int
) -> CrossFit:
    """Predict all rows that were kept, each by models that have not seen its group."""
    spec, rows, executor = plan.settings.training, split.kept, ports.executor
    preparation = Preparation(rows, spec.features, spec.columns, ports.matrices, executor)
    return cross_fit(
        rows,
        split.train_index,
        preparation,
        report,
        spec=spec,
        executor=executor,
        n_folds=n_folds,
        salt=plan.settings.split.salt,
    )


def _evaluate(
    plan: Plan,
    ports: Ports,
    split: DataSplit,
    report: SearchReport,
    model: TrainedModel,
    *,
    method: Method,
    cross: CrossFit | None,
    threshold: Threshold | None,
    temperature: float | None,
) -> dict[str, Any]:
    """Judge the recipe on all rows, or the model on those that it was not trained on."""
    s, columns = plan.settings, plan.settings.dataset.columns
    test = restrict(split.test, model.use, columns)
    if cross is None:
        assert method != "cross_fit"  # it is cross-fitted
        return evaluate(
            model,
            test,
            ports.timer,
            spec=s.evaluation,
            metric=s.search.metric,
            random_state=s.random_state,
            threshold=threshold,
            temperature=temperature,
            method=method,
        )
    return evaluate_cross_fit(
        cross,
        split.kept,
        model,
        test,
        ports.timer,
        chosen=report.chosen,
        spec=s.evaluation,
        decision=s.decision,
        metric=s.search.metric,
        random_state=s.random_state,
        threshold=threshold,
        temperature=temperature,
    )


def _judge_of_labels(
    report: SearchReport, split: DataSplit, cross: CrossFit | None, told: Predictions | None
) -> Predictions | None:
    """Return what is known out of fold of the model that judges the labels; None: nothing."""
    judge = next(c for c in report.baselines if c.estimator == "logistic_regression")
    if judge == report.chosen:
        return told
    if cross is None:
        return None
    return dict(cross.baselines)[judge.estimator].take(split.train_index)


def needs_out_of_fold(plan: Plan, chosen: CandidateScore) -> bool:
    """Return whether anything is learnt from out-of-fold predictions of the chosen candidate."""
    return _is_divided(plan, chosen) or plan.settings.decision.target_precision is not None


def _is_divided(plan: Plan, chosen: CandidateScore) -> bool:
    return plan.settings.search.temperature and chosen.estimator == "logistic_regression"


def learn_confidence(
    plan: Plan,
    split: DataSplit,
    chosen: CandidateScore,
    told: Predictions | None,
    cross: CrossFit | None,
) -> tuple[float | None, Threshold | None]:
    """Learn temperature and threshold from predictions of rows that their models had not seen.

    The temperature is learnt on the training rows; the threshold on all rows where these are
    cross-fitted.

    Returns
    -------
    temperature, threshold
        The first is None where nothing is to be divided, the second where no target is set.
    """
    if told is None:
        return None, None
    s, temperature, threshold = plan.settings, None, None
    if _is_divided(plan, chosen):
        temperature = find_temperature(told)
        told = heat(told, temperature)
    groups = split.train.units
    if cross is not None:
        told, groups = heated(cross.chosen, cross, temperature), split.kept.units
    if s.decision.target_precision is not None:
        threshold = choose_threshold(told, groups, s.decision, s.evaluation)
    log.info(
        "confidence_learnt",
        temperature=temperature,
        threshold=None if threshold is None else threshold.value,
        status=None if threshold is None else threshold.status,
        n_rows=len(groups),
    )
    return temperature, threshold
