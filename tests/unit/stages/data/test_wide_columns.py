"""The columns of `prefix*` are ordered by number; gaps, strays and equal numbers are found."""

import pytest

from job.stages.data.wide_columns import find_equal_numbers, find_gaps, find_strays, wide_columns


def test_columns_are_in_the_order_of_their_numbers():
    """With leading zeros or without."""
    assert ("e0", "e2", "e10") == wide_columns(("e10", "e2", "text", "e0"), "e*")
    assert ("e00", "e02", "e10") == wide_columns(("e10", "e02", "e00"), "e*")


@pytest.mark.parametrize(
    ("numbers", "gaps"),
    [
        ((0, 1, 2), ()),
        ((1, 2, 3), ()),
        ((0, 1, 3), ("2",)),
        ((0, 1, 5, 7), ("2 to 4", "6")),
        ((3, 4), ("0 to 2",)),
        ((1, 999_999_999), ("2 to 999999998",)),
        ((), ()),
    ],
)
def test_gaps(numbers, gaps):
    """A first number of 0 or 1 is usual."""
    assert gaps == find_gaps(tuple(f"e{n}" for n in numbers), "e*")


@pytest.mark.parametrize(
    ("names", "pattern", "strays"),
    [
        (("emb_0", "emb_model", "emb_norm", "text"), "emb_*", ("emb_model", "emb_norm")),
        (("emb0", "emb_model", "embedding"), "emb*", ("emb_model",)),
        (("e0", "email", "e1b"), "e*", ("e1b",)),
        (("dim.0", "dim.x"), "dim.*", ("dim.x",)),
        (("0", "text"), "*", ()),
        (("e0", "e" + "9" * 5000), "e*", ("e" + "9" * 5000,)),
    ],
)
def test_strays(names, pattern, strays):
    """`email` is no stray of `e*`: the prefix is not a part of its own there."""
    assert strays == find_strays(names, pattern)


def test_equal_numbers():
    """`e1` and `e01` have the same place, so their order would be arbitrary."""
    names = ("e1", "e01", "e001", "e2", "e3", "e03", "e1")

    assert (("e001", "e01", "e1"), ("e03", "e3")) == find_equal_numbers(names, "e*")
    assert () == find_equal_numbers(("e01", "e02"), "e*")
