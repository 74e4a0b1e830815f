"""One candidate: split, trained, judged, and packed for whoever accepts it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import structlog

from job.contracts.abstention import Threshold
from job.contracts.dataset import Rows
from job.contracts.lists import counted
from job.contracts.plan import Plan
from job.contracts.ports import Executor, Ports
from job.contracts.reports import CandidateScore, GateDecision, SearchReport
from job.pipeline.intake import Tables, find_near_duplicates
from job.recorder import Recorder
from job.stages.capacity import require_memory
from job.stages.champion import Champion, compare, load_anchor
from job.stages.compatibility import make_compatible
from job.stages.differences import compare_metadata
from job.stages.evaluate import evaluate
from job.stages.features import restrict
from job.stages.footprint import estimate_training_bytes
from job.stages.gate import decide
from job.stages.optimism import measure_optimism
from job.stages.out_of_fold import predict_out_of_fold
from job.stages.package import describe_decision, describe_override, make_bundle, make_metadata
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
    temperature, threshold = recorder.run(
        "threshold", learn_confidence, plan, executor, train, preparation, report.chosen
    )
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
        random_state=plan.settings.random_state,
        threshold=threshold,
        temperature=temperature,
    )
    log.info("model_evaluated", **evaluation["scores"])
    return Candidate(
        split=split,
        search=report,
        model=model,
        payload=ports.codec.encode(model.pipeline),
        compatible_with=compatible_with,
        evaluation=evaluation,
    )


def learn_confidence(
    plan: Plan, executor: Executor, train: Rows, preparation: Preparation, chosen: CandidateScore
) -> tuple[float | None, Threshold | None]:
    """Learn temperature and threshold by what is said of the training side out of fold.

    The first is None where nothing is to be divided, the second where no target is set.
    """
    s = plan.settings
    is_divided = s.search.temperature and chosen.estimator == "logistic_regression"
    if not is_divided and s.decision.target_precision is None:
        return None, None
    found = predict_out_of_fold(train, preparation, chosen, s.training, executor)
    temperature, threshold = None, None
    if is_divided:
        temperature = find_temperature(found)
        found = heat(found, temperature)
    if s.decision.target_precision is not None:
        threshold = choose_threshold(found, train.units, s.decision, s.evaluation)
    value = None if threshold is None else threshold.value
    log.info("confidence_learnt", temperature=temperature, threshold=value, n_rows=len(train))
    return temperature, threshold


def judge(
    plan: Plan, ports: Ports, candidate: Candidate, champion: Champion | None
) -> GateDecision:
    """Hold the candidate against the floors, the champion and the anchor."""
    settings, split = plan.settings, candidate.split
    # an official test holds near-duplicates by design
    table = split.table if split.report.method != "official_test" else None
    anchor = load_anchor(ports.store, settings.gate.anchor)
    comparisons = tuple(
        compare(
            some,
            candidate.model,
            split.test,
            table,
            ports.codec,
            training=settings.training,
            paired=settings.paired,
        )
        for some in (champion, anchor)
        if some is not None
    )
    decision = decide(candidate.evaluation, len(candidate.payload), comparisons, settings.gate)
    if decision.is_accepted or plan.override is None:
        return decision
    log.warning("gate_overridden", why=plan.override, reasons=decision.reasons)
    return replace(decision, override=plan.override)


def package(
    plan: Plan,
    ports: Ports,
    tables: Tables,
    *,
    candidate: Candidate,
    decision: GateDecision,
    champion: Champion | None,
) -> dict[str, bytes]:
    """Gather the files of a version, or of a rejected candidate's reports."""
    metadata = make_metadata(
        plan,
        tables.dataset,
        candidate.split,
        candidate.model,
        tables.validation,
        digests=tables.digests,
        scores=candidate.evaluation["scores"],
        compatible_with=candidate.compatible_with,
    )
    metadata["decision"] = describe_decision(candidate.evaluation["decision"])
    metadata["override"] = describe_override(decision)
    evaluation = {
        **candidate.evaluation,
        "model_bytes": len(candidate.payload),
        "gate": decision.to_json(),
        "search": candidate.search.to_json(),
        "split": candidate.split.report.to_json(),
    }
    if champion is not None:
        before = json.loads(champion.files["metadata.json"])
        changed = compare_metadata(before, metadata)
        evaluation["changes"] = {"champion": champion.version, "changed": changed}
    keys, report = candidate.split.train, tables.validation
    return make_bundle(candidate.payload, metadata, evaluation, report, keys, ports.renderer)
