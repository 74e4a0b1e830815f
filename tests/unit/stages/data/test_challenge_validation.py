"""An invalid challenge set is rejected before the search, and no cell of it is quoted."""

from dataclasses import replace

import numpy as np
import pytest
from support.datasets import PROVENANCE, table_of

from job.contracts.dataset import MISSING, OK, Column, Embeddings
from job.contracts.settings.dataset import ColumnsSpec
from job.errors import ConfigurationError, ContractViolationError
from job.stages.data.challenge_validation import validate_challenge, validate_out_of_scope

COLUMNS = ColumnsSpec(numeric=("length",), boolean=())
SECRET = "do not show this"


def make_table(labels=("a", "b"), texts=None, width=None, defects=(OK, OK), numbers=None):
    columns = [_column("target", "intent", labels)]
    if texts is not None:
        columns.append(_column("text", "text", texts))
    if numbers is not None:
        columns.append(
            Column(name="length", role="numeric", kind="number", values=np.array(numbers))
        )
    embeddings = None
    if width is not None:
        embeddings = Embeddings(
            matrix=np.zeros((2, width), np.float32),
            defects=np.array(defects, np.uint8),
            widths=np.full(2, width, np.int32),
        )
    return table_of(columns, embeddings)


def _column(role, name, values):
    return Column(name=name, role=role, kind="string", values=np.array(values, dtype=object))


TABLE = make_table(texts=("x", "y"), width=3, numbers=(1.0, 2.0))


def check(challenge, *uses):
    validate_challenge(
        challenge,
        TABLE,
        ("a", "b", "c"),
        uses=uses or (("embeddings",),),
        columns=COLUMNS,
        embedding_model="ours",
    )


@pytest.mark.parametrize(
    ("challenge", "feature_blocks"),
    [
        (make_table(width=3), ("embeddings",)),
        (make_table(texts=("x", "y")), ("text",)),
        (make_table(width=3, texts=("x", None)), ("embeddings",)),
        (make_table(width=3, texts=("x", "y"), numbers=(1.0, np.nan)), ("embeddings", "numeric")),
    ],
)
def test_set_with_all_columns_of_the_model_is_sound(challenge, feature_blocks):
    """Only the columns that a candidate uses are needed; numbers may be missing, as in a table."""
    check(challenge, feature_blocks)


@pytest.mark.parametrize(
    ("challenge", "uses", "column"),
    [
        (make_table(texts=("x", "y")), (("embeddings",),), "embeddings"),
        (make_table(width=3), (("text",),), "text"),
        (make_table(width=3), (("embeddings",), ("text", "embeddings")), "text"),
        (make_table(width=3), (("embeddings", "numeric"),), "length"),
    ],
)
def test_set_that_lacks_a_column_of_any_candidate_is_a_wrong_setting(challenge, uses, column):
    """It does not end in a score of 0; the message names the column."""
    with pytest.raises(ConfigurationError, match=f"lacks '{column}'") as error:
        check(challenge, *uses)

    assert f"'{column}'" in error.value.message


@pytest.mark.parametrize(
    ("challenge", "rule"),
    [
        (make_table((None, "a"), width=3), "challenge_target_missing"),
        (make_table((SECRET, "a"), width=3), "challenge_label_in_table"),
        (make_table(width=3, defects=(OK, MISSING)), "challenge_embeddings_missing"),
        (make_table(width=4), "challenge_embedding_width"),
    ],
)
def test_unsound_set_breaks_an_expectation_by_name(challenge, rule):
    """Its label, which may be personal, is not in the message."""
    with pytest.raises(ContractViolationError, match=rule) as error:
        check(challenge)

    assert SECRET not in str(error.value)


def test_missing_text_counts_where_the_model_takes_texts():
    with pytest.raises(
        ContractViolationError, match="1 of 2 rows violates 'challenge_text_missing'"
    ):
        check(make_table(texts=(SECRET, None)), ("text",))


def test_embeddings_of_another_model_are_refused():
    """The set names its model; the width alone would not reveal it."""
    challenge = replace(
        make_table(width=3), provenance=replace(PROVENANCE, metadata=(("embedding_model", "b"),))
    )

    with pytest.raises(ContractViolationError, match="challenge_embedding_model"):
        check(challenge)


def check_out_of_scope(requests, *uses):
    validate_out_of_scope(
        requests, TABLE, uses=uses or (("embeddings",),), columns=COLUMNS, embedding_model="ours"
    )


@pytest.mark.parametrize("labels", [(None, None), (SECRET, "a")])
def test_labels_of_an_out_of_scope_set_are_ignored(labels):
    check_out_of_scope(make_table(labels, width=3))


def test_out_of_scope_set_that_lacks_a_column_is_a_wrong_setting():
    """The message names the kind of the set, and the hint its setting."""
    with pytest.raises(ConfigurationError, match=r"^out-of-scope set .* lacks 'text'") as error:
        check_out_of_scope(make_table(width=3), ("embeddings",), ("text", "embeddings"))

    assert "evaluation.out_of_scope_uri" in error.value.hint


@pytest.mark.parametrize(
    ("requests", "feature_blocks", "rule"),
    [
        (make_table(texts=(SECRET, None)), ("text",), "out_of_scope_text_missing"),
        (
            make_table(width=3, defects=(OK, MISSING)),
            ("embeddings",),
            "out_of_scope_embeddings_missing",
        ),
        (make_table(width=4), ("embeddings",), "out_of_scope_embedding_width"),
    ],
)
def test_unsound_out_of_scope_set_breaks_an_expectation_by_name(requests, feature_blocks, rule):
    with pytest.raises(ContractViolationError, match=rule) as error:
        check_out_of_scope(requests, feature_blocks)

    assert SECRET not in str(error.value)
