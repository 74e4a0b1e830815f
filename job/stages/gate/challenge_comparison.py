"""Compare the candidate with the champion on the challenge set, which neither was trained on."""

from __future__ import annotations

import numpy as np

from job.contracts.dataset import Rows
from job.contracts.messages import pluralize
from job.contracts.model import TrainedModel
from job.contracts.ports import Codec
from job.contracts.reports.comparison import Comparison
from job.contracts.reports.gate import Criterion
from job.contracts.settings.gate import GateSpec, PairedSpec
from job.contracts.settings.job_settings import TrainingSpec
from job.contracts.version_files import MODEL_FILE
from job.registry.champion import PublishedVersion
from job.stages.data.leakage_keys import key_kind
from job.stages.gate.comparison import (
    MIN_ROWS,
    find_embedding_problem,
    match_input,
    was_trained_on,
)
from job.stages.gate.held_out_comparison import compare_models
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
    """Compare both published models on requests of the challenge set.

    Requests that the champion was trained on, and near-duplicates of such requests, are left out.

    Parameters
    ----------
    requests
        Requests that the models are evaluated on, with their near-duplicate groups.
    payload
        The candidate as bytes.
    """
    comparison = Comparison(
        role=champion.role,
        version=champion.version,
        metric=paired.metric.name,
        basis="challenge",
        is_advisory=True,
    )
    metadata = champion.metadata
    uses = (candidate.feature_blocks, *training.search.inputs)
    feature_blocks = match_input(metadata, requests, uses, training.columns)
    if feature_blocks is None:
        return comparison.copy_with(problem="it takes another input than the challenge set has")
    if problem := find_embedding_problem(metadata, feature_blocks, embedding_model):
        return comparison.copy_with(problem=problem)
    is_same = champion.files[MODEL_FILE] == payload
    unseen = requests if is_same else select_unseen(champion, requests)
    n_rows, n_groups = len(unseen), len(np.unique(unseen.groups))
    comparison = comparison.copy_with(
        n_rows=n_rows, n_groups=n_groups, n_excluded=len(requests) - n_rows
    )
    if not is_same and (n_rows < MIN_ROWS or n_groups < MIN_GROUPS):
        few = f"{pluralize(n_rows, 'request')} in {pluralize(n_groups, 'group')}"
        problem = f"{few} of the challenge set are new to it, too few to tell"
        return comparison.copy_with(problem=problem)
    return compare_models(
        comparison,
        champion,
        candidate,
        unseen,
        feature_blocks,
        codec,
        training=training,
        paired=paired,
        is_same=is_same,
    )


def select_unseen(version: PublishedVersion, requests: Rows) -> Rows:
    """Return the requests that a version was not trained on, by its training keys.

    If the keys are of another kind than the set's, of texts for a set without texts for instance,
    they show nothing, and all requests are returned.
    """
    kind = key_kind(requests.text_keys)
    if version.metadata.get("training_keys_of", kind) != kind:
        return requests
    return requests.take(~was_trained_on(version, requests, requests))


def judge_challenge(comparison: Comparison, spec: GateSpec) -> Criterion:
    """Return the criterion of the challenge set: no drop may be shown.

    A drop is shown if the whole interval is below 0. A small set cannot show non-inferiority, so
    that is not required.
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
