"""Rows of the table that are near-duplicates of the challenge set are found and dropped."""

from dataclasses import replace

import numpy as np
import pytest
from support.executors import InTurn
from support.rows import rows_of_embeddings, rows_of_texts

from job.contracts.matrix_rows import MatrixRows
from job.contracts.settings.split import SplitSpec
from job.stages.data.templates import make_templates
from job.stages.split.challenge_near_duplicates import (
    drop_near_challenge,
    number_near_duplicate_groups,
)

TABLE = (
    "please delete all of the personal data that you hold about me",
    "please delete all of the personal data that you hold about us",
    "where is my parcel with the number 12345",
    "I object to the newsletters of your company",
)
REQUESTS = ("Please delete ALL of the personal data that you hold about me!", "who reads my mail?")


def of_texts(texts):
    rows = rows_of_texts(texts)
    return replace(
        rows,
        near_duplicate_groups=None,
        templates=make_templates(np.array(texts, object), rows.text_keys),
    )


def of_embeddings(X):
    return replace(rows_of_embeddings(X), near_duplicate_groups=None)


def number(table, challenge, kind, **spec):
    return number_near_duplicate_groups(
        table, None, challenge, spec=SplitSpec(**spec), kind=kind, executor=InTurn()
    )


def test_near_duplicates_of_a_request_are_left_out():
    """The equal text and the one that differs in a word; group numbers are comparable between both tables."""
    tables = number(of_texts(TABLE), of_texts(REQUESTS), "text")

    assert [True, True, False, False] == tables.is_near_challenge.tolist()
    assert tables.rows.near_duplicate_groups[0] == tables.challenge.near_duplicate_groups[0]
    assert 2 == len(drop_near_challenge(tables.rows, tables.is_near_challenge))


def test_without_near_duplicates_equal_texts_are_left_out():
    """With `split.near_duplicates: none`, requests of the set are still never trained on."""
    tables = number(of_texts(TABLE), of_texts(REQUESTS), "none")

    assert [True, False, False, False] == tables.is_near_challenge.tolist()


def test_set_without_texts_is_compared_by_embeddings():
    """The table keeps the groups of its texts, and loses the rows that are near the set."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((6, 64)).astype(np.float32)
    table = replace(of_texts(TABLE), embeddings=MatrixRows(X, np.arange(4)))
    alone = number(table, None, "text")
    near = X[[2, 4, 5]] + np.float32(0.001)
    tables = number(table, of_embeddings(near), "text")

    assert [False, False, True, False] == tables.is_near_challenge.tolist()
    assert alone.rows.near_duplicate_groups.tolist() == tables.rows.near_duplicate_groups.tolist()
    assert alone.is_near_challenge is None


def test_set_that_shares_nothing_with_the_table_gives_nothing_away():
    """One has texts, the other embeddings: only equal keys could show a relation."""
    table = of_embeddings(np.eye(4, 8))
    tables = number(table, of_texts(REQUESTS), "embeddings")

    assert not tables.is_near_challenge.any()
    assert 2 == len(set(tables.challenge.near_duplicate_groups))


@pytest.mark.parametrize("kind", ["text", "none"])
def test_rows_of_a_group_in_the_set_are_left_out(kind):
    """The model does not learn from a person whose requests are in the set."""
    keys = np.array(["group:1", "group:2", "group:3", "group:4"], dtype=object)
    table = replace(of_texts(TABLE), leakage_keys=keys)
    challenge = replace(
        of_texts(("something else entirely", "who reads my mail?")),
        leakage_keys=np.array(["group:4", "group:9"], dtype=object),
    )

    assert [False, False, False, True] == number(table, challenge, kind).is_near_challenge.tolist()
