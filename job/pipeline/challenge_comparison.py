"""Compare published models on the challenge set, in a run and in `pcc-job gate`."""

from __future__ import annotations

from job.contracts.dataset import Rows
from job.contracts.model import TrainedModel
from job.contracts.plan import Plan
from job.contracts.reports.challenge import Challenge
from job.contracts.reports.comparison import Comparison
from job.contracts.version_files import MODEL_FILE
from job.registry.champion import PublishedVersion
from job.stages.evaluation.challenge_scores import score_challenge
from job.stages.evaluation.evaluated_rows import EvaluatedRows
from job.stages.features.preprocessing import select_blocks
from job.stages.gate.challenge_comparison import compare_on_challenge, select_unseen
from job.stages.gate.held_out_comparison import ComparedModel, ComparisonSpec
from job.stages.metrics.predictions import predict
from job.stages.split.challenge_halves import ChallengeSet, make_challenge_set


def compare_champion(
    plan: Plan,
    challenge: ChallengeSet,
    champion: PublishedVersion,
    model: TrainedModel,
    *,
    payload: bytes,
    embedding_model: str,
) -> Comparison:
    """Compare the published models of candidate and champion on the challenge set.

    Only the requests for evaluating (`challenge.evaluating`) are used.

    Parameters
    ----------
    model, payload, embedding_model
        The candidate's model, the bytes of its model.joblib, and the name of its embedding model.
    """
    s = plan.settings
    return compare_on_challenge(
        champion,
        ComparedModel(model=model, payload=payload, embedding_model=embedding_model),
        challenge.evaluating,
        ComparisonSpec(training=s.training, paired=s.paired),
    )


def evaluate_version(
    plan: Plan,
    requests: Rows,
    *,
    new: PublishedVersion,
    old: PublishedVersion,
    model: TrainedModel,
    embedding_model: str,
) -> tuple[Challenge | None, tuple[Comparison, ...]]:
    """Evaluate version `new` on the requests that it was not trained on; compare it with `old`.

    Returns
    -------
    scores, comparisons
        The scores of `new`, and its comparison with `old`.  `scores` is None and `comparisons` is
        empty if `new` was trained on all requests, or takes an input that the settings do not name.
    """
    s = plan.settings
    if model.feature_blocks not in (s.search.inputs or (s.features.use,)):
        return None, ()
    unseen = select_unseen(new, requests)
    if not len(unseen):
        return None, ()
    challenge = make_challenge_set(unseen, s.evaluation.challenge_split, s.split.salt, n_dropped=0)
    evaluating = select_blocks(challenge.evaluating, model.feature_blocks, s.dataset.columns)
    predictions = predict(model.pipeline, evaluating, model.feature_blocks)
    evaluated = EvaluatedRows.of(evaluating, predictions, s.scoring)
    scores = score_challenge(evaluated, challenge, labels=unseen.y, used_for=())
    payload = new.files[MODEL_FILE]
    comparison = compare_champion(
        plan, challenge, old, model, payload=payload, embedding_model=embedding_model
    )
    return scores, (comparison,)
