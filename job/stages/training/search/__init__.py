"""Search: cross-validate all candidates, and choose one.

How it works
------------
1. The grids are expanded to candidates (`candidates`).
2. Without successive halving, there is one round with all rows.  With successive halving, each
   round has more rows and fewer candidates than the one before (`successive_halving`).
3. In each round all candidates are scored on the same folds of whole groups (`cross_validation`).
4. One of the candidates that completed the last round is chosen (`choice`).
5. A search that exceeds `max_seconds` ends after the current fold, and the best candidate so far is
   chosen (`schedule`); results are then not reproducible.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import structlog

from job.contracts.arrays import Array
from job.contracts.dataset import Rows
from job.contracts.metric_kinds import MetricDefinition
from job.contracts.ports import Executor, Timer
from job.contracts.reports.search import (
    CandidateScore,
    Preference,
    SearchedLabels,
    SearchReport,
)
from job.contracts.settings.job_settings import TrainingSpec
from job.contracts.settings.search import FeatureBlocks
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.metrics.search_metric import is_label_metric
from job.stages.split.folds import Fold, make_folds, sample_groups
from job.stages.training.estimators import BASELINES, find_kind
from job.stages.training.search.candidates import Candidate, list_candidates
from job.stages.training.search.choice import choose
from job.stages.training.search.cross_validation import FoldScorer
from job.stages.training.search.preference import find_preferred
from job.stages.training.search.schedule import Schedule
from job.stages.training.search.successive_halving import keep_best

log = structlog.get_logger(__name__)


def search(
    train: Rows,
    feature_matrices: FeatureMatrices,
    spec: TrainingSpec,
    executor: Executor,
    timer: Timer,
) -> SearchReport:
    """Score all candidates on the same folds, and choose one.

    Parameters
    ----------
    feature_matrices
        Feature matrices of the training rows.
    timer
        Returns the time in seconds, which is compared with `max_seconds`.

    Raises
    ------
    ConfigurationError
        An estimator lacks a parameter or rejects its value.
    TrainingError
        The rows cannot be split into `search.folds` folds.
    """
    schedule = Schedule(spec.search, timer)
    candidates = list_candidates(spec.search, spec.features.use, spec.random_state)
    scorer = FoldScorer(train, feature_matrices, spec, executor)
    scores, remaining = _run_rounds(candidates, train, spec, scorer, schedule)
    labels = scorer.labels(len(candidates))
    prefers: Preference = "wording" if spec.search.prefer == "wording" else "score"
    chosen = _choose(scores, remaining, labels, spec.search.metric, train.groups, prefers)
    _log_ends(scores, chosen, spec.search.max_seconds if schedule.is_over else None)
    return SearchReport(
        metric=spec.search.metric.name,
        is_cut_short=schedule.is_over,
        prefers=prefers,
        labels=labels,
        candidates=tuple(scores),
        chosen=chosen,
        baselines=choose_baselines(scores, chosen.feature_blocks),
    )


def _run_rounds(
    candidates: Sequence[Candidate],
    train: Rows,
    spec: TrainingSpec,
    scorer: FoldScorer,
    schedule: Schedule,
) -> tuple[list[CandidateScore], list[int]]:
    """Return all candidates' scores, and the positions of those that ran in the last round."""
    n_folds, seed = spec.search.folds, spec.random_state
    results: dict[int, CandidateScore] = {}
    remaining = list(range(len(candidates)))
    for search_round in schedule.rounds(len(candidates), train):
        if len(remaining) == 1 and results and not search_round.is_last:
            continue  # there is no other candidate to compare with
        positions = sample_groups(train, search_round.share, n_folds, seed)
        folds = [
            (positions[train_index], positions[test_index])
            for train_index, test_index in make_folds(train.take(positions), n_folds, seed)
        ]
        scorer.begin_round(search_round.share)
        results |= _run_round({n: candidates[n] for n in remaining}, folds, scorer, schedule)
        if schedule.is_over:
            break
        if search_round.halving_factor is not None:
            means = [results[n].mean_score for n in remaining]
            kept = [remaining[k] for k in keep_best(means, search_round.halving_factor)]
            results |= {n: results[n].copy_with(ended="halved") for n in remaining if n not in kept}
            remaining = kept
    return [results[n] for n in range(len(candidates))], remaining


def _run_round(
    candidates: Mapping[int, Candidate],
    folds: Sequence[Fold],
    scorer: FoldScorer,
    schedule: Schedule,
) -> dict[int, CandidateScore]:
    """Score the candidates in as many folds as the time budget allows.

    Arguments and result are dicts by the candidate's number.
    """
    scores: dict[int, list[float]] = {n: [] for n in candidates}
    for fold in schedule.within_time(folds):
        for n, score in scorer.score(candidates, fold).items():
            scores[n].append(score)
    return {
        n: CandidateScore(
            estimator=candidate.estimator,
            parameters=candidate.parameters,
            feature_blocks=candidate.feature_blocks,
            n_samples=sum(len(side) for side in folds[0]),
            fold_scores=tuple(scores[n]),
        )
        for n, candidate in candidates.items()
    }


def _choose(
    scores: Sequence[CandidateScore],
    remaining: Sequence[int],
    labels: SearchedLabels | None,
    metric: MetricDefinition,
    groups: Array,
    prefers: Preference,
) -> CandidateScore:
    """Return the candidate chosen among those at the `remaining` positions."""
    if labels is None or not is_label_metric(metric):
        return max((scores[n] for n in remaining), key=lambda c: c.mean_score)
    preferred = find_preferred(scores, prefers)
    return scores[choose(labels, remaining, metric, groups, preferred=preferred)]


def _log_ends(
    scores: Sequence[CandidateScore], chosen: CandidateScore, max_seconds: float | None
) -> None:
    """Log which candidates ended early, and the time budget if it ended the search."""
    ended = Counter(candidate.ended for candidate in scores if candidate.ended is not None)
    if ended:
        log.info("candidates_ended", n_candidates=len(scores), why=dict(ended))
    if max_seconds is not None:
        log.warning(
            "search_cut_short",
            max_seconds=max_seconds,
            n_folds=len(chosen.fold_scores),
            n_samples=chosen.n_samples,
            estimator=chosen.estimator,
            parameters=dict(chosen.parameters),
            use=chosen.feature_blocks,
        )


def choose_baselines(
    candidates: Sequence[CandidateScore], feature_blocks: FeatureBlocks
) -> tuple[CandidateScore, ...]:
    """Return, for each baseline estimator, the best candidate with these feature blocks."""
    return tuple(_find_best(candidates, name, feature_blocks) for name in BASELINES)


def _find_best(
    results: Sequence[CandidateScore], name: str, feature_blocks: FeatureBlocks
) -> CandidateScore:
    """Return the best candidate of the estimator `name` with these feature blocks.

    If the search had no such candidate, return one with default parameters and without a score.
    """
    matching = [c for c in results if c.estimator == name and c.feature_blocks == feature_blocks]
    default = tuple((k, v[0]) for k, v in find_kind(name).default_grid.items())
    unsearched = CandidateScore(
        estimator=name, parameters=default, feature_blocks=feature_blocks, fold_scores=()
    )
    # scores from later rounds and more folds are more reliable
    return max(
        matching, key=lambda c: (c.n_samples, len(c.fold_scores), c.mean_score), default=unsearched
    )
