"""Typed evaluations with the scores that a test of the gate needs."""

from job.contracts.reports.challenge import Challenge
from job.contracts.reports.evaluation import CandidateEvaluation, Evaluation
from job.contracts.reports.gate import GateDecision
from job.contracts.reports.intervals import Interval, IntervalReport
from job.contracts.reports.scores import Latency
from job.contracts.reports.search import CandidateScore, SearchReport
from job.contracts.reports.split import SplitReport

ROWS = {"classes": ("a", "b"), "per_class": {}, "confusion": ((1, 0), (0, 1))}


def make_intervals(bounds):
    """Return intervals of level 0.95 with these pairs of bounds, by score."""
    scores = {
        name: Interval(value=(lower + upper) / 2, lower=lower, upper=upper)
        for name, (lower, upper) in bounds.items()
    }
    return IntervalReport(
        method="bootstrap",
        level=0.95,
        n_resamples=1,
        n_rows=2,
        n_groups=2,
        scores=scores,
        per_class={},
    )


def make_evaluation(scores, bounds, *, p95_ms=1.0, **parts):
    """Return an evaluation with these scores, bounds of their intervals, and other parts."""
    return CandidateEvaluation(
        **ROWS,
        n_test=2,
        scores=scores,
        curves={},
        reliability=None,
        risk_coverage=None,
        intervals=make_intervals(bounds),
        temperature=None,
        decision=None,
        baselines={},
        latency=Latency(p50_ms=0.0, p95_ms=p95_ms),
        **parts,
    )


def make_challenge_scores(scores, bounds):
    """Return the scores of a challenge set of two requests, and the bounds of their intervals."""
    return Challenge(
        **ROWS,
        judged="all",
        n_rows=2,
        n_groups=2,
        n_set_rows=2,
        n_smallest_class=1,
        n_dropped_from_training=0,
        used_for=(),
        is_used_up=False,
        scores=scores,
        intervals=make_intervals(bounds),
    )


def make_whole_evaluation():
    """Return the content of an evaluation.json, for tests that publish a version."""
    chosen = CandidateScore(
        estimator="dummy", parameters=(), feature_blocks=("text",), fold_scores=(0.5,)
    )
    counts = dict.fromkeys(
        ("n_dropped_leaking", "n_dropped_rare_class", "n_rare_classes", "n_test_only_rows"), 0
    )
    split = SplitReport(
        method="hash",
        key="text",
        n_train=2,
        n_test=2,
        n_train_keys=2,
        n_test_keys=2,
        n_conflicting_texts=0,
        n_conflicting_rows=0,
        test_only_classes=(),
        classes={},
        **counts,
    )
    return Evaluation(
        **make_evaluation({"accuracy": 0.5}, {}).fields(),
        model_bytes=1,
        gate=GateDecision(criteria=()),
        search=SearchReport(metric="f1_macro", candidates=(chosen,), chosen=chosen),
        split=split,
    )
