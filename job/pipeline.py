"""One run, top to bottom: `run` is the whole job on one screen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from job.contracts.dataset import Dataset, Rows
from job.contracts.digest import Digest
from job.contracts.plan import Plan
from job.contracts.ports import ArtifactStore, Ports
from job.contracts.reports import GateDecision, SearchReport, ValidationReport
from job.contracts.stored import ProbeStep
from job.errors import GateRejectedError
from job.recorder import Recorder
from job.stages.capacity import require_memory, require_memory_to_read
from job.stages.champion import Champion, compare, load_champion
from job.stages.compatibility import make_compatible
from job.stages.evaluate import evaluate
from job.stages.footprint import estimate_training_bytes
from job.stages.gate import decide
from job.stages.ingest import ingest
from job.stages.keys import make_rows
from job.stages.package import describe_dataset, make_bundle, make_metadata, without_model
from job.stages.promotion import claim_version, finish_interrupted, promote_accepted
from job.stages.publish import find_claim, is_complete, publish
from job.stages.search import list_candidates, search
from job.stages.split import DataSplit, split_dataset
from job.stages.suites import required_columns
from job.stages.train import TrainedModel, train_model
from job.stages.validate import validate_dataset
from job.stages.versions import read_verified

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The validated input: the table, its sound rows, and those of the official test if any."""

    dataset: Dataset
    validation: ValidationReport
    rows: Rows
    official_test: Rows | None
    digests: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A trained model, as the gate and the package see it."""

    split: DataSplit
    search: SearchReport
    model: TrainedModel
    payload: bytes
    compatible_with: tuple[str, ...]
    evaluation: Mapping[str, Any]


def run(plan: Plan, ports: Ports, recorder: Recorder) -> dict[str, Any]:
    """Ingest, validate, split, search, train, evaluate, gate, package, publish, promote.

    Returns
    -------
    result
        What goes to stdout.

    Raises
    ------
    GateRejectedError
        The candidate was not accepted; `context["result"]` is the result all the same.
    """
    abilities = _prepare(plan, ports, recorder)
    tables = load_tables(plan, ports, recorder)
    found = find_claim(ports.store, plan.run_id, tables.digests)
    if found and is_complete(ports.store, found.version):
        recorder.run("promote", finish_interrupted, plan, ports.store, found.version, abilities)
        return _report_published(ports.store, recorder, found.version)
    split = recorder.run("split", _split, plan, tables)
    candidate = _train(plan, ports, recorder, split)
    scores = candidate.evaluation["scores"]
    champion = recorder.run("gate", load_champion, ports.store, plan.settings.publish.channel)
    decision = recorder.run("gate", _judge, plan, ports, candidate, champion)
    if decision.is_accepted and not plan.is_dry_run:
        plan = recorder.run("claim", claim_version, plan, ports.store, tables.digests, champion)
    bundle = recorder.run("package", _package, plan, ports, tables, candidate, decision)
    recorder.facts |= {"scores": scores, "model_digest": str(Digest.of(candidate.payload))}
    if plan.is_dry_run or not decision.is_accepted:
        recorder.reports = without_model(bundle)
    if not decision.is_accepted:
        raise _rejection(decision, recorder.summarise("rejected", None, scores))
    if plan.is_dry_run:
        return recorder.summarise("dry_run", None, scores)
    recorder.run("publish", publish, ports.store, plan.version, plan.run_id, bundle)
    log.info("model_published", version=plan.version)
    recorder.run("promote", promote_accepted, plan, ports.store, champion, abilities)
    return recorder.summarise("published", plan.version, scores)


def _prepare(plan: Plan, ports: Ports, recorder: Recorder) -> tuple[ProbeStep, ...]:
    """Refuse what cannot work before anything is read."""
    recorder.facts |= {
        "settings_digest": plan.settings_digest,
        "environment": dict(plan.environment),
    }
    list_candidates(plan.settings.search, plan.settings.random_state)
    if plan.is_dry_run:
        return ()
    abilities = recorder.run("probe", ports.store.probe, f"{plan.run_id}-{plan.attempt_id}")
    missing = [step.name for step in abilities if not step.is_met]
    if missing:
        log.warning("store_lacks", abilities=missing)
    return abilities


def load_tables(plan: Plan, ports: Ports, recorder: Recorder) -> Tables:
    """Ingest and validate the table, and the official test table if there is one."""
    dataset, validation, rows = _load(plan, ports, plan.dataset_uri, recorder)
    digests = {
        "data_digest": dataset.provenance.content_digest,
        "settings_digest": plan.settings_digest,
    }
    official_test = None
    if plan.settings.dataset.test_uri:
        test, _, official_test = _load(
            plan, ports, plan.settings.dataset.test_uri, recorder, is_test=True
        )
        digests["test_data_digest"] = test.provenance.content_digest
    recorder.facts |= digests
    return Tables(
        dataset=dataset,
        validation=validation,
        rows=rows,
        official_test=official_test,
        digests=digests,
    )


def _load(
    plan: Plan, ports: Ports, uri: str, recorder: Recorder, *, is_test: bool = False
) -> tuple[Dataset, ValidationReport, Rows]:
    spec, name = plan.settings.dataset, "test_dataset" if is_test else "dataset"
    required = required_columns(plan.suite, spec.columns, plan.settings.features)
    reserve = partial(require_memory_to_read, memory=ports.memory)
    dataset = recorder.run(
        "ingest", ingest, ports.source, uri, spec, required=required, reserve=reserve
    )
    recorder.facts[name] = describe_dataset(dataset)
    digest = dataset.provenance.content_digest
    log.info("dataset_ingested", uri=uri, n_rows=dataset.n_rows, content_digest=digest)
    report, is_sound = recorder.run(
        "validate",
        validate_dataset,
        dataset,
        plan.suite,
        ports.suites,
        spec=spec,
        parameters=plan.settings.expectations.parameters,
        features=plan.settings.features,
        is_test=is_test,
    )
    log.info("dataset_validated", n_rows=report.n_rows, n_dropped=report.n_dropped)
    return dataset, report, make_rows(dataset, is_sound, plan.settings.features.use)


def _split(plan: Plan, tables: Tables) -> DataSplit:
    s = plan.settings
    split = split_dataset(
        tables.rows,
        tables.official_test,
        s.split,
        has_groups=s.dataset.columns.group is not None,
        labels=plan.labels,
        min_groups=s.features.min_groups,
        folds=s.search.folds,
        random_state=s.random_state,
    )
    log.info(
        "dataset_split",
        n_train=split.report.n_train,
        n_test=split.report.n_test,
        n_dropped_leaking=split.report.n_dropped_leaking,
    )
    return split


def _train(plan: Plan, ports: Ports, recorder: Recorder, split: DataSplit) -> Candidate:
    spec = plan.settings.training
    n_workers = ports.executor.n_workers
    n_bytes = ports.memory.used_bytes() + estimate_training_bytes(split.train, spec, n_workers)
    recorder.facts["estimated_memory_bytes"] = n_bytes
    require_memory(
        n_bytes, ports.memory, f"to train on {len(split.train)} rows with {n_workers} workers"
    )
    report = recorder.run("search", search, split.train, spec, ports.executor)
    model = recorder.run("train", train_model, split.train, report, spec, ports.executor)
    log.info("model_trained", estimator=model.estimator, n_samples=len(split.train))
    compatible_with = make_compatible(model.pipeline, plan.settings.package.compatible_with)
    use = spec.features.use
    evaluation = recorder.run("evaluate", evaluate, model, split.test, use, ports.timer)
    log.info("model_evaluated", **evaluation["scores"])
    return Candidate(
        split=split,
        search=report,
        model=model,
        payload=ports.codec.encode(model.pipeline),
        compatible_with=compatible_with,
        evaluation=evaluation,
    )


def _judge(
    plan: Plan, ports: Ports, candidate: Candidate, champion: Champion | None
) -> GateDecision:
    comparison = compare(
        champion,
        candidate.model.pipeline,
        candidate.split.test,
        ports.codec,
        use=plan.settings.features.use,
        metric=plan.settings.search.metric,
    )
    scores, latency = candidate.evaluation["scores"], candidate.evaluation["latency"]
    return decide(scores, latency, len(candidate.payload), comparison, plan.settings.gate)


def _package(
    plan: Plan, ports: Ports, tables: Tables, candidate: Candidate, decision: GateDecision
) -> dict[str, bytes]:
    evaluation = {
        **candidate.evaluation,
        "model_bytes": len(candidate.payload),
        "gate": decision.to_json(),
        "search": candidate.search.to_json(),
        "split": candidate.split.report.to_json(),
    }
    metadata = make_metadata(
        plan,
        tables.dataset,
        candidate.split,
        candidate.model,
        tables.validation,
        digests=tables.digests,
        scores=evaluation["scores"],
        compatible_with=candidate.compatible_with,
    )
    keys, report = candidate.split.train, tables.validation
    return make_bundle(candidate.payload, metadata, evaluation, report, keys, ports.renderer)


def _rejection(decision: GateDecision, result: dict[str, Any]) -> GateRejectedError:
    reasons = [c.reason for c in decision.criteria if c.is_binding and not c.is_met]
    log.warning("candidate_rejected", reasons=reasons)
    return GateRejectedError(
        f"the gate rejected the candidate: {'; '.join(reasons)}",
        hint=f"see runs/{result['run_id']}/ in the store, or change gate.* in the settings",
        result=result,
    )


def _report_published(store: ArtifactStore, recorder: Recorder, version: str) -> dict[str, Any]:
    metadata = json.loads(read_verified(store, version)["metadata.json"])
    return recorder.summarise("already_published", version, metadata["metrics"])
