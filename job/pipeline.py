"""One run, top to bottom."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import structlog

from job.contracts.digest import Digest, ModelVersion, canonical_json
from job.contracts.ports import (
    ArtifactStore,
    Codec,
    Executor,
    Renderer,
    SuiteRunner,
    TableSource,
    Timer,
)
from job.contracts.specs import JobSettings
from job.contracts.suites import Suite
from job.errors import GateRejectedError
from job.recorder import Recorder
from job.stages.channels import promote, read_channel
from job.stages.evaluate import evaluate_model, measure_latency
from job.stages.features import make_input
from job.stages.gate import ChampionComparison, decide
from job.stages.ingest import ingest
from job.stages.keys import make_rows, salted_digests
from job.stages.package import (
    describe_dataset,
    describe_input,
    find_limitations,
    make_bundle,
    training_keys,
)
from job.stages.publish import find_published, publish
from job.stages.search import list_candidates, search
from job.stages.split import DataSplit, split_dataset
from job.stages.train import train_model
from job.stages.validate import required_columns, validate_dataset
from job.stages.versions import read_verified

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Everything of the outside that a run uses."""

    source: TableSource
    suites: SuiteRunner
    store: ArtifactStore
    codec: Codec
    executor: Executor
    renderer: Renderer
    timer: Timer


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What this run is asked to do."""

    settings: JobSettings
    suite: Suite
    dataset_uri: str
    run_id: str
    started_at: datetime
    is_dry_run: bool
    environment: Mapping[str, Any]


def load(plan: Plan, ports: Ports, uri: str, recorder: Recorder, *, is_test: bool = False) -> Any:
    """Ingest and validate one table; give the dataset, the report and the sound rows."""
    spec = plan.settings.dataset
    required = required_columns(plan.suite, spec.columns, plan.settings.features)
    dataset = recorder.run("ingest", ingest, ports.source, uri, spec, required=required)
    recorder.facts["test_dataset" if is_test else "dataset"] = describe_dataset(dataset)
    log.info(
        "dataset_ingested",
        uri=uri,
        n_rows=dataset.n_rows,
        content_digest=dataset.provenance.content_digest,
    )
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
    return dataset, report, is_sound


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
    s = plan.settings
    recorder.facts |= {
        "settings": s.model_dump(mode="json"),
        "started_at": plan.started_at.isoformat(),
    }
    list_candidates(s.search, s.random_state)
    if not plan.is_dry_run:
        ports.store.check_writable()
    dataset, validation, is_sound = load(plan, ports, plan.dataset_uri, recorder)
    rows = make_rows(dataset, is_sound)
    digests = {
        "data_digest": dataset.provenance.content_digest,
        "settings_digest": _digest_settings(s),
    }
    test = None
    if s.dataset.test_uri:
        test_set, _, is_sound = load(plan, ports, s.dataset.test_uri, recorder, is_test=True)
        digests["test_data_digest"] = test_set.provenance.content_digest
        test = make_rows(test_set, is_sound)
    found = find_published(ports.store, plan.run_id, digests)
    if found:
        metadata = json.loads(read_verified(ports.store, found)["metadata.json"])
        return _result(plan, ports, recorder, "already_published", found, metadata["metrics"])
    split = recorder.run(
        "split",
        split_dataset,
        rows,
        test,
        s.split,
        has_groups=s.dataset.columns.group is not None,
        is_open_set=_is_open_set(plan),
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
    columns = s.dataset.columns
    report = recorder.run(
        "search",
        search,
        split.train,
        s.search,
        s.features,
        columns,
        ports.executor,
        random_state=s.random_state,
    )
    model = recorder.run(
        "train",
        train_model,
        split.train,
        report,
        s.search,
        s.features,
        columns,
        ports.executor,
        random_state=s.random_state,
    )
    log.info("model_trained", estimator=model.estimator, n_samples=len(split.train))
    X = make_input(split.test, s.features.use)
    evaluation = recorder.run("evaluate", evaluate_model, model.pipeline, X, split.test)
    evaluation["baselines"] = {
        name: recorder.run("evaluate", evaluate_model, baseline, X, split.test)["scores"]
        for name, baseline in model.baselines
    }
    evaluation["latency"] = measure_latency(model.pipeline, X, ports.timer)
    payload = ports.codec.encode(model.pipeline)
    evaluation["model_bytes"] = len(payload)
    log.info("model_evaluated", **evaluation["scores"])
    champion, pointer = read_channel(ports.store, s.publish.channel)
    comparison = recorder.run("gate", _compare, plan, ports, model.pipeline, split, champion)
    decision = decide(evaluation["scores"], evaluation["latency"], len(payload), comparison, s.gate)
    evaluation |= {
        "gate": decision.to_json(),
        "search": report.to_json(),
        "split": split.report.to_json(),
    }
    version = str(ModelVersion.of(plan.run_id, plan.started_at))
    metadata = {
        "model_version": version,
        "embedding_model": s.publish.embedding_model if "embeddings" in s.features.use else None,
        "classifier": model.estimator,
        "trained_on": {
            "n_train": len(split.train),
            "data_version": dataset.provenance.file_digest,
            "trained_at": plan.started_at.isoformat(),
        },
        "run_id": plan.run_id,
        **digests,
        "dataset": describe_dataset(dataset),
        "split": split.report.to_json(),
        "settings": s.model_dump(mode="json"),
        "hyperparameters": dict(report.chosen.parameters),
        "metrics": evaluation["scores"],
        "classes": [str(c) for c in model.pipeline.classes_],
        "input": describe_input(split.test, tuple(s.features.use)),
        "training_keys_salt": s.split.salt,
        "random_state": s.random_state,
        "environment": dict(plan.environment),
        "limitations": find_limitations(split.report, validation),
    }
    bundle = recorder.run(
        "package",
        lambda: make_bundle(
            model=payload,
            metadata=metadata,
            evaluation=evaluation,
            validation=validation.to_json(),
            keys=training_keys(split.train, s.split.salt),
            pages=ports.renderer.render(metadata, evaluation),
        ),
    )
    recorder.facts |= {
        "scores": evaluation["scores"],
        "model_digest": str(Digest.of(payload)),
        **digests,
    }
    if not decision.is_accepted or plan.is_dry_run:
        recorder.reports = {
            k: v for k, v in bundle.items() if k not in ("model.joblib", "training_keys.npy")
        }
    if not decision.is_accepted:
        reasons = [c.reason for c in decision.criteria if c.is_binding and not c.is_met]
        log.warning("candidate_rejected", reasons=reasons)
        result = _result(plan, ports, recorder, "rejected", None, evaluation["scores"])
        raise GateRejectedError(
            f"the gate rejected the candidate: {'; '.join(reasons)}",
            hint=f"see runs/{plan.run_id}/ in the store, or change gate.* in the settings",
            result=result,
        )
    if plan.is_dry_run:
        return _result(plan, ports, recorder, "dry_run", None, evaluation["scores"])
    recorder.run("publish", publish, ports.store, version, plan.run_id, bundle)
    log.info("model_published", version=version)
    recorder.run(
        "promote",
        promote,
        ports.store,
        s.publish.channel,
        version,
        expected=pointer,
        at=plan.started_at.isoformat(),
        by=plan.run_id,
        why="accepted by the gate",
    )
    return _result(plan, ports, recorder, "published", version, evaluation["scores"])


def _digest_settings(settings: JobSettings) -> str:
    """Digest what can change a model: not where it is stored, nor what is logged."""
    content = settings.model_dump(mode="json", exclude={"store", "logs"})
    return str(Digest.of(canonical_json(content)))


def _is_open_set(plan: Plan) -> bool:
    return "labels" not in {**plan.suite.parameters, **plan.settings.expectations.parameters}


def _result(
    plan: Plan,
    ports: Ports,
    recorder: Recorder,
    outcome: str,
    version: str | None,
    scores: Mapping[str, float],
) -> dict[str, Any]:
    facts = recorder.facts["dataset"]
    return {
        "run_id": plan.run_id,
        "outcome": outcome,
        "version": version,
        "store_uri": ports.store.uri,
        "scores": dict(scores),
        "dataset": {k: facts[k] for k in ("uri", "n_rows", "file_digest", "content_digest")},
        "stages": dict(recorder.stages),
        "duration_seconds": recorder.duration_seconds,
    }


def _compare(
    plan: Plan, ports: Ports, candidate: Any, split: DataSplit, champion: str | None
) -> ChampionComparison | None:
    """Score the champion on the hold-out rows that it was not trained on either."""
    if champion is None:
        return None
    files = read_verified(ports.store, champion)
    metadata = json.loads(files["metadata.json"])
    test = split.test
    if metadata["input"] != describe_input(test, tuple(plan.settings.features.use)):
        return ChampionComparison(
            version=champion,
            n_rows=0,
            champion_score=None,
            candidate_score=None,
            problem="it takes another input",
        )
    trained = _load_keys(files["training_keys.npy"])
    salt = metadata["training_keys_salt"]
    is_seen = np.isin(salted_digests("trained", test.keys, salt), trained)
    is_seen |= np.isin(salted_digests("trained", test.text_keys, salt), trained)
    fresh = test.take(~is_seen)
    if len(fresh) < 30:
        return ChampionComparison(
            version=champion,
            n_rows=len(fresh),
            champion_score=None,
            candidate_score=None,
            problem=f"it was trained on all but {len(fresh)} hold-out rows",
        )
    X = make_input(fresh, plan.settings.features.use)
    metric = plan.settings.search.metric.value
    scores = [
        evaluate_model(model, X, fresh)["scores"].get(metric)
        for model in (ports.codec.decode(files["model.joblib"]), candidate)
    ]
    return ChampionComparison(
        version=champion,
        n_rows=len(fresh),
        champion_score=scores[0],
        candidate_score=scores[1],
        problem="the metric is undefined",
    )


def _load_keys(data: bytes) -> Any:
    import io

    return np.load(io.BytesIO(data), allow_pickle=False)
