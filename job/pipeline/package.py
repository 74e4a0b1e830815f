"""Make all files of a version; if the candidate is not published, only its reports are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from job.contracts.identity import Digest
from job.contracts.reports.evaluation import Changes, Evaluation
from job.contracts.reports.label_issues import LabelIssues
from job.contracts.reports.manifest import FileEntry
from job.contracts.reports.metadata import Metadata, PublishedLineage
from job.contracts.version_files import LABEL_ISSUES_FILE
from job.pipeline.drift import Drift
from job.pipeline.intake import Tables
from job.pipeline.judge_candidate import Verdict
from job.pipeline.lineage import Trace
from job.pipeline.run_context import RunContext
from job.pipeline.train_candidate import TrainedCandidate
from job.registry.champion import PublishedVersion
from job.registry.claims import Claim
from job.registry.lineage_files import LINEAGE_SUFFIX, PROFILE_SUFFIX
from job.registry.metadata_diff import compare_metadata
from job.registry.run_promotion import choose_anchor
from job.stages.gate.group_errors import GroupErrors
from job.stages.gate.kept_errors import describe_cross_fit
from job.stages.packaging.bundle import make_bundle
from job.stages.packaging.limitations import find_limitations
from job.stages.packaging.metadata import Findings, make_metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """What a run stores if its candidate is published.

    Attributes
    ----------
    files
        All files of the version except the manifest, by name.
    lineage
        Lineage files (keyed digests of the rows), by the suffix of their names.
    group_errors
        Numbers of cross-fitted errors by group of rows; None with a hold-out.
    """

    files: Mapping[str, bytes]
    lineage: Mapping[str, bytes]
    group_errors: GroupErrors | None


def list_label_issues(tables: Tables, candidate: TrainedCandidate) -> dict[str, bytes]:
    """Return the file of suspected label errors by its name; empty if no error is listed.

    The file contains positions, labels and ids of rows.  So it is stored with the run, and is not
    published.
    """
    noise = candidate.evaluation.label_noise
    if noise is None or not noise.issues:
        return {}
    ids = tables.dataset.strings("id")
    by_row = None if ids is None else {issue.row: ids[issue.row] for issue in noise.issues}
    issues = LabelIssues.of(noise.issues, noise.n_rows, by_row)
    return {LABEL_ISSUES_FILE: issues.to_bytes()}


def make_package(
    context: RunContext,
    tables: Tables,
    trace: Trace,
    candidate: TrainedCandidate,
    drift: Drift,
    verdict: Verdict,
    claim: Claim,
) -> Package:
    """Make everything that a run stores if its candidate is published as the version of `claim`."""
    lineage = _make_lineage_files(trace, drift)
    group_errors = candidate.count_errors(trace.key)
    evaluation = _complete_evaluation(candidate, drift, verdict)
    published = Evaluation.parse(evaluation.to_bytes())
    limitations = find_limitations(published, tables.validation, context.settings)
    findings = Findings(
        evaluation=evaluation,
        decision=verdict.decision,
        cross_fit=describe_cross_fit(evaluation.cross_fit, group_errors),
        sets_anchor=choose_anchor(context.plan, claim.version, verdict.decision, verdict.champion),
        limitations=tuple(limitations),
        lineage=_describe_lineage(trace, lineage),
        model_files=tuple(FileEntry.of(*item) for item in sorted(candidate.models.items())),
    )
    metadata = make_metadata(
        context.plan,
        claim,
        tables.dataset,
        candidate.split,
        candidate.model,
        findings,
        compatible_with=candidate.compatible_with,
    )
    evaluation = _add_changes(evaluation, verdict.champion, metadata)
    files = make_bundle(
        candidate.models, metadata, evaluation, tables.validation, context.ports.renderer
    )
    return Package(files=files, lineage=lineage, group_errors=group_errors)


def _complete_evaluation(candidate: TrainedCandidate, drift: Drift, verdict: Verdict) -> Evaluation:
    """Return the candidate's evaluation with the results of search, split, drift and gate."""
    return Evaluation(
        **candidate.evaluation.fields(),
        model_bytes=len(candidate.payload),
        gate=verdict.decision,
        search=candidate.search,
        split=candidate.split.report,
        drift=drift.report,
    )


def _add_changes(
    evaluation: Evaluation, champion: PublishedVersion | None, metadata: Metadata
) -> Evaluation:
    """Return the evaluation with the changes since the champion, if there is one."""
    if champion is None:
        return evaluation
    changed = compare_metadata(champion.metadata, metadata)
    return evaluation.copy_with(changes=Changes(champion=champion.version, changed=changed))


def _make_lineage_files(trace: Trace, drift: Drift) -> dict[str, bytes]:
    """Return the lineage files, by the suffix of their names."""
    return {
        LINEAGE_SUFFIX: replace(trace.lineage, words=drift.profile.vocabulary).to_bytes(),
        PROFILE_SUFFIX: drift.profile.to_bytes(),
    }


def _describe_lineage(trace: Trace, files: Mapping[str, bytes]) -> PublishedLineage:
    """Return `lineage` of metadata.json: the id of the key, and digests of the lineage files."""
    return PublishedLineage(
        key_id=trace.key.id,
        digest=str(Digest.of(files[LINEAGE_SUFFIX])),
        profile_digest=str(Digest.of(files[PROFILE_SUFFIX])),
    )
