"""A class is named only if the labels list it, or if its name is plain and enough groups have it."""

import pytest
from support.rows import rows_of_texts

from job.errors import ContractViolationError, TrainingError
from job.stages.split.class_names import (
    drop_rare_classes,
    pool_official_test,
    pool_unnamed_classes,
    quote_classes,
    require_known_classes,
)

LETTER = "Dear Sir, please delete my data"


def rows_of(*classes):
    """Return rows of these classes, each with a leakage key of its own."""
    return rows_of_texts([f"k{n}" for n in range(len(classes))], y=classes)


def test_rare_class_is_kept_only_if_it_is_listed():
    """Also if other labels are listed."""
    rows = rows_of(*"aaaaabbbbb", "listed", LETTER)
    kept, rare = drop_rare_classes(rows, ("listed",), 5)

    assert {"a", "b", "listed"} == set(kept.y)
    assert (1, 1) == (rare.n_classes, rare.n_rows)


def test_table_of_rare_classes_is_an_error_that_asks_for_swapped_columns():
    with pytest.raises(TrainingError, match="fewer than 2 classes") as caught:
        drop_rare_classes(rows_of(*"aaaaa", "b", LETTER), (), 5)

    assert "swapped" in caught.value.hint
    assert LETTER not in str(caught.value)


def test_unknown_classes_are_pooled_unless_plain_and_frequent():
    """Known classes stay, however rare they are."""
    rows = rows_of("known one", *["often"] * 5, "seldom", *[LETTER] * 6)
    pooled = pool_unnamed_classes(rows, ["known one"])

    assert ["known one", *["often"] * 5, *["(other)"] * 7] == pooled.y.tolist()


def test_class_of_an_official_test_is_named_if_enough_persons_have_it():
    """A class of one row can be the name of a person."""
    pooled = pool_official_test(rows_of("a", "seldom", *["audiences"] * 5, LETTER), {"a"})

    assert ["a", "(other)", *["audiences"] * 5, "(other)"] == pooled.y.tolist()


def test_official_test_without_a_class_of_the_table_is_an_error():
    with pytest.raises(ContractViolationError, match="no row of the official test") as caught:
        pool_official_test(rows_of("x", LETTER), {"a"})

    assert "dataset.test_uri" in caught.value.hint


def test_classes_are_quoted_or_numbered():
    """The number is that of the class among all, in sorted order."""
    assert "class 'a'" == quote_classes(["a"], ["a", LETTER], ())
    assert "classes number 1, 'a'" == quote_classes(["a", LETTER], ["a", LETTER], ())
    assert f"class '{LETTER}'" == quote_classes([LETTER], ["a", LETTER], (LETTER,))


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("Opt_out", "case"),
        (" opt_out", "blanks"),
        ("opt_out\0", "invisible characters"),
        ("opt\u200b_out", "invisible characters"),
        ("\uff4fpt_out", "Unicode form"),
    ],
)
@pytest.mark.parametrize("others", [[], ["opt_out", "other"]], ids=["none known", "some known"])
def test_class_of_an_official_test_that_looks_like_a_known_one_is_an_error(label, kind, others):
    """Its rows would count as errors of the model."""
    test = rows_of(*[label] * 6, *others)
    with pytest.raises(ContractViolationError, match=r"6 rows .* looks like a known one") as caught:
        pool_official_test(test, {"opt_out", "other"})

    assert caught.value.message.endswith(f"differs in {kind}")


def test_table_that_is_evaluated_needs_a_known_class():
    """A score of 0 would look like a bad model."""
    with pytest.raises(ContractViolationError, match="no row of the table has a known class"):
        require_known_classes(rows_of("x", LETTER), {"a"}, "the table")

    require_known_classes(rows_of("x", "a"), {"a"}, "the table")


def test_rows_without_values_that_differ_are_called_so():
    """Not a problem of the labels: all rows count as one person."""
    rows = rows_of_texts(["same"] * 40, y=["a", "b"] * 20)
    with pytest.raises(TrainingError, match="the 40 rows count as 1 person,") as caught:
        drop_rare_classes(rows, (), 5)

    assert "features.use" in caught.value.hint
