"""The challenge set (real requests) in a run: read it, choose the candidate, and evaluate.

How it works
------------
1. The set is read like the table.  The run fails if the candidates cannot predict the requests.
2. The *requests for choosing* can be used to choose the candidate and to learn the threshold.  The
   *requests for evaluating* are used to score the published model and to compare it with the
   champion.  With `evaluation.challenge_split=half`, one half of the set is for choosing and the
   other half is for evaluating.  Otherwise all requests are used for both purposes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import structlog

from job.contracts.arrays import Array
from job.contracts.dataset import Dataset, Rows
from job.contracts.model import TrainedModel
from job.contracts.plan import Plan
from job.contracts.reports.challenge import Challenge, Purpose
from job.contracts.reports.decision_threshold import Decision, Threshold
from job.contracts.reports.evaluation import ModelEvaluation
from job.contracts.reports.search import SearchReport
from job.contracts.settings.job_settings import TrainingSpec
from job.pipeline.requests import read_requests
from job.pipeline.run_context import RunContext
from job.stages.data.challenge_validation import validate_challenge
from job.stages.data.rows import make_rows
from job.stages.evaluation.challenge_scores import score_challenge
from job.stages.evaluation.evaluated_rows import EvaluatedRows
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.features.preprocessing import select_blocks
from job.stages.metrics.predictions import Predictions, predict
from job.stages.packaging.metadata import name_embedding_model
from job.stages.split.challenge_halves import ChallengeSet, cut_request_folds
from job.stages.split.split import DataSplit
from job.stages.training.challenge_choice import choose_on_challenge
from job.stages.training.challenge_threshold import (
    N_FOLDS,
    learn_threshold,
    measure_threshold,
    withhold_threshold,
)

log = structlog.get_logger(__name__)


def load_challenge(
    context: RunContext, uri: str, *, table: Dataset, table_rows: Rows
) -> tuple[Rows, str]:
    """Read the challenge set, and raise if the candidates cannot be evaluated on it.

    Returns
    -------
    rows, content_digest
        The rows of the set, and the digest of their content.  Near-duplicates among the rows are
        not grouped yet.
    """
    s = context.settings
    required = frozenset({s.dataset.columns.target})
    dataset = read_requests(context, uri, name="challenge", required=required)
    with context.stage("validate"):
        validate_challenge(
            dataset,
            table,
            table_rows.y,
            uses=s.search.inputs or (s.features.use,),
            columns=s.dataset.columns,
            embedding_model=name_embedding_model(table, s.publish),
        )
    rows = make_rows(
        dataset,
        np.ones(dataset.n_rows, bool),
        s.features.use,
        needs_templates=s.split.near_duplicates in ("auto", "text"),
    )
    return rows, dataset.provenance.content_digest


def choose_candidate(
    context: RunContext,
    spec: TrainingSpec,
    *,
    split: DataSplit,
    report: SearchReport,
    feature_matrices: FeatureMatrices,
) -> SearchReport:
    """Return the search report; if configured, with a candidate chosen on the challenge set."""
    challenge = split.challenge
    if challenge is None or context.settings.search.choose_on != "challenge":
        return report
    if not challenge.is_halved:
        log.warning("challenge_set_used_up", n_rows=len(challenge.rows))
    with context.stage("choose"):
        return choose_on_challenge(
            report,
            challenge.choosing,
            split.train,
            feature_matrices,
            spec=spec,
            executor=context.ports.executor,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeEvaluation:
    """The scores on the challenge set, and the decision threshold.

    `decision` is None if the threshold was not learned on the challenge set.
    """

    challenge: Challenge
    decision: Decision | None

    def add_to(self, evaluation: ModelEvaluation) -> ModelEvaluation:
        """Return a copy of `evaluation` with these challenge scores.

        If the threshold was learned on the challenge set, the copy also has this threshold.
        """
        decision = evaluation.decision if self.decision is None else self.decision
        return evaluation.copy_with(challenge=self.challenge, decision=decision)


def evaluate_on_challenge(
    plan: Plan, challenge: ChallengeSet, model: TrainedModel, labels: Array
) -> ChallengeEvaluation:
    """Evaluate the published model on the set; learn the threshold on the set if configured.

    Parameters
    ----------
    labels
        Labels of the table's rows; the set may lack requests of some classes.
    """
    s, columns = plan.settings, plan.settings.dataset.columns
    evaluating = select_blocks(challenge.evaluating, model.feature_blocks, columns)
    predictions = predict(model.pipeline, evaluating, model.feature_blocks)
    is_learning = s.learns_on_challenge and s.decision.target_precision is not None
    purposes: dict[Purpose, bool] = {
        "choice": s.search.choose_on == "challenge",
        "threshold": is_learning,
    }
    evaluated = EvaluatedRows.of(evaluating, predictions, s.scoring)
    scores = score_challenge(
        evaluated,
        challenge,
        labels=labels,
        used_for=tuple(name for name, is_asked in purposes.items() if is_asked),
    )
    decision = None
    if is_learning:
        decision = _learn_decision(plan, challenge, model, evaluated)
    return ChallengeEvaluation(challenge=scores, decision=decision)


def _learn_decision(
    plan: Plan, challenge: ChallengeSet, model: TrainedModel, evaluated: EvaluatedRows
) -> Decision:
    """Learn the threshold on requests for choosing, and measure it on requests for evaluating."""
    s, fold = plan.settings, None
    threshold = _learn_threshold(plan, challenge, model, evaluated.predictions)
    if not challenge.is_halved:
        fold = cut_request_folds(evaluated.rows, N_FOLDS, s.split.salt)
    measured = measure_threshold(
        threshold,
        evaluated.predictions,
        evaluated.bootstrap,
        fold=fold,
        decision=s.decision,
        evaluation=s.evaluation,
    )
    log.info(
        "threshold_learnt_on_challenge",
        threshold=threshold.value,
        status=threshold.status,
        n_rows=threshold.n_rows,
        n_answered=measured.n_answered,
    )
    return measured


def _learn_threshold(
    plan: Plan, challenge: ChallengeSet, model: TrainedModel, predictions: Predictions
) -> Threshold:
    """Learn the threshold on the requests for choosing.

    `predictions` are those of the requests for evaluating.  Unless the set is halved, the requests
    for choosing are the same requests.
    """
    s = plan.settings
    choosing = select_blocks(challenge.choosing, model.feature_blocks, s.dataset.columns)
    if challenge.is_halved:
        predictions = predict(model.pipeline, choosing, model.feature_blocks)
    threshold = learn_threshold(predictions, choosing.groups, s.decision, s.evaluation)
    if s.search.choose_on == "challenge" and not challenge.is_halved:
        return withhold_threshold(threshold)
    return threshold
