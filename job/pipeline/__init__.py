"""One run, from top to bottom: `run` is the whole job on one screen.

How it works
------------
1. Check the settings, test the store, read and validate the table.
2. If an earlier attempt of this run was published completely, finish its promotion and return.
3. Split the table and compare it with the champion's for drift.
4. Search, train and evaluate the candidate.
5. The gate compares it with floors and ceilings, the champion and the anchor.
6. An accepted candidate, or one that an operator overrides the gate for, is published under a
   claimed version, then the channel moves to it. The reports of a rejected candidate and of a dry
   run are stored with the run.
"""

from __future__ import annotations

import structlog

from job.contracts.identity import Digest
from job.contracts.plan import Plan
from job.contracts.ports import ArtifactStore, Ports
from job.contracts.reports.gate import GateDecision
from job.contracts.reports.results import RunResult
from job.contracts.store_keys import ProbeStep
from job.errors import GateRejectedError
from job.pipeline.drift import check_drift
from job.pipeline.intake import check_request, load_tables
from job.pipeline.judge_candidate import judge_candidate, list_label_issues, package
from job.pipeline.split import add_optimism, split_tables
from job.pipeline.train_candidate import train_candidate
from job.recorder import Recorder
from job.registry.champion import find_anchor, load_champion
from job.registry.publish import find_claim, is_complete, publish
from job.registry.read_version import read_metadata
from job.registry.run_promotion import claim_version, finish_interrupted, promote_accepted
from job.stages.gate.kept_errors import store_group_errors
from job.stages.packaging.bundle import without_model

log = structlog.get_logger(__name__)


def run(plan: Plan, ports: Ports, recorder: Recorder) -> RunResult:
    """Run every stage, from the table to the channel.

    Returns
    -------
    result
        The result that is written to stdout.

    Raises
    ------
    GateRejectedError
        The candidate was not accepted; its `result` is the result.
    """
    abilities = _prepare(plan, ports, recorder)
    tables = load_tables(plan, ports, recorder)
    claim = find_claim(ports.store, plan.run_id, tables.digests)
    if claim and is_complete(ports.store, claim.version):
        recorder.run("promote", finish_interrupted, plan, ports.store, claim.version, abilities)
        return _report_published(ports.store, recorder, claim.version)
    split = recorder.run("split", split_tables, plan, ports, tables)
    split = recorder.run("optimism", add_optimism, plan, ports, split)
    drift = recorder.run("drift", check_drift, plan, ports, recorder, tables, split)
    candidate = train_candidate(plan, ports, recorder, split, tables.out_of_scope)
    scores = candidate.evaluation["scores"]
    champion = recorder.run("gate", load_champion, ports.store, plan.settings.publish.channel)
    decision = recorder.run(
        "gate", judge_candidate, plan, ports, tables, candidate=candidate, champion=champion
    )
    if decision.is_published and not plan.is_dry_run:
        plan = recorder.run("claim", claim_version, plan, ports.store, tables.digests, champion)
    recorder.facts |= {"override": decision.override} if decision.override else {}
    bundle = recorder.run(
        "package",
        package,
        plan,
        ports,
        tables,
        candidate=candidate,
        drift=drift,
        decision=decision,
        champion=champion,
    )
    recorder.facts |= {"scores": scores, "model_digest": str(Digest.of(candidate.payload))}
    if plan.is_dry_run or not decision.is_published:
        recorder.reports = without_model(bundle)
    recorder.reports |= list_label_issues(tables, candidate)
    if not decision.is_published:
        raise _rejection(decision, recorder.summarize("rejected", None, scores))
    if plan.is_dry_run:
        return recorder.summarize("dry_run", None, scores)
    if candidate.group_errors is not None:  # later runs are compared with published versions only
        recorder.run(
            "publish", store_group_errors, ports.store, plan.run_id, candidate.group_errors
        )
    recorder.run("publish", publish, ports.store, plan.version, plan.run_id, bundle)
    log.info("model_published", version=plan.version)
    recorder.run(
        "promote",
        promote_accepted,
        plan,
        ports.store,
        champion,
        abilities,
        override=decision.override,
    )
    return recorder.summarize("published", plan.version, scores)


def _prepare(plan: Plan, ports: Ports, recorder: Recorder) -> tuple[ProbeStep, ...]:
    """Check settings and store before anything is read; return the store's abilities."""
    recorder.facts |= {
        "settings_digest": plan.settings_digest,
        "environment": dict(plan.environment),
    }
    check_request(plan.settings, plan.suite)
    if plan.settings.gate.anchor is not None:
        find_anchor(ports.store, plan.settings.gate.anchor)
    if plan.is_dry_run:
        return ()
    abilities = recorder.run("probe", ports.store.probe, f"{plan.run_id}-{plan.attempt_id}")
    missing = [step.name for step in abilities if not step.is_met]
    if missing:
        log.warning("store_lacks", abilities=missing)
    return abilities


def _rejection(decision: GateDecision, result: RunResult) -> GateRejectedError:
    log.warning("candidate_rejected", reasons=decision.reasons)
    return GateRejectedError(
        f"the gate rejected the candidate: {'; '.join(decision.reasons)}",
        hint=f"see runs/{result.run_id}/ in the store; --override REASON publishes all the same",
        result=result,
    )


def _report_published(store: ArtifactStore, recorder: Recorder, version: str) -> RunResult:
    scores = read_metadata(store, version).metrics
    return recorder.summarize("already_published", version, scores)
