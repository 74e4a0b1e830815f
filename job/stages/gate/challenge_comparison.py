"""Compare the candidate with the champion on the challenge set; neither was trained on it."""

from __future__ import annotations

from job.contracts.dataset import Rows
from job.contracts.messages import pluralize
from job.contracts.reports.comparison import Comparison
from job.contracts.reports.gate import Criterion
from job.contracts.settings.gate import GateSpec
from job.registry.champion import PublishedVersion
from job.stages.data.leakage_keys import key_kind
from job.stages.gate.comparison import (
    count_compared,
    find_embedding_problem,
    has_too_few,
    match_input,
)
from job.stages.gate.held_out_comparison import ComparedModel, ComparisonSpec, compare_models
from job.stages.lineage.training_rows import find_lineage_problem, was_trained_on


def compare_on_challenge(
    champion: PublishedVersion,
    candidate: ComparedModel,
    requests: Rows,
    spec: ComparisonSpec,
) -> Comparison:
    """Compare the candidate's model and the champion's on requests of the challenge set.

    Requests that the champion was trained on are left out, and so are their near-duplicates.
    `requests` are the evaluation requests of the set, with their near-duplicate groups.
    """
    comparison = Comparison(
        role=champion.role,
        version=champion.version,
        metric=spec.paired.metric.name,
        basis="challenge",
        is_advisory=True,
    )
    metadata = champion.metadata
    feature_blocks = match_input(
        metadata, requests, spec.list_inputs(candidate), spec.training.columns
    )
    if feature_blocks is None:
        problem = "it takes an input that the challenge set does not have"
        return comparison.copy_with(problem=problem)
    problem = find_lineage_problem(champion) or find_embedding_problem(
        metadata, feature_blocks, candidate.embedding_model
    )
    if problem:
        return comparison.copy_with(problem=problem)
    is_same = candidate.equals(champion)
    unseen = requests if is_same else select_unseen(champion, requests)
    comparison = count_compared(comparison, requests, unseen)
    if not is_same and has_too_few(comparison):
        n_rows, n_groups = comparison.n_rows, comparison.n_groups
        few = f"{pluralize(n_rows, 'request')} in {pluralize(n_groups, 'group')}"
        problem = f"only {few} of the challenge set are new to it, too few to decide"
        return comparison.copy_with(problem=problem)
    return compare_models(comparison, champion, candidate, unseen, feature_blocks, spec=spec)


def select_unseen(version: PublishedVersion, requests: Rows) -> Rows:
    """Return the requests that the version was not trained on.

    A version stores digests of its training rows' leakage keys.  If these digests cannot be
    compared with the keys of the requests, for example because the requests have no texts, all
    requests are returned.
    """
    kind = key_kind(requests.text_keys)
    if (version.metadata.training_keys_of or kind) != kind:
        return requests
    return requests.take(~was_trained_on(version, requests, requests))


def judge_challenge(comparison: Comparison, spec: GateSpec) -> Criterion:
    """Return the criterion of the challenge set; it is not met if the score is shown to drop.

    A drop is shown if the complete interval is below 0.  Non-inferiority is not required, because a
    small set cannot show it.
    """
    difference, version = comparison.difference, comparison.version
    name = f"challenge_{comparison.role}"
    if difference is None:
        return Criterion(
            name=name,
            value=None,
            threshold=None,
            is_met=False,
            is_binding=False,
            reason=f"{comparison.role} {version} cannot be compared on the challenge set: "
            f"{comparison.problem}",
        )
    left_out = ""
    if comparison.n_excluded:
        left_out = (
            f" (without {pluralize(comparison.n_excluded, 'request')} that it was trained on)"
        )
    return Criterion(
        name=name,
        value=difference.value,
        threshold=0.0,
        is_met=difference.upper >= 0,
        is_binding=True,
        reason=f"{comparison.metric} {comparison.candidate_score:.4f}, {comparison.role} "
        f"{version} {comparison.champion_score:.4f}, on the same "
        f"{pluralize(comparison.n_rows, 'request')} of the challenge set{left_out}: difference "
        f"{difference.value:+.4f}, {1 - 2 * spec.alpha:.0%} interval {difference.lower:+.4f} to "
        f"{difference.upper:+.4f}; required: the upper end is not below 0",
        lower=difference.lower,
        upper=difference.upper,
    )
