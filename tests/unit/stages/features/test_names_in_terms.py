"""How many names of few persons become terms, measured on letters signed with common names."""

from dataclasses import replace

import numpy as np
import pytest
from support.datasets import table_of
from support.executors import InTurn
from support.names import FAMILY, FIRST
from support.signed_letters import write_table_of_letters

from job.contracts.dataset import Column
from job.contracts.settings.split import SplitSpec
from job.stages.data.persons import number_persons
from job.stages.data.rows import make_rows
from job.stages.features.term_counts import Terms
from job.stages.split.near_duplicates import find_near_duplicate_groups

MIN_GROUPS = 5


def keep_terms(texts):
    """Return the words that a run keeps for these texts."""
    values = {"text": texts, "target": ["a", "b"] * (len(texts) // 2) + ["a"] * (len(texts) % 2)}
    columns = [
        Column(name=name, role=name, kind="string", values=np.array(cells, dtype=object))
        for name, cells in values.items()
    ]
    dataset = replace(table_of(tuple(columns)), n_rows=len(texts))
    rows = make_rows(dataset, np.ones(len(texts), bool), ("text",), needs_templates=True)
    (rows,) = find_near_duplicate_groups([rows], SplitSpec(), "text", InTurn())
    rows = replace(rows, person_ids=number_persons(rows, rows.text))
    union, _ = Terms(rows, ("word",)).union(np.arange(len(rows)), MIN_GROUPS)
    return set(union.transformer_list[0][1][0].vectorizer.vocabulary)


@pytest.mark.parametrize("has_contact", [True, False])
def test_names_of_few_signers_become_terms_only_without_contact_data(has_contact):
    """The second figure is stated in docs/limitations.md."""
    texts, signers = write_table_of_letters(has_contact)
    holders = {name: set() for name in [*FIRST, *FAMILY]}
    for signer, name in signers:
        for part in name.casefold().split():
            holders[part].add(signer)
    few = {name for name, persons in holders.items() if 0 < len(persons) < MIN_GROUPS}
    n_kept = len(few & keep_terms(texts))

    assert 161 == len(few)
    assert (0 if has_contact else 106) == n_kept
