"""Measure how many wordings a table has, and how new the wording of the evaluated rows is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from job.contracts.arrays import Array
from job.contracts.dataset import Rows
from job.contracts.reports.wording import GroupCounts, ItemKind, Templates, Wording
from job.stages.data.leakage_keys import key_kind
from job.stages.evaluation.evaluated_rows import EvaluatedRows
from job.stages.evaluation.scores_by_similarity import score_by_similarity
from job.stages.evaluation.standardization import check_standardization
from job.stages.evaluation.wording_similarity import Part, measure_similarity
from job.stages.metrics.group_sums import effective_groups

# Groups of near-duplicates with at least this many rows count as sentence templates.  Such groups
# contain more than .97 of the upstream's 10,000 rows, .87 and .74 of samples of 400 and 300 of
# these rows, but only .14 of banking77 and .18 of privacyqa: people repeat texts, but in few
# copies.  With a minimum of 5, the share for 300 rows of the upstream would be .45, which would not
# count as templated.
TEMPLATE_MIN_ROWS: Final = 3
TEMPLATED_ABOVE: Final = 0.5
_N_LARGEST: Final = 10
_ITEMS: Final[dict[str, ItemKind]] = {"text": "text", "embedding": "embedding"}


def measure_wording(
    table: Rows,
    evaluated: EvaluatedRows,
    parts: Sequence[Part],
    random_state: int,
) -> Wording:
    """Count templates and groups, and measure the accuracy by similarity to the training rows.

    Parameters
    ----------
    table
        All rows of the table, with their near-duplicate groups.
    parts
        Evaluated and training rows of each model (see `measure_similarity`).
    """
    similarity = measure_similarity(evaluated.rows, parts, random_state)
    embeddings = table.embeddings
    return Wording(
        items=_ITEMS.get(key_kind(table.text_keys), "row"),
        n_items=len(pd.unique(table.text_keys)),
        table=count_groups(table.groups),
        judged=count_groups(evaluated.bootstrap.groups),
        templates=measure_templates(table),
        similarity=None
        if similarity is None
        else score_by_similarity(evaluated.predictions, evaluated.bootstrap, similarity),
        standardization=None
        if embeddings is None
        else check_standardization(embeddings, random_state),
    )


def count_groups(groups: Array) -> GroupCounts:
    """Count rows and groups, and compute the effective number of groups (Kish).

    Parameters
    ----------
    groups
        Group id of each row, shape (n_rows,).
    """
    _, sizes = np.unique(groups, return_counts=True)
    return GroupCounts(
        n_rows=int(sizes.sum()),
        n_groups=len(sizes),
        n_effective_groups=effective_groups(groups),
    )


def measure_templates(table: Rows) -> Templates:
    """Measure the share of rows from templates (rows in groups with enough near-duplicates).

    If near-duplicates are known, values of a group column are ignored.  A group column may, for
    example, name a person, and one person's rows do not come from one template.
    """
    near_duplicate_groups = (
        table.groups if table.near_duplicate_groups is None else table.near_duplicate_groups
    )
    _, sizes = np.unique(near_duplicate_groups, return_counts=True)
    sizes = np.sort(sizes)[::-1]
    is_template = sizes >= TEMPLATE_MIN_ROWS
    share = float(sizes[is_template].sum() / max(len(table), 1))
    return Templates(
        min_rows=TEMPLATE_MIN_ROWS,
        n_templates=int(is_template.sum()),
        share=share,
        largest=tuple((sizes[:_N_LARGEST] / max(len(table), 1)).tolist()),
        is_templated=share > TEMPLATED_ABOVE,
    )
