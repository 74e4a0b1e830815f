"""Choose the candidate by the challenge set, instead of by the folds of the table.

How it works
------------
1. Every candidate that has met all folds of the search is fitted to all training rows, as the
   published model will be, but for a temperature. Those of one input share the preprocessing.
2. Each predicts the choosing requests of the challenge set.
3. The one with the best score (`search.metric`) is chosen; among equals, the one that the table has
   chosen, then the one with the best mean over its folds, then the first.

The folds play no part otherwise, so a cross-fitted evaluation has no choice to repeat.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import structlog

from job.contracts.dataset import Rows
from job.contracts.metrics import Metric
from job.contracts.ports import Executor
from job.contracts.reports.search import CandidateScore, SearchReport
from job.contracts.settings.job_settings import TrainingSpec
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.features.preprocessing import select_blocks
from job.stages.metrics.predictions import predict
from job.stages.metrics.search_metric import score_of
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
    """Return the report with the candidate that is best on these requests.

    Parameters
    ----------
    requests
        The choosing part of the challenge set.
    feature_matrices
        Of the training rows.
    """
    candidates = list(report.candidates)
    finalizts = [n for n, c in enumerate(candidates) if c.ended is None]
    of_table = candidates.index(report.chosen)
    for feature_blocks in dict.fromkeys(candidates[n].feature_blocks for n in finalizts):
        some = [n for n in finalizts if candidates[n].feature_blocks == feature_blocks]
        models = _fit(
            [candidates[n] for n in some], report, train, feature_matrices, spec, executor=executor
        )
        inputs = select_blocks(requests, feature_blocks, spec.columns)
        for n, model in zip(some, models, strict=True):
            score = score_of(predict(model, inputs, feature_blocks), Metric(report.metric))
            rounded = None if score is None else round(score, 6)
            candidates[n] = replace(candidates[n], challenge_score=rounded)
    best = max(finalizts, key=lambda n: _rank(candidates[n], is_of_table=n == of_table))
    chosen = candidates[best]
    log.info(
        "candidate_chosen_on_challenge",
        estimator=chosen.estimator,
        parameters=dict(chosen.parameters),
        metric=report.metric,
        score=chosen.challenge_score,
        n_rows=len(requests),
        n_candidates=len(finalizts),
        is_choice_of_table=best == of_table,
    )
    return replace(
        report,
        candidates=tuple(candidates),
        chosen=chosen,
        baselines=choose_baselines(candidates, chosen.feature_blocks),
        chosen_on="challenge",
    )


def _fit(
    candidates: list[CandidateScore],
    report: SearchReport,
    train: Rows,
    feature_matrices: FeatureMatrices,
    spec: TrainingSpec,
    *,
    executor: Executor,
) -> list[Any]:
    """Return the models of candidates of one input, fitted to all training rows."""
    first, *others = candidates
    asked = replace(report, chosen=first, baselines=tuple(others))
    model = train_model(train, feature_matrices, asked, spec, executor)
    return [model.pipeline, *(pipeline for _, pipeline in model.baselines)]


def _rank(candidate: CandidateScore, *, is_of_table: bool) -> tuple[float, bool, float]:
    """Return what orders candidates, best last: of equals the choice of the table comes first.

    A score that is not defined is the worst.
    """
    score = candidate.challenge_score
    return (-math.inf if score is None else score, is_of_table, candidate.mean_score)
