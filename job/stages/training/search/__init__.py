"""Try every candidate in every fold, and choose."""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import structlog

from job.contracts.dataset import Rows
from job.contracts.ports import Executor, Timer
from job.contracts.reports.search import CandidateScore, Preference, SearchReport
from job.contracts.settings.job_settings import TrainingSpec
from job.contracts.settings.search import FeatureBlocks
from job.stages.features.feature_matrix import FeatureMatrices
from job.stages.split.folds import Fold, make_folds, sample_groups
from job.stages.training.estimators import GRIDS
from job.stages.training.search.candidates import Candidate, list_candidates
from job.stages.training.search.choice import choose
from job.stages.training.search.cross_validation import FoldScorer
from job.stages.training.search.preference import find_preferred
from job.stages.training.search.successive_halving import find_eliminated, keep_best, plan_rounds
from job.stages.training.sklearn_fit import fit

__all__ = ["choose_baselines", "fit", "list_candidates", "make_folds", "search"]

log = structlog.get_logger(__name__)


def search(
    train: Rows,
    feature_matrices: FeatureMatrices,
    spec: TrainingSpec,
    executor: Executor,
    timer: Timer,
) -> SearchReport:
    """Score all candidates on the same folds, and choose one (`job.stages.training.search.choice`).

    Parameters
    ----------
    feature_matrices
        Of the same rows.
    timer
        Ends the search after the fold in which `max_seconds` are over.

    Raises
    ------
    ConfigurationError
        An estimator has no such parameter, or refuses its value.
    TrainingError
        The rows cannot be cut into so many folds.
    """
    asked, seed = spec.search, spec.random_state
    ends_at = timer() + (asked.max_seconds or math.inf)
    candidates = dict(enumerate(list_candidates(asked, spec.features.use, seed)))
    shares = plan_rounds(
        len(candidates), len(train), len(set(train.y)), asked.folds, asked.halving_factor
    )
    scorer = FoldScorer(train, feature_matrices, spec, executor)
    results: dict[int, CandidateScore] = {}
    remaining, is_cut_short = list(candidates), False
    for n, share in enumerate(shares):
        is_last = n + 1 == len(shares)
        if len(remaining) == 1 and results and not is_last:
            continue  # nobody is left to be compared with
        is_cut_short = n > 0 and timer() >= ends_at
        if is_cut_short:
            break
        positions = sample_groups(train, share, asked.folds, seed)
        folds = [
            (positions[inner], positions[outer])
            for inner, outer in make_folds(train.take(positions), asked.folds, seed)
        ]
        some = {n: candidates[n] for n in remaining}
        scorer.begin_round()
        found, is_cut_short = _run_round(
            some,
            folds,
            functools.partial(scorer.score, share=share),
            stops_early=asked.stop_early and is_last,
            is_over=lambda: timer() >= ends_at,
        )
        results |= found
        remaining = [n for n in remaining if found[n].ended is None]
        if is_cut_short:
            break
        if asked.halving_factor is not None and not is_last:
            means = [found[n].mean_score for n in remaining]
            kept = [remaining[k] for k in keep_best(means, asked.halving_factor)]
            results |= {n: replace(found[n], ended="halved") for n in remaining if n not in kept}
            remaining = kept
    scores, labels = [results[n] for n in candidates], scorer.labels(len(candidates))
    prefers: Preference = "wording" if asked.prefer == "wording" else "score"
    chosen = max((results[n] for n in remaining), key=lambda c: c.mean_score)
    if labels is not None:
        preferred = find_preferred(scores, prefers)
        chosen = results[choose(labels, remaining, asked.metric, train.groups, preferred=preferred)]
    ended = Counter(candidate.ended for candidate in scores if candidate.ended is not None)
    if ended:
        log.info("candidates_ended", n_candidates=len(scores), why=dict(ended))
    if is_cut_short:
        log.warning(
            "search_cut_short",
            max_seconds=asked.max_seconds,
            n_folds=len(chosen.fold_scores),
            n_samples=chosen.n_samples,
            estimator=chosen.estimator,
            parameters=dict(chosen.parameters),
            feature_blocks=chosen.feature_blocks,
        )
    return SearchReport(
        metric=asked.metric.value,
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
    score_fold: Callable[[dict[int, Candidate], Fold], dict[int, float]],
    *,
    stops_early: bool,
    is_over: Callable[[], bool],
) -> tuple[dict[int, CandidateScore], bool]:
    """Play one round; say whether time was over before its last fold."""
    scores: dict[int, list[float]] = {n: [] for n in candidates}
    remaining = list(candidates)
    for k, fold in enumerate(folds):
        if k and is_over():
            break
        for n, score in score_fold({n: candidates[n] for n in remaining}, fold).items():
            scores[n].append(score)
        if stops_early:
            beaten = find_eliminated([scores[n] for n in remaining], len(folds) - k - 1)
            remaining = [n for position, n in enumerate(remaining) if position not in beaten]
    n_done = max(len(found) for found in scores.values())
    found = {
        n: CandidateScore(
            estimator=candidate.estimator,
            parameters=candidate.parameters,
            feature_blocks=candidate.feature_blocks,
            n_samples=sum(len(side) for side in folds[0]),
            fold_scores=tuple(scores[n]),
            ended=None if n in remaining else "beaten",
        )
        for n, candidate in candidates.items()
    }
    return found, n_done < len(folds)


def choose_baselines(
    candidates: Sequence[CandidateScore], feature_blocks: FeatureBlocks
) -> tuple[CandidateScore, ...]:
    """Return what is shown beside a chosen candidate of this input."""
    return tuple(
        _best_of(candidates, name, feature_blocks) for name in ("logistic_regression", "dummy")
    )


def _best_of(
    results: Sequence[CandidateScore], name: str, feature_blocks: FeatureBlocks
) -> CandidateScore:
    found = [c for c in results if c.estimator == name and c.feature_blocks == feature_blocks]
    default = tuple((k, v[0]) for k, v in GRIDS[name].items())
    unsearched = CandidateScore(
        estimator=name, parameters=default, feature_blocks=feature_blocks, fold_scores=()
    )
    # those of the last rounds and of most folds know best
    return max(
        found, key=lambda c: (c.n_samples, len(c.fold_scores), c.mean_score), default=unsearched
    )
