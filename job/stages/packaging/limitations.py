"""The limitations of a version: one sentence for each finding that weakens its scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from job.contracts.messages import pluralize, quote_list
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.split import SplitReport
from job.contracts.reports.validation import ValidationReport
from job.contracts.settings.job_settings import JobSettings
from job.stages.metrics.group_sums import MIN_EFFECTIVE_GROUPS
from job.stages.packaging.request_limitations import find_in_challenge, find_out_of_scope

NONE: Final = "The reports of this run show no limitations."
WIDE_INTERVAL: Final = 0.1
OPTIMISM: Final = 0.02
WRONG_LABELS: Final = 0.02
_FEW_TEST_ROWS: Final = 30


def find_limitations(
    evaluation: Evaluation, validation: ValidationReport, settings: JobSettings
) -> list[str]:
    """Return one sentence for each limitation; if there are none, one sentence that says so.

    Parameters
    ----------
    evaluation
        The content of evaluation.json, whose numbers are used in the sentences.  The field
        `changes` is not read.
    """
    limitations = [
        *_find_in_data(evaluation.split, validation),
        *_find_in_split_sides(evaluation.split, settings),
        *(text for find in _FINDERS for text in find(evaluation)),
        *_find_in_settings(evaluation, settings),
    ]
    return limitations or [NONE]


def _find_in_data(split: SplitReport, validation: ValidationReport) -> Iterator[str]:
    if validation.n_dropped:
        yield f"Rows dropped because they violated an expectation: {validation.n_dropped}."
    duplicates = split.near_duplicates
    n_exact, n_near = duplicates.n_exact_duplicates, duplicates.n_near_duplicates
    if n_exact:
        yield f"Duplicates: rows that are equal to an earlier row: {n_exact}."
    if n_near:
        yield f"Near-duplicates: distinct rows that are similar to an earlier row: {n_near}."
    if split.n_conflicting_texts:
        rows = pluralize(split.n_conflicting_rows, "row")
        yield f"Texts with more than one label: {split.n_conflicting_texts}, in {rows}."
    if split.n_rare_classes:
        rows = pluralize(split.n_dropped_rare_class, "row")
        yield (
            f"Classes dropped because they have too few rows: {split.n_rare_classes}, with {rows}."
        )


def _find_in_split_sides(split: SplitReport, settings: JobSettings) -> Iterator[str]:
    if split.n_dropped_leaking:
        n = split.n_dropped_leaking
        yield f"Training rows dropped because they are also in the hold-out: {n}."
    if n := split.near_duplicates.n_near_official_test:
        yield f"Training rows that are near-duplicates of rows in the official test table: {n}."
    if n := split.n_rebalanced_classes:
        yield (
            "Classes with few groups, whose test rows were chosen so that both sides of the "
            f"split have some: {n}."
        )
    if n := split.n_large_groups:
        rows = pluralize(split.n_rows_large_groups, "row")
        yield (
            f"Groups that are too large to be held out and are always trained on: {n}, with {rows}."
        )
    if n := split.n_test_only_rows:
        classes = pluralize(len(split.test_only_classes), "class")
        yield f"Test rows of {classes} without training rows, which count as errors: {n}."
    if split.class_share_difference > settings.drift.class_share:
        yield (
            "Class shares differ between the training rows and the hold-out, by up to "
            f"{split.class_share_difference:.4f}."
        )


def _find_in_scores(evaluation: Evaluation) -> Iterator[str]:
    judged = evaluation.wording and evaluation.wording.judged
    if judged and judged.n_effective_groups < MIN_EFFECTIVE_GROUPS:
        yield (
            f"Few groups: the {judged.n_rows} evaluated rows come from "
            f"{pluralize(judged.n_groups, 'group')}, equivalent to {judged.n_effective_groups:g} "
            "of equal size."
        )
    for name in dict.fromkeys(("accuracy", evaluation.search.metric)):
        bounds = evaluation.intervals.scores.get(name)
        if bounds is not None and bounds.upper - bounds.lower > WIDE_INTERVAL:
            yield f"Wide interval: {name} is between {bounds.lower:.4f} and {bounds.upper:.4f}."
    n_small = sum(c.n_test < _FEW_TEST_ROWS for c in evaluation.per_class.values())
    if n_small:
        yield (
            f"Classes with fewer than {_FEW_TEST_ROWS} evaluated rows, whose scores are "
            f"uncertain: {n_small}."
        )


def _find_in_wording(evaluation: Evaluation) -> Iterator[str]:
    wording = evaluation.wording
    if wording is None:
        return
    templates, similarity = wording.templates, wording.similarity
    if templates.is_templated:
        yield (
            f"Templates: {templates.share:.4f} of the table's rows come from "
            f"{pluralize(templates.n_templates, 'sentence template')}."
        )
        yield (
            "Wording: the scores apply to requests worded like the table's; the model may be much "
            "worse on requests in people's own words."
        )
    if similarity is not None and similarity.n_new_groups < similarity.min_groups:
        yield (
            "New wording was hardly evaluated: only "
            f"{pluralize(similarity.n_new_rows, 'evaluated row')} in "
            f"{pluralize(similarity.n_new_groups, 'group')} had a similarity below "
            f"{similarity.new_below:g} to the nearest training row."
        )
    embeddings = wording.standardization
    if embeddings is not None and embeddings.is_standardized:
        yield (
            "Embeddings appear to be standardized per batch: the same text gets different "
            "embeddings in different batches, and the scores apply only to embeddings of this "
            "table."
        )


def _find_in_geometry(evaluation: Evaluation) -> Iterator[str]:
    geometry = evaluation.geometry
    if geometry is not None and geometry.status == "restored":
        yield (
            "Embeddings are restored to rows of length 1 by the map of this table, from "
            f"{geometry.prefix} of {pluralize(geometry.width, 'column')}: embeddings that "
            "were standardized in another batch are restored only approximately."
        )


def _find_in_stress(evaluation: Evaluation) -> Iterator[str]:
    stress = evaluation.stress
    if stress is None and evaluation.input_check is not None:
        yield (
            "Accuracy on batches standardized on their own rows was not measured. Keep the "
            "scalers of the embeddings; do not fit them to each batch."
        )
    if stress is not None:
        lowest, recentered = stress.worst.accuracy, stress.accuracy_recentered
        yield (
            "Batches: in batches with a different class mix, each standardized on its own rows, "
            f"the accuracy is {stress.accuracy:.4f} (lowest by class {lowest:.4f}); for the same "
            f"rows with the embeddings of the table it is {stress.accuracy_as_given:.4f}. Keep "
            "the scalers of the embeddings; do not fit them to each batch"
            + ("." if recentered is None else f"; recentering the batches gives {recentered:.4f}.")
        )


def _find_optimism(evaluation: Evaluation) -> Iterator[str]:
    optimism = evaluation.split.optimism
    if optimism is None:
        return
    claimed, safe = optimism.random_accuracy, optimism.leakage_safe_accuracy
    if claimed - safe > OPTIMISM:
        yield (
            f"Optimism: the accuracy is {claimed:.4f} with a random split, but {safe:.4f} with a "
            "split that keeps groups together."
        )


def _find_in_comparisons(evaluation: Evaluation) -> Iterator[str]:
    drift, slices, noise = evaluation.drift, evaluation.slices, evaluation.label_noise
    n_drifted = sum(measure.is_drift for measure in drift.measures) if drift else 0
    if n_drifted:
        yield (
            "Drift: number of measures that exceed their maximum, compared with the champion's "
            f"table: {n_drifted}."
        )
    n_worse = sum(score.is_worse for score in slices.scores) if slices else 0
    if n_worse:
        yield (
            "Slices with an accuracy that is shown to be lower than that of the other rows: "
            f"{n_worse}."
        )
    if noise and noise.share.lower > WRONG_LABELS:
        yield f"Labels: the estimated share of wrong labels is {noise.share.value:.4f}."


def _find_threshold(evaluation: Evaluation) -> Iterator[str]:
    decision = evaluation.decision
    if decision is None:
        yield "No decision threshold is published: no target precision was set."
        return
    if decision.threshold is None and decision.status != "not_needed":
        reason = decision.reason or (
            f"{decision.n_chosen_on} rows in {decision.n_groups_chosen_on} groups do not show a "
            f"precision of {decision.target_precision:g} at any confidence"
        )
        yield f"No decision threshold is published: {reason[:1].lower()}{reason[1:].rstrip('.')}."


def _find_in_settings(evaluation: Evaluation, settings: JobSettings) -> Iterator[str]:
    if evaluation.gate.override is not None:
        yield "The gate rejected this version; it was published with an override."
    switched_off = [name for name, floor in settings.gate.floors if floor is None]
    if switched_off:
        yield f"Disabled floors of the gate: {quote_list(switched_off)}."


_FINDERS: Final[tuple[Callable[[Evaluation], Iterator[str]], ...]] = (
    find_in_challenge,
    _find_in_scores,
    _find_in_wording,
    _find_in_geometry,
    _find_in_stress,
    _find_optimism,
    _find_in_comparisons,
    _find_threshold,
    find_out_of_scope,
)
