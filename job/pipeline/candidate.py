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
    log.info(
        "dataset_split",
        n_train=split.report.n_train,
        n_test=split.report.n_test,
        n_dropped_leaking=split.report.n_dropped_leaking,
        n_near_duplicates=split.report.families.n_near_duplicates,
    )
    return split


def add_optimism(plan: Plan, ports: Ports, split: DataSplit) -> DataSplit:
    """Return the split with what a random one would have claimed in its report."""
    spec = plan.settings.training
    optimism = measure_optimism(split.table, spec, ports.matrices, ports.executor)
    return replace(split, report=replace(split.report, optimism=optimism))


def train_candidate(plan: Plan, ports: Ports, recorder: Recorder, split: DataSplit) -> Candidate:
    """Search, train and evaluate, if the memory holds it."""
    spec = plan.settings.training
    n_workers = ports.executor.n_workers
    n_more = estimate_training_bytes(split.train, spec, n_workers, ports.matrices)
    ports.memory.release()
    n_bytes = ports.memory.used_bytes() + n_more
    recorder.facts["estimated_memory_bytes"] = n_bytes
    require_memory(
        n_bytes,
        ports.memory,
        f"to train on {len(split.train)} rows with {counted(n_workers, 'worker')}",
    )
    train = split.train
    executor = ports.executor
    preparation = recorder.run(
        "search", Preparation, train, spec.features, spec.columns, ports.matrices, executor
    )
    report = recorder.run("search", search, train, preparation, spec, executor, ports.timer)
    told = None
    if needs_out_of_fold(plan, report.chosen):
        told = recorder.run(
            "out_of_fold",
            predict_out_of_fold,
            train,
            preparation,
            report.chosen,
            spec=spec,
            executor=executor,
        )
    temperature, threshold = learn_confidence(plan, train, report.chosen, told)
    ports.memory.release()  # the search's, before the whole table is prepared
    model = recorder.run("train", train_model, train, preparation, report, spec, executor)
    if temperature is not None:
        divide(model.pipeline[-1], temperature)
    log.info("model_trained", estimator=model.estimator, n_samples=len(split.train))
    compatible_with = make_compatible(model.pipeline, plan.settings.package.compatible_with)
    test = restrict(split.test, model.use, spec.columns)
    evaluation = recorder.run(
        "evaluate",
        evaluate,
        model,
        test,
        ports.timer,
        spec=plan.settings.evaluation,
        metric=plan.settings.search.metric,
        random_state=plan.settings.random_state,
        threshold=threshold,
        temperature=temperature,
    )
    log.info("model_evaluated", **evaluation["scores"])
    noise = None
    if plan.settings.evaluation.label_noise:
        noise = recorder.run(
            "labels",
            estimate_label_noise,
            train,
            preparation,
            report,
            spec=spec,
            evaluation=plan.settings.evaluation,
            executor=executor,
            told=told,
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
    )


def needs_out_of_fold(plan: Plan, chosen: CandidateScore) -> bool:
    """Say whether anything is learnt from what the chosen candidate says out of fold."""
    return _is_divided(plan, chosen) or plan.settings.decision.target_precision is not None


def _is_divided(plan: Plan, chosen: CandidateScore) -> bool:
    return plan.settings.search.temperature and chosen.estimator == "logistic_regression"


def learn_confidence(
    plan: Plan, train: Rows, chosen: CandidateScore, told: Predictions | None
) -> tuple[float | None, Threshold | None]:
    """Learn temperature and threshold by what is said of the training side out of fold.

    The first is None where nothing is to be divided, the second where no target is set.
    """
    if told is None:
        return None, None
    s, temperature, threshold = plan.settings, None, None
    if _is_divided(plan, chosen):
        temperature = find_temperature(told)
        told = heat(told, temperature)
    if s.decision.target_precision is not None:
        threshold = choose_threshold(told, train.units, s.decision, s.evaluation)
    value = None if threshold is None else threshold.value
    log.info("confidence_learnt", temperature=temperature, threshold=value, n_rows=len(train))
    return temperature, threshold
