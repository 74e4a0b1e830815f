"""Search: cross-validate all candidates, and choose one.

How it works
------------
1. The grids are expanded to candidates (`candidates`).
2. With successive halving, several rounds use a growing share of the rows and a shrinking part of
   the candidates (`successive_halving`); otherwise there is one round with all rows.
3. In each round all candidates are scored on the same folds of whole groups (`cross_validation`).
4. One of the candidates that completed the last round is chosen (`choice`).
5. `max_seconds` ends the search after the fold that exceeds it, and the best so far is chosen;
   results are then not reproducible.
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import structlog

from job.contracts.dataset import Rows
from job.contracts.ports import Executor, Timer
from job.contracts.reports.search import CandidateScore, Preference, SearchReport
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
from job.stages.training.search.successive_halving import keep_best, plan_rounds

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
        Those of the training rows.
    timer
        Returns the time in seconds, which is compared with `max_seconds`.

    Raises
    ------
    ConfigurationError
        An estimator lacks a parameter or rejects its value.
    TrainingError
        The rows cannot be cut into the number of folds.
    """
    settings, seed = spec.search, spec.random_state
    ends_at = timer() + (settings.max_seconds or math.inf)
    candidates = dict(enumerate(list_candidates(settings, spec.features.use, seed)))
    shares = plan_rounds(
        len(candidates), len(train), len(set(train.y)), settings.folds, settings.halving_factor
    )
    scorer = FoldScorer(train, feature_matrices, spec, executor)
    results: dict[int, CandidateScore] = {}
    remaining, is_cut_short = list(candidates), False
    for n, share in enumerate(shares):
        is_last = n + 1 == len(shares)
        if len(remaining) == 1 and results and not is_last:
            continue  # there is no other candidate to compare with
        is_cut_short = n > 0 and timer() >= ends_at
        if is_cut_short:
            break
        positions = sample_groups(train, share, settings.folds, seed)
        folds = [
            (positions[train_index], positions[test_index])
            for train_index, test_index in make_folds(train.take(positions), settings.folds, seed)
        ]
        scorer.begin_round()
        round_results, is_cut_short = _run_round(
            {n: candidates[n] for n in remaining},
            folds,
            functools.partial(scorer.score, share=share),
            is_over=lambda: timer() >= ends_at,
        )
        results |= round_results
        if is_cut_short:
            break
        if settings.halving_factor is not None and not is_last:
            means = [results[n].mean_score for n in remaining]
            kept = [remaining[k] for k in keep_best(means, settings.halving_factor)]
            results |= {n: results[n].copy_with(ended="halved") for n in remaining if n not in kept}
            remaining = kept
    scores, labels = [results[n] for n in candidates], scorer.labels(len(candidates))
    prefers: Preference = "wording" if settings.prefer == "wording" else "score"
    chosen = max((results[n] for n in remaining), key=lambda c: c.mean_score)
    if labels is not None and is_label_metric(settings.metric):
        preferred = find_preferred(scores, prefers)
        chosen = results[
            choose(labels, remaining, settings.metric, train.groups, preferred=preferred)
        ]
    ended = Counter(candidate.ended for candidate in scores if candidate.ended is not None)
    if ended:
        log.info("candidates_ended", n_candidates=len(scores), why=dict(ended))
    if is_cut_short:
        log.warning(
            "search_cut_short",
            max_seconds=settings.max_seconds,
            n_folds=len(chosen.fold_scores),
            n_samples=chosen.n_samples,
            estimator=chosen.estimator,
            parameters=dict(chosen.parameters),
            use=chosen.feature_blocks,
        )
    return SearchReport(
        metric=settings.metric.name,
        is_cut_short=is_cut_short,
        prefers=prefers,
        labels=labels,
        candidates=tuple(scores),
        chosen=chosen,
        baselines=choose_baselines(scores, chosen.feature_blocks),
    )


def _run_round(
    candidates: Mapping[int, Candidate],
    folds: Sequence[Fold],
    score_fold: Callable[[Mapping[int, Candidate], Fold], dict[int, float]],
    *,
    is_over: Callable[[], bool],
) -> tuple[dict[int, CandidateScore], bool]:
    """Score candidates on the folds, and return the results and whether time ran out.

    Parameters
    ----------
    candidates
        By number.
    score_fold
        Returns the score of each candidate in one fold.
    is_over
        Whether the time budget is used up; asked before each fold but the first.
    """
    scores: dict[int, list[float]] = {n: [] for n in candidates}
    for k, fold in enumerate(folds):
        if k and is_over():
            break
        for n, score in score_fold(candidates, fold).items():
            scores[n].append(score)
    n_completed = max(len(fold_scores) for fold_scores in scores.values())
    results = {
        n: CandidateScore(
            estimator=candidate.estimator,
            parameters=candidate.parameters,
            feature_blocks=candidate.feature_blocks,
            n_samples=sum(len(side) for side in folds[0]),
            fold_scores=tuple(scores[n]),
        )
        for n, candidate in candidates.items()
    }
    return results, n_completed < len(folds)


def choose_baselines(
    candidates: Sequence[CandidateScore], feature_blocks: FeatureBlocks
) -> tuple[CandidateScore, ...]:
    """Return the baselines that are reported with a chosen candidate of these feature blocks."""
    return tuple(_find_best(candidates, name, feature_blocks) for name in BASELINES)


def _find_best(
    results: Sequence[CandidateScore], name: str, feature_blocks: FeatureBlocks
) -> CandidateScore:
    """Return the best candidate of an estimator, or an unscored one with default parameters."""
    matching = [c for c in results if c.estimator == name and c.feature_blocks == feature_blocks]
    default = tuple((k, v[0]) for k, v in find_kind(name).default_grid.items())
    unsearched = CandidateScore(
        estimator=name, parameters=default, feature_blocks=feature_blocks, fold_scores=()
    )
    # scores from later rounds and more folds are more reliable
    return max(
        matching, key=lambda c: (c.n_samples, len(c.fold_scores), c.mean_score), default=unsearched
    )
