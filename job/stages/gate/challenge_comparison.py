"""Compare the candidate with the champion on the challenge set, which neither was trained on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from job.contracts.dataset import Rows
from job.contracts.messages import pluralize
from job.contracts.model import TrainedModel
from job.contracts.ports import Codec
from job.contracts.reports.comparison import Comparison
from job.contracts.reports.gate import Criterion
from job.contracts.settings.gate import GateSpec, PairedSpec
from job.contracts.settings.job_settings import TrainingSpec
from job.registry.published import PublishedVersion
from job.stages.data.leakage_keys import key_kind
from job.stages.gate.comparison import (
    MIN_ROWS,
    compare_models,
    find_embedding_problem,
    match_input,
    was_trained_on,
)
from job.stages.metrics.confidence_bounds import MIN_GROUPS


def compare_on_challenge(
    champion: PublishedVersion,
    candidate: TrainedModel,
    requests: Rows,
    codec: Codec,
    *,
    training: TrainingSpec,
    paired: PairedSpec,
    embedding_model: str,
    payload: bytes,
) -> Comparison:
    """Compare both published models on the judging requests.

    Requests that the champion was trained on, or that are near-duplicates of such ones, are left
    out, as far as its training keys tell: those of a table with texts say nothing of a set without.

    Parameters
    ----------
    payload
        The candidate as bytes.
    """
    told = Comparison(
        role=champion.role,
        version=champion.version,
        metric=paired.metric.value,
        basis="challenge",
        is_advisory=True,
    )
    metadata = champion.metadata
    uses = (candidate.feature_blocks, *training.search.inputs)
    feature_blocks = match_input(metadata, requests, uses, training.columns)
    if feature_blocks is None:
        return replace(told, problem="it takes another input than the challenge set has")
    if problem := find_embedding_problem(metadata, feature_blocks, embedding_model):
        return replace(told, problem=problem)
    is_same = champion.files["model.joblib"] == payload
    fresh = requests if is_same else take_unseen(champion, requests)
    n_rows, n_groups = len(fresh), len(np.unique(fresh.groups))
    told = replace(told, n_rows=n_rows, n_groups=n_groups, n_excluded=len(requests) - n_rows)
    if not is_same and (n_rows < MIN_ROWS or n_groups < MIN_GROUPS):
        few = f"{pluralize(n_rows, 'request')} in {pluralize(n_groups, 'group')}"
        return replace(told, problem=f"{few} of the challenge set are new to it, too few to tell")
    return compare_models(
        told,
        champion,
        candidate,
        fresh,
        feature_blocks,
        codec,
        training=training,
        paired=paired,
        is_same=is_same,
    )


def take_unseen(version: PublishedVersion, requests: Rows) -> Rows:
    """Return the requests that a version was not trained on, as far as its training keys tell."""
    kind = key_kind(requests.text_keys)
    if version.metadata.get("training_keys_of", kind) != kind:
        return requests
    return requests.take(~was_trained_on(version, requests, requests))


def judge_challenge(comparison: Comparison, spec: GateSpec) -> Criterion:
    """Reject where a drop is shown: where the interval lies wholly below 0.

    A small set cannot show that nothing was lost, so that is not asked for.
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
            f" ({pluralize(comparison.n_excluded, 'request')} that it was trained on left out)"
        )
    return Criterion(
        name=name,
        value=difference.value,
        threshold=0.0,
        is_met=difference.upper >= 0,
        is_binding=True,
        reason=f"{comparison.metric} {comparison.candidate_score:.4f} where {comparison.role} "
        f"{version} has {comparison.champion_score:.4f} on the same "
        f"{pluralize(comparison.n_rows, 'request')} of the challenge set{left_out}: difference "
        f"{difference.value:+.4f}, {1 - 2 * spec.alpha:.0%} interval {difference.lower:+.4f} to "
        f"{difference.upper:+.4f}; it is rejected where all of the interval is below 0",
        lower=difference.lower,
        upper=difference.upper,
    )
