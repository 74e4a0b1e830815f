"""The verdict on a candidate, and what is packed for whoever accepts it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import structlog

from job.contracts.identity import canonical_json
from job.contracts.plan import Plan
from job.contracts.ports import ArtifactStore, Ports
from job.contracts.reports.comparison import Comparison
from job.contracts.reports.gate import GateDecision
from job.pipeline.challenge import compare_champion
from job.pipeline.drift import Drift
from job.pipeline.intake import Tables
from job.pipeline.train_candidate import Candidate
from job.registry.metadata_diff import compare_metadata
from job.registry.published import PublishedVersion, load_anchor, load_channel_anchor
from job.registry.run_promotion import choose_anchor
from job.stages.gate.comparison import compare, compare_errors
from job.stages.gate.criteria import decide
from job.stages.gate.kept_errors import describe_cross_fit, read_group_errors
from job.stages.packaging.bundle import make_bundle
from job.stages.packaging.limitations import find_limitations
from job.stages.packaging.metadata import (
    describe_challenge,
    describe_decision,
    describe_override,
    make_metadata,
    name_embedding_model,
)

log = structlog.get_logger(__name__)


def judge(
    plan: Plan,
    ports: Ports,
    tables: Tables,
    *,
    candidate: Candidate,
    champion: PublishedVersion | None,
) -> GateDecision:
    """Judge the candidate by the floors, the champion and the anchor."""
    settings = plan.settings
    rivals = [some for some in (champion, _find_anchor(plan, ports.store, champion)) if some]
    comparisons = tuple(
        comparison
        for some in rivals
        for comparison in _compare(plan, ports, tables, candidate, some)
    )
    if champion is not None:
        comparisons += tuple(_compare_on_challenge(plan, ports, tables, candidate, champion))
    decision = decide(
        candidate.evaluation,
        len(candidate.payload),
        comparisons,
        settings.gate,
        equal_error=candidate.equal_error,
    )
    if decision.is_accepted or plan.override is None:
        return decision
    log.warning("gate_overridden", why=plan.override, reasons=decision.reasons)
    return replace(decision, override=plan.override)


def _find_anchor(
    plan: Plan, store: ArtifactStore, champion: PublishedVersion | None
) -> PublishedVersion | None:
    """Load the anchor of the settings, else the channel's own, unless it is the champion."""
    channel = plan.settings.publish.channel
    anchor = load_anchor(store, plan.settings.gate.anchor)
    if anchor is None and channel is not None:
        anchor = load_channel_anchor(store, channel)
    is_champion = anchor and champion and anchor.version == champion.version
    return None if is_champion else anchor


def _compare(
    plan: Plan, ports: Ports, tables: Tables, candidate: Candidate, rival: PublishedVersion
) -> Iterator[Comparison]:
    """Compare on the groups that both tables share, or else on held-out rows new to both.

    The published models of a champion and of the candidate are compared on held-out rows in any
    case: where the groups decide between the recipes, that only warns.
    """
    s = plan.settings
    if not rival.files:
        yield Comparison(
            role=rival.role,
            version=rival.version,
            metric=s.search.metric.value,
            problem="its version is gone",
            is_advisory=rival.is_advisory,
        )
        return
    is_same = rival.files["model.joblib"] == candidate.payload
    if candidate.group_errors is not None and not is_same:
        before = read_group_errors(ports.store, rival.metadata)
        found = before and compare_errors(rival, before, candidate.group_errors, s.paired)
        if found:
            yield found
            if rival.role == "champion":
                models = _compare_models(plan, ports, tables, candidate, rival)
                if models.difference is not None:
                    yield replace(models, role="champion_model", is_advisory=True)
            return
    yield _compare_models(plan, ports, tables, candidate, rival)


def _compare_on_challenge(
    plan: Plan, ports: Ports, tables: Tables, candidate: Candidate, champion: PublishedVersion
) -> Iterator[Comparison]:
    """Compare the published models on the challenge set, if there is one."""
    challenge = candidate.split.challenge
    if challenge is not None and champion.files:
        yield compare_champion(
            plan,
            ports,
            challenge,
            champion,
            candidate.model,
            payload=candidate.payload,
            embedding_model=name_embedding_model(tables.dataset, plan.settings.publish),
        )


def _compare_models(
    plan: Plan, ports: Ports, tables: Tables, candidate: Candidate, rival: PublishedVersion
) -> Comparison:
    """Compare the published models on held-out rows that are new to both."""
    s, split = plan.settings, candidate.split
    # an official test holds near-duplicates by design
    table = split.table if tables.official_test is None else None
    return compare(
        rival,
        candidate.model,
        split.test,
        table,
        ports.codec,
        training=s.training,
        paired=s.paired,
        embedding_model=name_embedding_model(tables.dataset, s.publish),
        payload=candidate.payload,
    )


def list_label_issues(tables: Tables, candidate: Candidate) -> dict[str, bytes]:
    """Return the file of doubted labels, if it is allowed; it belongs to the run, not to a version.

    Nothing of the rows but places, labels and ids is in it.
    """
    found = candidate.label_noise
    if found is None or not found.issues:
        return {}
    ids = tables.dataset.strings("id")
    issues = [
        {**issue.to_json(), **({} if ids is None else {"id": ids[issue.row]})}
        for issue in found.issues
    ]
    return {"label_issues.json": canonical_json({"n_rows": found.n_rows, "issues": issues})}


def package(
    plan: Plan,
    ports: Ports,
    tables: Tables,
    *,
    candidate: Candidate,
    drift: Drift,
    decision: GateDecision,
    champion: PublishedVersion | None,
) -> dict[str, bytes]:
    """Gather the files of a version, or of a rejected candidate's reports."""
    metadata = make_metadata(
        plan,
        tables.dataset,
        candidate.split,
        candidate.model,
        digests=tables.digests,
        scores=candidate.evaluation["scores"],
        compatible_with=candidate.compatible_with,
    )
    metadata["decision"] = describe_decision(candidate.evaluation["decision"])
    metadata["override"] = describe_override(decision)
    metadata["cross_fit"] = describe_cross_fit(candidate.evaluation, candidate.group_errors)
    metadata["challenge"] = describe_challenge(candidate.evaluation["challenge"])
    metadata["geometry"] = candidate.evaluation["geometry"]
    metadata["input_check"] = candidate.evaluation["input_check"]
    metadata["sets_anchor"] = choose_anchor(plan, decision, champion)
    evaluation = {
        **candidate.evaluation,
        "model_bytes": len(candidate.payload),
        "gate": decision.to_json(),
        "search": candidate.search.to_json(),
        "split": candidate.split.report.to_json(),
        "drift": None if drift.report is None else drift.report.to_json(),
    }
    metadata["limitations"] = find_limitations(evaluation, tables.validation, plan.settings)
    if champion is not None:
        before = json.loads(champion.files["metadata.json"])
        changed = compare_metadata(before, metadata)
        evaluation["changes"] = {"champion": champion.version, "changed": changed}
    keys, report = candidate.split.train, tables.validation
    files = make_bundle(candidate.payload, metadata, evaluation, report, keys, ports.renderer)
    return {**files, **drift.kept.files()}
