"""Decide on a candidate: compare it with champion and anchor, and apply the gate's criteria.

How it works
------------
1. The candidate is compared with the champion (the version that the channel points to) and the
   anchor (a fixed version).  If this run and the run of the other version were cross-fitted, their
   errors are compared on the groups that are in both tables.  Otherwise both models predict test
   rows that neither model was trained on.
2. Candidate and champion are also compared on the challenge set, if there is one.
3. `decide` checks scores and comparisons against the criteria of the gate.  With `--override`, a
   rejected candidate is published anyway.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import structlog

from job.contracts.lineage_key import LineageKey
from job.contracts.plan import Plan
from job.contracts.reports.comparison import Comparison
from job.contracts.reports.gate import GateDecision
from job.contracts.version_files import MODEL_FILE
from job.pipeline.challenge_comparison import compare_champion
from job.pipeline.intake import Tables
from job.pipeline.lineage import Trace
from job.pipeline.run_context import RunContext
from job.pipeline.train_candidate import TrainedCandidate
from job.registry.champion import (
    PublishedVersion,
    load_anchor,
    load_champion,
    load_channel_anchor,
)
from job.registry.claims import Claim
from job.registry.run_promotion import claim_version, propose_claim
from job.stages.gate.comparison import compare, compare_errors
from job.stages.gate.criteria import decide
from job.stages.gate.held_out_comparison import ComparedModel, ComparisonSpec
from job.stages.gate.kept_errors import read_group_errors
from job.stages.packaging.metadata import name_embedding_model

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The gate's decision, and the champion that the candidate was compared with.

    `champion` is None if the channel points to no version yet.
    """

    decision: GateDecision
    champion: PublishedVersion | None


def judge_candidate(
    context: RunContext, tables: Tables, candidate: TrainedCandidate, trace: Trace
) -> Verdict:
    """Apply the gate to the candidate: check the scores, and compare with champion and anchor.

    With `--override`, too few changed groups in the table are listed as an unmet criterion.
    """
    plan, settings = context.plan, context.settings
    champion = load_champion(context.ports.store, settings.publish.channel, context.keys)
    anchor = _find_anchor(context, champion)
    rivals = [version for version in (champion, anchor) if version]
    comparisons = tuple(
        comparison for rival in rivals for comparison in _compare(context, tables, candidate, rival)
    )
    if champion is not None:
        comparisons += tuple(_compare_on_challenge(plan, tables, candidate, champion))
    for comparison in comparisons:
        _log_comparison(comparison)
    decision = decide(
        candidate.evaluation,
        len(candidate.payload),
        comparisons,
        settings.gate,
        equal_error=candidate.equal_error,
    )
    if plan.override is not None and trace.few_changes is not None:
        criteria = (*decision.criteria, trace.few_changes.to_criterion())
        decision = decision.copy_with(criteria=criteria, is_accepted=False)
    if decision.is_accepted or plan.override is None:
        return Verdict(decision=decision, champion=champion)
    log.warning("gate_overridden", why=plan.override, reasons=decision.reasons)
    decision = decision.copy_with(override=plan.override)
    return Verdict(decision=decision, champion=champion)


def _log_comparison(comparison: Comparison) -> None:
    who = {"role": comparison.role, "version": comparison.version}
    if comparison.problem:
        log.warning("version_not_compared", **who, reason=comparison.problem)
    elif comparison.difference is not None:
        interval = comparison.difference
        bounds = {"lower": interval.lower, "upper": interval.upper}
        log.info("version_compared", **who, difference=interval.value, **bounds)


def claim_if_published(
    context: RunContext, tables: Tables, verdict: Verdict, key: LineageKey
) -> Claim:
    """Return the name and time of the version, and store them if the version will be published."""
    plan, decision = context.plan, verdict.decision
    claim = propose_claim(plan, tables.digests, key.id)
    if decision.is_published and not plan.is_dry_run:
        with context.stage("claim"):
            claim = claim_version(plan, context.ports.store, claim, verdict.champion)
    context.recorder.facts.override = decision.override or None
    return claim


def _find_anchor(context: RunContext, champion: PublishedVersion | None) -> PublishedVersion | None:
    """Return the anchor that the settings name, or else the anchor of the channel.

    Return None if there is no anchor, or if it is the same version as the champion.
    """
    store, settings = context.ports.store, context.settings
    channel = settings.publish.channel
    anchor = load_anchor(store, settings.gate.anchor, context.keys)
    if anchor is None and channel is not None:
        anchor = load_channel_anchor(store, channel, context.keys)
    is_champion = anchor and champion and anchor.version == champion.version
    return None if is_champion else anchor


def _compare(
    context: RunContext, tables: Tables, candidate: TrainedCandidate, rival: PublishedVersion
) -> Iterator[Comparison]:
    """Yield comparisons of the candidate with a rival, which is the champion or the anchor.

    If both runs have cross-fitted predictions of the same groups, these predictions are compared.
    If the rival is the champion, the published models are then also compared on test rows, but this
    second comparison can only warn.  Without cross-fitted predictions in both runs, only the
    published models are compared, on test rows that neither model was trained on.
    """
    plan = context.plan
    if not rival.files:
        yield Comparison(
            role=rival.role,
            version=rival.version,
            metric=plan.settings.search.metric.name,
            problem="its version was removed",
            is_advisory=rival.is_advisory,
        )
        return
    is_same = rival.files[MODEL_FILE] == candidate.payload
    if candidate.nested is not None and not is_same:
        comparison = _compare_groups(context, candidate, rival)
        if comparison is not None:
            yield comparison
            if rival.role == "champion":
                models = _compare_models(plan, tables, candidate, rival)
                if models.difference is not None:
                    yield models.copy_with(role="champion_model", is_advisory=True)
            return
    yield _compare_models(plan, tables, candidate, rival)


def _compare_groups(
    context: RunContext, candidate: TrainedCandidate, rival: PublishedVersion
) -> Comparison | None:
    """Compare the cross-fitted errors of both runs by group; None if this is not possible."""
    before = read_group_errors(context.ports.store, rival.metadata)
    key = None if before is None else context.keys.find(before.key_id)
    now = None if key is None else candidate.count_errors(key)
    if before is None or now is None:
        return None
    return compare_errors(rival, before, now, context.settings.paired)


def _compare_on_challenge(
    plan: Plan,
    tables: Tables,
    candidate: TrainedCandidate,
    champion: PublishedVersion,
) -> Iterator[Comparison]:
    """Yield the comparison of the published models on the challenge set, if there is one."""
    challenge = candidate.split.challenge
    if challenge is not None and champion.files:
        yield compare_champion(
            plan,
            challenge,
            champion,
            candidate.model,
            payload=candidate.payload,
            embedding_model=name_embedding_model(tables.dataset, plan.settings.publish),
        )


def _compare_models(
    plan: Plan, tables: Tables, candidate: TrainedCandidate, rival: PublishedVersion
) -> Comparison:
    """Compare the published models on test rows that neither model was trained on."""
    s, split = plan.settings, candidate.split
    # an official test contains near-duplicates by design
    table = split.table if tables.official_test is None else None
    return compare(
        rival,
        ComparedModel(
            model=candidate.model,
            payload=candidate.payload,
            embedding_model=name_embedding_model(tables.dataset, s.publish),
        ),
        split.test,
        table,
        ComparisonSpec(training=s.training, paired=s.paired),
    )
