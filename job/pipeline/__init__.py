"""One run from start to end: `run` shows the complete job on one screen.

How it works
------------
1. Check the settings, test the store, read and validate the table.
2. If another attempt of this run (a process with the same run id) has published its version
   completely, finish the promotion of that version and return.  The run checks this again after the
   gate, because attempts may run at the same time.
3. Split the table, and compare its groups (rows that a split keeps together) with those of each
   version that consumers can read.  If only a few groups changed since one of these versions, the
   run ends here (`held_back`), because the two versions could reveal the rows of these groups.
4. Compare the table with that of the champion (the version that the channel points to) for drift.
5. Search, train and evaluate the candidate.
6. The gate checks the candidate's scores, and compares the candidate with the champion and with the
   anchor (a fixed version).
7. If the gate accepts the candidate, or an operator overrides the rejection, the candidate is
   published as a new version, and the channel moves to this version.  After a rejection, and in a
   dry run, only the reports are stored, with the run.
"""

from __future__ import annotations

from functools import partial

import structlog

from job.contracts.identity import Digest
from job.contracts.reports.results import RunResult
from job.contracts.store_keys import ProbeStep
from job.errors import GateRejectedError
from job.pipeline.champion_contract import require_contract_of_champion
from job.pipeline.drift import check_drift
from job.pipeline.intake import Tables, check_request, load_tables
from job.pipeline.judge_candidate import Verdict, claim_if_published, judge_candidate
from job.pipeline.lineage import trace_table, warn_of_few_changes
from job.pipeline.package import Package, list_label_issues, make_package
from job.pipeline.publish_package import publish_package
from job.pipeline.run_context import RunContext
from job.pipeline.split import add_optimism, split_tables
from job.pipeline.summary import summarize, summarize_candidate
from job.pipeline.train_candidate import TrainedCandidate, train_candidate
from job.registry.champion import find_anchor
from job.registry.claims import Claim, find_claim, find_published
from job.registry.read_version import read_metadata
from job.registry.run_promotion import finish_interrupted, promote_accepted
from job.stages.packaging.bundle import without_model

log = structlog.get_logger(__name__)


def run(context: RunContext) -> RunResult:
    """Run every stage, from reading the table to moving the channel.

    Raises `GateRejectedError`, with the result of the run, if the gate rejects the candidate.
    """
    abilities = _prepare(context)
    tables = load_tables(context)
    if finished := _finish_published(context, tables, abilities):
        return finished
    with context.stage("split"):
        split = split_tables(context, tables)
    with context.stage("lineage"):
        trace = trace_table(context, tables, split)
    reason = None if trace.few_changes is None else trace.few_changes.reason
    if trace.few_changes is not None and not context.plan.override:
        warn_of_few_changes(trace.few_changes, is_dry_run=context.plan.is_dry_run)
        if not context.plan.is_dry_run:
            return summarize(context, tables, "held_back", {}, reason=reason)
    with context.stage("optimism"):
        split = add_optimism(context, split)
    with context.stage("drift"):
        drift = check_drift(context, tables, split, trace.key)
    candidate = train_candidate(context, split, tables.out_of_scope)
    with context.stage("gate"):
        verdict = judge_candidate(context, tables, candidate, trace)
    if finished := _finish_published(context, tables, abilities):
        return finished
    claim = claim_if_published(context, tables, verdict, trace.key)
    make = partial(make_package, context, tables, trace, candidate, drift, verdict)
    with context.stage("package"):
        package = make(claim)
    _record_candidate(context, tables, candidate, verdict, package)
    if not verdict.decision.is_published:
        raise _reject(context, tables, candidate, verdict)
    if context.plan.is_dry_run:
        return summarize_candidate(context, tables, "dry_run", candidate, verdict, reason=reason)
    with context.stage("publish"):
        claim = publish_package(context, claim, package, make)
    return _promote(context, tables, claim, candidate, verdict, abilities)


def _prepare(context: RunContext) -> tuple[ProbeStep, ...]:
    """Check the settings and test the store; return the result of each test of the store."""
    plan, store = context.plan, context.ports.store
    facts = context.recorder.facts
    facts.settings_digest, facts.environment = plan.settings_digest, plan.environment
    check_request(plan.settings, plan.suite)
    require_contract_of_champion(context)
    if plan.settings.gate.anchor is not None:
        find_anchor(store, plan.settings.gate.anchor)
    if plan.is_dry_run:
        return ()
    with context.stage("probe"):
        abilities = store.probe(f"{plan.run_id}-{plan.attempt_id}")
    missing = [step.name for step in abilities if not step.is_met]
    if missing:
        log.warning("store_lacks", abilities=missing)
    return abilities


def _finish_published(
    context: RunContext, tables: Tables, abilities: tuple[ProbeStep, ...]
) -> RunResult | None:
    """Move the channel to the version that another process of the same run has published.

    Return None if no such process has published a version.
    """
    store, run_id = context.ports.store, context.plan.run_id
    claim = find_claim(store, run_id, tables.digests)
    version = None if claim is None else find_published(store, run_id, claim)
    if version is None:
        return None
    with context.stage("promote"):
        finish_interrupted(context.plan, store, version, abilities, at=context.now())
    scores = read_metadata(store, version).metrics
    return summarize(context, tables, "already_published", scores, version=version)


def _record_candidate(
    context: RunContext,
    tables: Tables,
    candidate: TrainedCandidate,
    verdict: Verdict,
    package: Package,
) -> None:
    """Add the candidate's scores and the digest of its model to the run's record.

    If the candidate is not published, its reports are stored with the record.
    """
    recorder = context.recorder
    recorder.facts.scores = candidate.evaluation.scores
    recorder.facts.model_digest = str(Digest.of(candidate.payload))
    if context.plan.is_dry_run or not verdict.decision.is_published:
        recorder.reports = without_model(package.files)
    recorder.reports |= list_label_issues(tables, candidate)


def _reject(
    context: RunContext, tables: Tables, candidate: TrainedCandidate, verdict: Verdict
) -> GateRejectedError:
    """Log why the gate rejected the candidate, and return the error to raise."""
    result = summarize_candidate(context, tables, "rejected", candidate, verdict)
    reasons = verdict.decision.reasons
    log.warning("candidate_rejected", reasons=reasons)
    return GateRejectedError(
        f"the gate rejected the candidate: {'; '.join(reasons)}",
        hint=f"`{result.next_command}` shows the report; `pcc-job run --override REASON` publishes "
        "the candidate anyway",
        result=result,
    )


def _promote(
    context: RunContext,
    tables: Tables,
    claim: Claim,
    candidate: TrainedCandidate,
    verdict: Verdict,
    abilities: tuple[ProbeStep, ...],
) -> RunResult:
    """Move the channel to the published version that `claim` names."""
    plan, store = context.plan, context.ports.store
    with context.stage("promote"):
        override = verdict.decision.override
        promote_accepted(
            plan,
            claim,
            store,
            verdict.champion,
            abilities,
            at=context.now(),
            override=override,
        )
    return summarize_candidate(
        context, tables, "published", candidate, verdict, version=claim.version
    )
