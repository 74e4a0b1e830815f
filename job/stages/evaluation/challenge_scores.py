"""Score the published model on the challenge set."""

from __future__ import annotations

import structlog

from job.contracts.arrays import Array
from job.contracts.reports.challenge import Challenge, Purpose
from job.contracts.reports.part import round_published
from job.stages.evaluation.evaluate import evaluate_predictions
from job.stages.evaluation.evaluated_rows import EvaluatedRows
from job.stages.evaluation.intervals import compute_intervals
from job.stages.split.challenge_halves import ChallengeSet, count_smallest_class

log = structlog.get_logger(__name__)


def score_challenge(
    evaluated: EvaluatedRows,
    challenge: ChallengeSet,
    *,
    labels: Array,
    used_for: tuple[Purpose, ...],
) -> Challenge:
    """Return `challenge` of evaluation.json: the scores on the challenge set, and the set's use.

    Parameters
    ----------
    evaluated
        Requests that the published model is evaluated on, and the model's predictions of them.
    labels
        Labels of the table's rows; the requests of each of these classes are counted.
    used_for
        What the choosing requests of the set (`ChallengeSet.choosing`) were used for.
    """
    requests = evaluated.rows
    evaluation = evaluate_predictions(evaluated.predictions)
    intervals = compute_intervals(evaluated.predictions, evaluated.bootstrap)
    scores = Challenge(
        judged="half" if challenge.is_halved else "all",
        n_rows=len(requests),
        n_groups=intervals.n_groups,
        n_set_rows=len(challenge.rows),
        n_smallest_class=count_smallest_class(requests, labels),
        n_dropped_from_training=challenge.n_dropped,
        used_for=used_for,
        is_used_up="choice" in used_for and not challenge.is_halved,
        classes=evaluation.classes,
        scores=evaluation.scores,
        per_class=evaluation.per_class,
        confusion=evaluation.confusion,
        intervals=intervals,
    )
    _log(scores)
    return scores


def _log(challenge: Challenge) -> None:
    accuracy = challenge.intervals.scores["accuracy"]
    log.info(
        "challenge_judged",
        n_rows=challenge.n_rows,
        n_groups=challenge.n_groups,
        accuracy=challenge.scores["accuracy"],
        lower=round_published(accuracy.lower),
        upper=round_published(accuracy.upper),
        f1_macro=challenge.scores["f1_macro"],
        used_for=list(challenge.used_for),
    )
