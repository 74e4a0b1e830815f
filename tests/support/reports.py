"""Metadata and evaluation of a run, computed by the job's own functions from seeded predictions."""

import numpy as np
import pandas as pd
from support.metadata import make_content

from job.contracts.dataset import Rows
from job.contracts.matrix_rows import MatrixRows
from job.contracts.reports.decision_threshold import Decision
from job.contracts.reports.drift import DriftMeasure, DriftReport
from job.contracts.reports.evaluation import Changes
from job.contracts.reports.gate import Criterion, GateDecision
from job.contracts.reports.geometry import Geometry
from job.contracts.reports.intervals import Interval
from job.contracts.reports.label_noise import ClassLabels, LabelNoise, LabelPair
from job.contracts.reports.metadata import Metadata
from job.contracts.reports.near_duplicates import DuplicateReport
from job.contracts.reports.search import CandidateScore, SearchReport
from job.contracts.reports.slices import SliceReport, SliceScore
from job.contracts.reports.split import ClassRows, SplitReport
from job.contracts.reports.stress import BatchScore, StressReport
from job.contracts.reports.wording import (
    GroupCounts,
    SimilarityBin,
    SimilarityReport,
    Standardization,
    Templates,
    Wording,
)
from job.contracts.settings.job_settings import JobSettings
from job.registry.metadata_diff import compare_metadata
from job.stages.evaluation.challenge_scores import score_challenge
from job.stages.evaluation.evaluate import evaluate_model
from job.stages.evaluation.evaluated_rows import EvaluatedRows
from job.stages.evaluation.out_of_scope import measure_out_of_scope
from job.stages.metrics.predictions import Predictions, predict
from job.stages.split.challenge_halves import ChallengeSet

VERSION = "v20260101_000000_aaaaaaaa"
CHAMPION = "v20251201_000000_bbbbbbbb"
INTERVALS = {
    "method": "bootstrap",
    "level": 0.95,
    "n_resamples": 1000,
    "n_rows": 160,
    "n_groups": 90,
}
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    '"><script>alert(2)</script>',
    "javascript:alert(3)",
    "[a](javascript:alert(4))",
    "' onmouseover='alert(5)",
    "</style><svg onload=alert(6)>",
    "{{ 7 * 7 }}",
    "--> ]]> &lt;b&gt;",
    "right\u202eleft\u2066\u200b",
    "bell\x07\x1b[31m\x00nul",
    "line\n# heading\n| cell | `code` ```",
    "http://example.invalid/?a=1&b=2 www.example.invalid",
)


class Fixed:
    """A model whose predicted probabilities are its input X."""

    def __init__(self, classes):
        self.classes_ = np.array(classes, dtype=object)

    def predict_proba(self, X):
        return np.asarray(X)


def make_reports(n_classes=4, *, names=None, n_rows=40, is_accepted=True, champion=True):
    """Return metadata and evaluation of a model that predicts 90 % of the rows correctly."""
    names = list(names or [f"request_of_kind_{n:02d}" for n in range(n_classes)])
    evaluation = {
        **_judge(sorted(names), n_rows),
        "latency": {"p50_ms": 0.7657864999828234, "p95_ms": 1.9299279000032354},
        "model_bytes": 35758,
        "temperature": None,
        "decision": None,
        "intervals": {**INTERVALS, "scores": {}, "per_class": {}},
    }
    scores = evaluation["scores"]
    worse = {name: round(value - 0.0123, 6) for name, value in scores.items()}
    evaluation["baselines"] = {"dummy": {"accuracy": 0.25}, "logistic_regression": scores}
    evaluation["gate"] = _decide(scores, is_accepted, champion).to_json()
    evaluation["search"] = _search().to_json()
    evaluation["split"] = _split(sorted(names), n_rows).to_json()
    evaluation["slices"] = _slices(names).to_json()
    evaluation["drift"] = _drift(names).to_json()
    evaluation["wording"] = make_wording().to_json()
    evaluation["geometry"] = make_geometry().to_json()
    evaluation["stress"] = make_stress(sorted(names)).to_json()
    evaluation["input_check"] = {
        "measure": "length_deviation",
        "lower": 0.0,
        "upper": 0.001,
        "min_rows": 1,
    }
    evaluation["out_of_scope"] = make_out_of_scope(sorted(names))
    evaluation["label_noise"] = _doubt(sorted(names), n_rows).to_json()
    metadata = make_metadata(VERSION, sorted(names), scores, evaluation["n_test"])
    if champion:
        before = make_metadata(CHAMPION, sorted(names), worse, evaluation["n_test"])
        before["hyperparameters"] = {"C": 0.1}
        changed = compare_metadata(*map(Metadata.model_validate, (before, metadata)))
        evaluation["changes"] = Changes(champion=CHAMPION, changed=changed).to_json()
    return metadata, evaluation


def add_intervals(evaluation):
    """Return the evaluation with an interval for each score."""
    scores = {
        name: {"value": value, "lower": round(value - 0.0211, 6), "upper": round(value + 0.0187, 6)}
        for name, value in evaluation["scores"].items()
    }
    per_class = {
        name: {"recall": {"value": c["recall"], "lower": c["recall"] * 0.9, "upper": c["recall"]}}
        for name, c in evaluation["per_class"].items()
    }
    stated = {**INTERVALS, "method": "percentile bootstrap over groups"}
    return {**evaluation, "intervals": {**stated, "scores": scores, "per_class": per_class}}


def _judge(names, n_rows):
    random = np.random.default_rng(3)
    truth = np.repeat(np.arange(len(names)), n_rows)
    proba = random.dirichlet(np.full(len(names), 0.3), len(truth))
    is_right = random.random(len(truth)) < 0.9
    proba[is_right, truth[is_right]] += 2
    proba /= proba.sum(axis=1, keepdims=True)
    keys = np.array([str(n) for n in range(len(truth))], dtype=object)
    rows = Rows(
        y=np.array(names, dtype=object)[truth],
        leakage_keys=keys,
        text_keys=keys,
        text=None,
        embeddings=MatrixRows(proba, np.arange(len(truth))),
        frame=pd.DataFrame(index=range(len(truth))),
    )
    return evaluate_model(Fixed(names), rows, ("embeddings",)).to_json()


def _slices(names):
    """Return two slices of a column; their names are class names."""
    slices = (
        (names[0], 61, 52, Interval(value=0.71, lower=0.58, upper=0.82), 0.84, -0.21, -0.07, 0.66),
        (names[1], 99, 83, Interval(value=0.92, lower=0.85, upper=0.97), 0.98, 0.21, 0.34, None),
    )
    keys = ("value", "n_rows", "n_groups", "accuracy", "upper_bound", "difference")
    keys = (*keys, "difference_upper_bound", "score")
    scores = tuple(
        SliceScore(column=names[-1], **dict(zip(keys, values, strict=True))) for values in slices
    )
    return SliceReport(
        metric="f1_macro",
        level=0.95,
        min_rows=30,
        min_groups=10,
        n_not_shown=3,
        single_valued=(names[0],),
        scores=scores,
    )


def _drift(names):
    """Return drift from the champion's table, with class names."""
    class_share = DriftMeasure(
        subject=f"class {names[0]}",
        measure="class_share",
        value=0.17,
        null_quantile=0.04,
        threshold=0.1,
        before=0.31,
        after=0.48,
    )
    psi = DriftMeasure(
        subject=f"column {names[-1]}",
        measure="psi",
        value=0.013,
        null_quantile=0.06,
        threshold=0.25,
    )
    distance = DriftMeasure(subject=psi.subject, measure="jensen_shannon", value=0.021)
    missing = DriftMeasure(
        subject=psi.subject, measure="missing", value=0.02, before=0.03, after=0.05
    )
    return DriftReport(
        champion=CHAMPION,
        n_rows=1234,
        n_groups=987,
        n_rows_before=1111,
        n_groups_before=888,
        measures=(class_share, psi, distance, missing),
        not_compared=(f"column {names[1]}",),
    )


def _decide(scores, is_accepted, champion):
    floor = 0.5 if is_accepted else 0.9999
    criteria = [
        Criterion(
            name="f1_macro",
            value=scores["f1_macro"],
            threshold=floor,
            is_met=is_accepted,
            is_binding=True,
            reason=f"f1_macro {scores['f1_macro']:.4f}, at least {floor} is wanted",
        ),
        Criterion(
            name="latency_p95_ms",
            value=1.9299279000032354,
            threshold=1,
            is_met=False,
            is_binding=False,
            reason="latency_p95_ms 1.92993, at most 1 is wanted",
        ),
    ]
    if champion:
        criteria.append(
            Criterion(
                name="champion",
                value=0.91,
                threshold=0.88,
                is_met=True,
                is_binding=True,
                reason=f"0.9100 where champion {CHAMPION} scores 0.9000 on the same 40 rows",
            )
        )
    return GateDecision(criteria=tuple(criteria))


def _search():
    candidates = tuple(
        CandidateScore(
            estimator="logistic_regression",
            parameters=(("C", c),),
            feature_blocks=("embeddings",),
            fold_scores=(score, score + 0.01),
            n_samples=800,
            ended="halved" if c == 1 else None,
        )
        for c, score in ((1, 0.81), (10, 0.85))
    )
    return SearchReport(
        metric="f1_macro",
        candidates=candidates,
        chosen=candidates[1],
        baselines=(),
        is_cut_short=True,
    )


def make_challenge(names, *, judged="half", used_for=("threshold",), n_rows=14):
    """Return the scores of a model that misclassifies about every seventh request."""
    rng = np.random.default_rng(11)
    y = np.repeat(np.arange(len(names)), n_rows)
    is_wrong = rng.random(len(y)) < 1 / 7
    proba = 0.9 * np.eye(len(names))[np.where(is_wrong, (y + 1) % len(names), y)]
    proba += 0.1 / len(names)
    keys = np.array([f"c{n}" for n in range(len(y))], dtype=object)
    rows = Rows(
        y=np.array(names, dtype=object)[y],
        leakage_keys=keys,
        text_keys=keys,
        text=None,
        embeddings=MatrixRows(proba, np.arange(len(y))),
        frame=pd.DataFrame(index=range(len(y))),
    )
    challenge = ChallengeSet(
        rows=rows, choosing=rows, evaluating=rows, is_halved=judged == "half", n_dropped=29
    )
    scoring = JobSettings(evaluation={"resamples": 1000}).scoring
    return score_challenge(
        EvaluatedRows.of(rows, predict(Fixed(names), rows, ("embeddings",)), scoring),
        challenge,
        labels=rows.y,
        used_for=used_for,
    ).to_json()


def make_out_of_scope(names, *, threshold=0.7, n_answered=3, n_rows=83, has_set=True):
    """Return the scores of out-of-scope requests, some above the confidence threshold."""
    known = np.arange(len(names))

    def answer(confidence):
        proba = np.full((len(confidence), len(names)), 0.0)
        proba[np.arange(len(proba)), np.arange(len(proba)) % len(names)] = confidence
        classes = tuple(sorted(names))
        return Predictions(classes=classes, y_true=known[:1], proba=proba, model_classes=known)

    sure = np.linspace(0.4113, 0.6917, n_rows)
    sure[:n_answered] = 0.8731
    return measure_out_of_scope(
        answer(np.array([0.5127])),
        answer(sure) if has_set else None,
        np.arange(n_rows) if has_set else None,
        decision=Decision(
            target_precision=0.95,
            threshold=threshold,
            n_chosen_on=0,
            n_groups_chosen_on=0,
            n_answered=0,
            coverage=None,
            precision=None,
        ),
        confidence=0.95,
    ).to_json()


def challenged(evaluation, **more):
    """Return the evaluation with the scores of a challenge set."""
    return {**evaluation, "challenge": make_challenge(evaluation["classes"], **more)}


def _doubt(names, n_rows):
    return LabelNoise(
        estimator="logistic_regression",
        folds=3,
        level=0.95,
        n_rows=4 * n_rows * len(names),
        n_groups=700,
        share=Interval(value=0.0625, lower=0.041, upper=0.088),
        per_class={
            name: ClassLabels(n_rows=4 * n_rows, n_wrong=n % 4 * 5.3)
            for n, name in enumerate(names)
        },
        pairs=(LabelPair(given=names[-1], likely=names[0], n_rows=11.4),),
    )


def make_wording(*, n_new_groups=7, is_templated=False, is_standardized=False):
    """Return the wording of 1,800 rows, whose test rows have all levels of similarity."""
    near = Interval(value=0.9312, lower=0.9127, upper=0.9518)
    bins = (
        SimilarityBin(lower=0.0, upper=0.2, n_rows=0, n_groups=0),
        SimilarityBin(lower=0.2, upper=0.4, n_rows=17, n_groups=3, accuracy=0.647059),
        SimilarityBin(
            lower=0.4, upper=1.0, n_rows=143, n_groups=88, accuracy=0.9312, interval=near
        ),
    )
    similarity = SimilarityReport(
        of="text",
        n_rows=160,
        n_items=151,
        n_sampled_items=149,
        n_trained_items=633,
        n_sampled_trained_items=631,
        median=0.7136,
        new_below=0.4,
        n_new_rows=17,
        n_new_groups=n_new_groups,
        min_groups=5,
        level=0.95,
        bins=bins,
    )
    return Wording(
        items="text",
        n_items=784,
        table=GroupCounts(n_rows=1800, n_groups=790, n_effective_groups=612.4),
        judged=GroupCounts(n_rows=160, n_groups=90, n_effective_groups=213.7),
        templates=Templates(
            min_rows=5,
            n_templates=6,
            share=0.9214 if is_templated else 0.1327,
            largest=(0.0412, 0.0211),
            is_templated=is_templated,
        ),
        similarity=similarity,
        standardization=Standardization(
            n_rows=1800,
            mean_ratio=0.0135,
            scale_share=0.9281,
            length_variation=0.1443,
            is_standardized=is_standardized,
        ),
    )


def make_stress(names, stated_by="suite"):
    """Return stress scores with an accuracy that falls from class to class."""
    scores = tuple(
        BatchScore(
            name=name,
            accuracy=0.8128 - 0.002 * n,
            accuracy_as_given=0.9321,
            accuracy_recentered=0.9231,
        )
        for n, name in enumerate(names)
    )
    return StressReport(
        stated_by=stated_by,
        share=0.85,
        n_batch_rows=187,
        n_draws=10,
        n_rows=160,
        n_groups=90,
        n_classes_left_out=1,
        classes=scores,
        interval=Interval(value=0.8098, lower=0.6127, upper=0.8911),
        level=0.95,
    )


def make_geometry(status="restored"):
    """Return a geometry of 384 of 584 columns; without a map unless `status` is `restored`."""
    if status != "restored":
        return Geometry(status=status, n_rows=1640, n_distinct_rows=446, width=584)
    return Geometry(
        status=status,
        n_rows=1640,
        n_distinct_rows=1234,
        width=584,
        prefix=384,
        n_columns=381,
        n_fitted_rows=1111,
        n_held_out_rows=123,
        singular_values=(8.5e-07, 0.0271),
        length_deviation=5.5e-08,
        cosine_error=1.07e-07,
    )


def cross_fitted(evaluation):
    """Return the evaluation as if cross-fitted, with the published model's hold-out scores."""
    scores = {name: round(value - 0.0317, 6) for name, value in evaluation["scores"].items()}
    ends = {
        name: {"value": value, "lower": round(value - 0.0471, 6), "upper": round(value + 0.0377, 6)}
        for name, value in scores.items()
    }
    return {
        **evaluation,
        "method": "cross_fit",
        "cross_fit": {
            "n_folds": 5,
            "n_rows": 1600,
            "n_groups": 790,
            "n_effective_groups": 612.4,
            "is_nested": True,
            "n_other_choices": 2,
        },
        "holdout": {
            "n_rows": 163,
            "n_groups": 94,
            "scores": scores,
            "intervals": {**INTERVALS, "scores": ends, "per_class": {}},
        },
        "gate": {
            **evaluation["gate"],
            "can_show": {
                "metric": "f1_macro",
                "standard_error": 0.0211,
                "equal_accepted": 0.9372,
                "largest_drop": 0.0871,
            },
        },
    }


def _split(names, n_rows):
    n_test = n_rows * len(names)
    counts = {"n_train": 4 * n_test, "n_test": n_test, "n_train_keys": 700, "n_test_keys": 90}
    return SplitReport(
        method="hash",
        key="text",
        **counts,
        n_dropped_leaking=3,
        n_dropped_rare_class=0,
        n_rare_classes=0,
        n_conflicting_texts=2,
        n_conflicting_rows=5,
        test_only_classes=(names[0],),
        n_test_only_rows=1,
        classes={
            name: ClassRows.of(
                n_train=4 * n_rows,
                n_test=n_rows,
                n_train_rows=counts["n_train"],
                n_test_rows=counts["n_test"],
            )
            for name in names
        },
        near_duplicates=DuplicateReport(),
    )


def make_metadata(version, names, scores, n_test, **more):
    """Return the metadata of a version."""
    content = make_content()
    return {
        **content,
        "model_version": version,
        "trained_on": {**content["trained_on"], "n_train": 4 * n_test},
        "dataset": {**content["dataset"], "n_rows": 5 * n_test},
        "metrics": scores,
        "classes": names,
        "compatible_with": ["scikit-learn==1.4.2"],
        "limitations": ["Texts that carry more than one label: 2, in 5 rows.", "Another."],
        **more,
    }
