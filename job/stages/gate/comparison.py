"""Hold the candidate beside the champion, on rows that neither was trained on."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from job.contracts.dataset import Rows
from job.contracts.messages import pluralize
from job.contracts.model import TrainedModel
from job.contracts.ports import Codec
from job.contracts.reports.comparison import Comparison
from job.contracts.reports.intervals import Interval
from job.contracts.settings.dataset import ColumnsSpec
from job.contracts.settings.gate import PairedSpec
from job.contracts.settings.job_settings import TrainingSpec
from job.contracts.settings.search import FeatureBlocks
from job.errors import IncompatibleModelError
from job.registry.published import PublishedVersion
from job.stages.data.leakage_keys import key_kind, salted_digests
from job.stages.features.preprocessing import select_blocks
from job.stages.gate.group_errors import GroupErrors, pair_group_errors
from job.stages.gate.paired_bootstrap import compare_counts, compare_pair
from job.stages.metrics.confidence_bounds import MIN_GROUPS
from job.stages.metrics.label_metrics import AVERAGED
from job.stages.metrics.predictions import predict
from job.stages.packaging.metadata import describe_input

MIN_ROWS: Final = 30


def compare(
    champion: PublishedVersion,
    candidate: TrainedModel,
    test: Rows,
    table: Rows | None,
    codec: Codec,
    *,
    training: TrainingSpec,
    paired: PairedSpec,
    embedding_model: str,
    payload: bytes,
) -> Comparison:
    """Compare both models on the hold-out rows that the champion has not seen either.

    Nor has it seen a near-duplicate of them, as far as `table` tells: the rows of which the test is
    a part, or None where near-duplicates stay.  The champion may take another input than the
    candidate, if it is one of those searched; it has to know the same classes.

    Parameters
    ----------
    embedding_model
        What the table's embeddings come from.
    payload
        The candidate as bytes: the champion's own need no rows to be found as good.
    """
    metadata = champion.metadata
    told = Comparison(
        role=champion.role,
        version=champion.version,
        metric=paired.metric.value,
        is_advisory=champion.is_advisory,
    )
    feature_blocks = match_input(
        metadata, test, (candidate.feature_blocks, *training.search.inputs), training.columns
    )
    if problem := find_problem(metadata, test, feature_blocks, embedding_model):
        return replace(told, problem=problem)
    assert feature_blocks is not None  # it would be a problem
    is_same = champion.files["model.joblib"] == payload
    fresh = test if is_same else test.take(~was_trained_on(champion, test, table))
    n_groups = len(np.unique(fresh.groups))
    told = replace(told, n_rows=len(fresh), n_groups=n_groups, n_excluded=len(test) - len(fresh))
    if not is_same and (len(fresh) < MIN_ROWS or n_groups < MIN_GROUPS):
        left = f"{pluralize(len(fresh), 'hold-out row')} in {pluralize(n_groups, 'group')}"
        return replace(told, problem=f"it was trained on all but {left}")
    return compare_models(
        told,
        champion,
        candidate,
        fresh,
        feature_blocks,
        codec,
        training=training,
        paired=paired,
        is_same=is_same,
    )


def compare_models(
    told: Comparison,
    champion: PublishedVersion,
    candidate: TrainedModel,
    rows: Rows,
    feature_blocks: FeatureBlocks,
    codec: Codec,
    *,
    training: TrainingSpec,
    paired: PairedSpec,
    is_same: bool,
) -> Comparison:
    """Return the comparison with the scores of both models on these rows.

    Parameters
    ----------
    use
        The champion's input.
    is_same
        Whether the models are the very same: then they are equally good on any rows.
    """
    try:
        model = codec.decode(champion.files["model.joblib"])
    except IncompatibleModelError as error:
        return replace(told, problem=error.message)
    if problem := _other_classes(model, candidate.pipeline):
        return replace(told, problem=problem)
    found = compare_pair(
        predict(model, select_blocks(rows, feature_blocks, training.columns), feature_blocks),
        predict(
            candidate.pipeline,
            select_blocks(rows, candidate.feature_blocks, training.columns),
            candidate.feature_blocks,
        ),
        rows.groups,
        paired,
    )
    undefined = f"{paired.metric.value} is undefined on these rows"
    return replace(
        told,
        champion_score=found.champion_score,
        candidate_score=found.candidate_score,
        standard_error=None if is_same else found.standard_error,
        difference=Interval(value=0.0, lower=0.0, upper=0.0) if is_same else found.interval,
        recalls=() if is_same else found.recalls,
        problem=undefined if found.interval is None else "",
    )


def compare_errors(
    champion: PublishedVersion,
    before: GroupErrors,
    candidate: GroupErrors,
    paired: PairedSpec,
) -> Comparison | None:
    """Compare both runs on the groups that their tables share, by their cross-fitted predictions.

    Returns
    -------
    comparison
        None where that cannot be done: the classes differ, the tables share too few groups, or the
        metric is one of probabilities, of which nothing is kept.
    """
    if before.classes != candidate.classes or paired.metric.value not in AVERAGED:
        return None
    counts = pair_group_errors(before, candidate)
    n_groups, n_rows = (
        counts.n_groups[0],
        round(counts.group_sums.total[0, : len(before.classes)].sum()),
    )
    if n_rows < MIN_ROWS or n_groups < MIN_GROUPS:
        return None
    found = compare_counts(counts, paired)
    return Comparison(
        role=champion.role,
        version=champion.version,
        metric=paired.metric.value,
        basis="shared_groups",
        n_rows=n_rows,
        n_groups=n_groups,
        n_excluded=int(candidate.n_rows.sum()) - n_rows,
        champion_score=found.champion_score,
        candidate_score=found.candidate_score,
        difference=found.interval,
        standard_error=found.standard_error,
        recalls=found.recalls,
    )


def find_problem(
    metadata: Mapping[str, Any],
    rows: Rows,
    feature_blocks: FeatureBlocks | None,
    embedding_model: str,
) -> str:
    """Say why a version cannot be judged on these rows, by what it tells of itself."""
    if feature_blocks is None:
        return "it takes another input"
    if problem := find_embedding_problem(metadata, feature_blocks, embedding_model):
        return problem
    kind = key_kind(rows.text_keys)
    known = metadata.get("training_keys_of", kind)
    if known != kind:
        return f"what it was trained on is known by {known}, this table's rows by {kind}"
    return ""


def find_embedding_problem(
    metadata: Mapping[str, Any], feature_blocks: FeatureBlocks, embedding_model: str
) -> str:
    """Return why embeddings do not fit: they come from another model; empty where they fit."""
    if "embeddings" in feature_blocks and metadata.get("embedding_model") != embedding_model:
        return "its embeddings come from another model than this table's"
    return ""


def match_input(
    metadata: Mapping[str, Any], rows: Rows, uses: Iterable[FeatureBlocks], columns: ColumnsSpec
) -> FeatureBlocks | None:
    """Return the first of these inputs that is the one a version says it takes."""
    taken = (
        u for u in uses if metadata["input"] == describe_input(select_blocks(rows, u, columns), u)
    )
    return next(taken, None)


def _other_classes(champion: Any, candidate: Any) -> str:
    """Say in what the classes of two models differ, if they do."""
    old, new = set(champion.classes_), set(candidate.classes_)
    if old == new:
        return ""
    sides = ((old - new, "only it knows"), (new - old, "it does not know"))
    parts = [f"{pluralize(len(some), 'class')} {what}" for some, what in sides if some]
    return f"its classes are others: {', '.join(parts)}"


def was_trained_on(
    champion: PublishedVersion, rows: Rows, table: Rows | None
) -> np.ndarray[Any, Any]:
    """Say which rows a version was trained on, or on their group, text, or near-duplicate.

    Texts that differ in what fills their slots count, and a family of which any row of `table` was
    trained on counts as a whole; without a table, equal texts alone do.
    """
    salt = json.loads(champion.files["metadata.json"])["training_keys_salt"]
    trained = np.load(io.BytesIO(champion.files["training_keys.npy"]), allow_pickle=False)

    def was_trained_on(some: Rows) -> np.ndarray[Any, Any]:
        found: np.ndarray[Any, Any] = np.isin(
            salted_digests("trained", some.leakage_keys, salt), trained
        )
        others = [some.text_keys] if (some.leakage_keys != some.text_keys).any() else []
        if table is not None and some.templates is not None:
            others.append(some.templates)
        for values in others:
            found |= np.isin(salted_digests("trained", values, salt), trained)
        return found

    seen = was_trained_on(rows)
    if table is None or table.near_duplicate_groups is None or rows.near_duplicate_groups is None:
        return seen
    return seen | np.isin(
        rows.near_duplicate_groups, table.near_duplicate_groups[was_trained_on(table)]
    )
