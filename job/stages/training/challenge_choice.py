"""Choose the candidate by its score on the challenge set instead of by cross-validation.

How it works
------------
1. Every candidate that completed all folds of the search is refitted to all training rows.
   Temperature scaling and the handling of restandardized batches are left out: only the published
   model has them.  Candidates with the same feature blocks share the preprocessing.
2. Each refitted candidate predicts the requests of the challenge set that are used for choosing.
3. The candidate with the best score (`search.metric`) is chosen.  In a tie, it is the one that the
   cross-validation chose, else the one with the highest mean over the folds, else the first.

A restandardized batch is a batch of embeddings that was standardized on its own rows.  Scores on
the table only break ties, so a cross-fitted evaluation need not repeat the choice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import structlog

from job.contracts.dataset import Rows
from job.contracts.metrics import METRICS
from job.contracts.model import Classifier
from job.contracts.ports import Executor
from job.contracts.reports.search import CandidateScore, SearchReport
from job.contracts.settings.job_settings import TrainingSpec
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.features.preprocessing import select_blocks
from job.stages.metrics.predictions import predict
from job.stages.metrics.search_metric import compute_score
from job.stages.training.refit import train_model
from job.stages.training.search import choose_baselines

log = structlog.get_logger(__name__)


def choose_on_challenge(
    report: SearchReport,
    requests: Rows,
    train: Rows,
    feature_matrices: FeatureMatrices,
    *,
    spec: TrainingSpec,
    executor: Executor,
) -> SearchReport:
    """Choose the candidate that scores best on `requests`, and return the new search report.

    Parameters
    ----------
    requests
        The requests of the challenge set that are used to choose the candidate.
    feature_matrices
        Feature matrices of the training rows.
    """
    cv_choice = report.candidates.index(report.chosen)
    candidates = _score_finalists(report, requests, train, feature_matrices, spec, executor)
    finalists = _find_finalists(candidates)
    best = max(finalists, key=lambda n: _rank(candidates[n], is_cv_choice=n == cv_choice))
    chosen = candidates[best]
    log.info(
        "candidate_chosen_on_challenge",
        estimator=chosen.estimator,
        parameters=dict(chosen.parameters),
        metric=report.metric,
        score=chosen.challenge_score,
        n_rows=len(requests),
        n_candidates=len(finalists),
        is_choice_of_table=best == cv_choice,
    )
    return report.copy_with(
        candidates=tuple(candidates),
        chosen=chosen,
        baselines=choose_baselines(candidates, chosen.feature_blocks),
        chosen_on="challenge",
    )


def _find_finalists(candidates: Sequence[CandidateScore]) -> list[int]:
    """Return the positions of the candidates that completed all folds."""
    return [n for n, candidate in enumerate(candidates) if candidate.ended is None]


def _score_finalists(
    report: SearchReport,
    requests: Rows,
    train: Rows,
    feature_matrices: FeatureMatrices,
    spec: TrainingSpec,
    executor: Executor,
) -> list[CandidateScore]:
    """Return copies of the report's candidates, with their scores on the challenge set.

    Candidates that did not complete all folds get no score.
    """
    candidates, finalists = list(report.candidates), _find_finalists(report.candidates)
    for feature_blocks in dict.fromkeys(candidates[n].feature_blocks for n in finalists):
        positions = [n for n in finalists if candidates[n].feature_blocks == feature_blocks]
        models = _fit(
            [candidates[n] for n in positions],
            report,
            train,
            feature_matrices,
            spec,
            executor=executor,
        )
        inputs = select_blocks(requests, feature_blocks, spec.columns)
        for n, model in zip(positions, models, strict=True):
            score = compute_score(predict(model, inputs, feature_blocks), METRICS[report.metric])
            rounded = None if score is None else round(score, 6)
            candidates[n] = candidates[n].copy_with(challenge_score=rounded)
    return candidates


def _fit(
    candidates: list[CandidateScore],
    report: SearchReport,
    train: Rows,
    feature_matrices: FeatureMatrices,
    spec: TrainingSpec,
    *,
    executor: Executor,
) -> list[Classifier]:
    """Return a model for each candidate, fitted to all training rows with shared preprocessing."""
    first, *others = candidates
    # `train_model` fits the chosen candidate and the baselines of a report on one feature matrix
    report = report.copy_with(chosen=first, baselines=tuple(others))
    model = train_model(train, feature_matrices, report, spec, executor)
    return [model.pipeline, *(pipeline for _, pipeline in model.baselines)]


def _rank(candidate: CandidateScore, *, is_cv_choice: bool) -> tuple[float, bool, float]:
    """Return the sort key of a candidate.  A better candidate has a larger key."""
    score = candidate.challenge_score
    return (-math.inf if score is None else score, is_cv_choice, candidate.mean_score)
