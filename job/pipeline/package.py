"""Package the files of a version, or the reports of a candidate that is not published."""

from __future__ import annotations

from job.contracts.plan import Plan
from job.contracts.reports.evaluation import Changes, Evaluation
from job.contracts.reports.label_issues import LabelIssues
from job.contracts.version_files import LABEL_ISSUES_FILE
from job.pipeline.drift import Drift
from job.pipeline.intake import Tables
from job.pipeline.judge_candidate import Verdict
from job.pipeline.run_context import RunContext
from job.pipeline.train_candidate import TrainedCandidate
from job.registry.metadata_diff import compare_metadata
from job.registry.publish import Claim
from job.registry.run_promotion import choose_anchor
from job.stages.gate.kept_errors import describe_cross_fit
from job.stages.packaging.bundle import make_bundle
from job.stages.packaging.limitations import find_limitations
from job.stages.packaging.metadata import Findings, make_metadata


def list_label_issues(tables: Tables, candidate: TrainedCandidate) -> dict[str, bytes]:
    """Return the file of suspected label errors by its name; empty if the file is not enabled.

    The file contains positions, labels and ids of rows.  It is stored with the run, not published.
    """
    noise = candidate.evaluation.label_noise
    if noise is None or not noise.issues:
        return {}
    ids = tables.dataset.strings("id")
    by_row = None if ids is None else {issue.row: ids[issue.row] for issue in noise.issues}
    issues = LabelIssues.of(noise.issues, noise.n_rows, by_row)
    return {LABEL_ISSUES_FILE: issues.to_bytes()}


def package(
    context: RunContext,
    tables: Tables,
    claim: Claim,
    *,
    candidate: TrainedCandidate,
    drift: Drift,
    verdict: Verdict,
) -> dict[str, bytes]:
    """Return the files of a version, or the reports of a rejected candidate, by name."""
    split, validation = candidate.split, tables.validation
    evaluation = Evaluation(
        **candidate.evaluation.fields(),
        model_bytes=len(candidate.payload),
        gate=verdict.decision,
        search=candidate.search,
        split=split.report,
        drift=drift.report,
    )
    metadata = make_metadata(
        context.plan,
        claim,
        tables.dataset,
        split,
        candidate.model,
        _gather_findings(context.plan, claim, tables, candidate, verdict, evaluation),
        compatible_with=candidate.compatible_with,
    )
    if verdict.champion is not None:
        changed = compare_metadata(verdict.champion.metadata, metadata)
        changes = Changes(champion=verdict.champion.version, changed=changed)
        evaluation = evaluation.copy_with(changes=changes)
    renderer = context.ports.renderer
    files = make_bundle(candidate.models, metadata, evaluation, validation, split.train, renderer)
    return {**files, **drift.profile.files()}


def _gather_findings(
    plan: Plan,
    claim: Claim,
    tables: Tables,
    candidate: TrainedCandidate,
    verdict: Verdict,
    evaluation: Evaluation,
) -> Findings:
    """Return the findings of evaluation and gate for the metadata."""
    decision, champion = verdict.decision, verdict.champion
    published = Evaluation.parse(evaluation.to_bytes())
    return Findings(
        evaluation=evaluation,
        decision=decision,
        cross_fit=describe_cross_fit(evaluation.cross_fit, candidate.group_errors),
        sets_anchor=choose_anchor(plan, claim.version, decision, champion),
        limitations=tuple(find_limitations(published, tables.validation, plan.settings)),
    )
