"""Compare the candidate with the champion on rows that neither was trained on.

How it works
------------
1. The table must have the champion's input, and the champion must have the candidate's classes.
2. Rows that the champion was trained on are left out, and also near-duplicates of such rows
   (`job.stages.lineage.training_rows`).
3. Both models predict the remaining rows.  A bootstrap over groups gives the interval of the
   difference of their scores (`job.stages.gate.paired_bootstrap`).
4. If both runs were cross-fitted, the errors that each run stored are compared instead, on the
   groups that are in both tables (`job.stages.gate.group_errors`); no model is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from job.contracts.dataset import Rows
from job.contracts.messages import pluralize
from job.contracts.metric_kinds import LabelMetric
from job.contracts.reports.comparison import Comparison
from job.contracts.reports.metadata import Metadata
from job.contracts.settings.dataset import ColumnsSpec
from job.contracts.settings.gate import PairedSpec
from job.contracts.settings.search import FeatureBlocks
from job.registry.champion import PublishedVersion
from job.stages.data.leakage_keys import key_kind
from job.stages.features.preprocessing import select_blocks
from job.stages.gate.group_errors import GroupErrors, pair_group_errors
from job.stages.gate.held_out_comparison import ComparedModel, ComparisonSpec, compare_models
from job.stages.gate.paired_bootstrap import compare_counts
from job.stages.lineage.training_rows import find_lineage_problem, was_trained_on
from job.stages.metrics.confidence_bounds import MIN_GROUPS
from job.stages.packaging.metadata import describe_input

MIN_ROWS: Final = 30


def compare(
    champion: PublishedVersion,
    candidate: ComparedModel,
    test: Rows,
    table: Rows | None,
    spec: ComparisonSpec,
) -> Comparison:
    """Compare champion and candidate on the test rows that the champion was not trained on.

    Both models must have the same classes.  The champion may take another input than the candidate
    if the settings list this input for the search.

    Parameters
    ----------
    table
        All rows of the table, including the test rows, to find near-duplicates of the champion's
        training rows; None if near-duplicates are not left out.
    """
    comparison = Comparison(
        role=champion.role,
        version=champion.version,
        metric=spec.paired.metric.name,
        is_advisory=champion.is_advisory,
    )
    metadata = champion.metadata
    feature_blocks = match_input(metadata, test, spec.list_inputs(candidate), spec.training.columns)
    if problem := find_problem(champion, test, feature_blocks, candidate.embedding_model):
        return comparison.copy_with(problem=problem)
    assert feature_blocks is not None  # otherwise a problem was found
    is_same = candidate.equals(champion)
    unseen = test if is_same else test.take(~was_trained_on(champion, test, table))
    comparison = count_compared(comparison, test, unseen)
    if not is_same and has_too_few(comparison):
        left = (
            f"{pluralize(comparison.n_rows, 'hold-out row')} in "
            f"{pluralize(comparison.n_groups, 'group')}"
        )
        return comparison.copy_with(problem=f"it was trained on all but {left}")
    return compare_models(comparison, champion, candidate, unseen, feature_blocks, spec=spec)


def count_compared(comparison: Comparison, rows: Rows, unseen: Rows) -> Comparison:
    """Return a copy of `comparison` with the numbers of compared rows and groups.

    The compared rows are `unseen`; all other rows in `rows` count as excluded.
    """
    return comparison.copy_with(
        n_rows=len(unseen),
        n_groups=len(np.unique(unseen.groups)),
        n_excluded=len(rows) - len(unseen),
    )


def has_too_few(comparison: Comparison) -> bool:
    """Return whether the comparison has too few rows or groups to compare different models."""
    return comparison.n_rows < MIN_ROWS or comparison.n_groups < MIN_GROUPS


def compare_errors(
    champion: PublishedVersion,
    before: GroupErrors,
    candidate: GroupErrors,
    paired: PairedSpec,
) -> Comparison | None:
    """Compare two runs by their cross-fitted errors, on the groups that are in both tables.

    Parameters
    ----------
    before
        Errors that the champion's run stored, by group.
    candidate
        Errors of the current run, by group.

    Returns
    -------
    comparison
        None if the runs cannot be compared: the classes differ, the tables share too few groups, or
        the metric is computed from probabilities, which are not stored.
    """
    if before.classes != candidate.classes or not isinstance(paired.metric, LabelMetric):
        return None
    counts = pair_group_errors(before, candidate)
    n_rows = round(counts.group_sums.total[0, : len(before.classes)].sum())
    comparison = Comparison(
        role=champion.role,
        version=champion.version,
        metric=paired.metric.name,
        basis="shared_groups",
        n_rows=n_rows,
        n_groups=counts.n_groups[0],
        n_excluded=int(candidate.n_rows.sum()) - n_rows,
    )
    return None if has_too_few(comparison) else compare_counts(counts, paired).add_to(comparison)


def find_problem(
    version: PublishedVersion,
    rows: Rows,
    feature_blocks: FeatureBlocks | None,
    embedding_model: str,
) -> str:
    """Return why a version cannot be evaluated on `rows`; an empty string if it can.

    Parameters
    ----------
    feature_blocks
        Input of the version; None if the settings do not list this input.
    """
    if feature_blocks is None:
        return "it takes a different input"
    metadata = version.metadata
    if problem := find_embedding_problem(metadata, feature_blocks, embedding_model):
        return problem
    if problem := find_lineage_problem(version):
        return problem
    kind = key_kind(rows.text_keys)
    known = metadata.training_keys_of or kind
    if known != kind:
        return f"its training rows are identified by {known}, the rows of this table by {kind}"
    return ""


def find_embedding_problem(
    metadata: Metadata, feature_blocks: FeatureBlocks, embedding_model: str
) -> str:
    """Return a message if the embedding models of version and table differ, else an empty text."""
    if "embeddings" in feature_blocks and metadata.embedding_model != embedding_model:
        return "its embeddings come from a different model than this table's"
    return ""


def find_width_problem(metadata: Metadata, rows: Rows) -> str:
    """Return a message if embeddings have another width than the version takes, else an empty text.

    A version that takes a table of several columns is not looked at.
    """
    if metadata.input.kind != "embeddings" or rows.embeddings is None:
        return ""
    width, found = metadata.input.shape[1], rows.embeddings.shape[1]
    if width == found:
        return ""
    return f"it takes embeddings of {width} dimensions, those of the table have {found}"


def match_input(
    metadata: Metadata, rows: Rows, uses: Iterable[FeatureBlocks], columns: ColumnsSpec
) -> FeatureBlocks | None:
    """Return the feature blocks among `uses` that the version takes as input; None if none fit."""
    matches = (
        blocks
        for blocks in uses
        if metadata.input == describe_input(select_blocks(rows, blocks, columns), blocks)
    )
    return next(matches, None)
