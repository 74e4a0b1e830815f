"""Words that stand for a missing value, and NUL characters, are found in columns."""

import numpy as np
import pytest

from job.stages.data.missing_words import find_missing_words, find_nul, is_missing_word


def cells(*values):
    return np.array(values, dtype=object)


@pytest.mark.parametrize(
    "word",
    ["nan", "NaN", "None", "NA", "N/A", "null", "NULL", r"\N", "#N/A", "-", "<NA>", " n/a ", "NaT",
     "#REF!", "undefined", "--", "\u2014", "?"],
)  # fmt: skip
def test_words_for_a_missing_value(word):
    """As pandas, R, databases and spreadsheets write them."""
    assert is_missing_word(word)


@pytest.mark.parametrize("word", ["other", "no", "nano", "no data", "0", "-1", "n", "unknown"])
def test_words_that_are_values(word):
    """Labels such as `no` and `unknown` are common."""
    assert not is_missing_word(word)


def test_only_cells_that_nobody_expects_are_found():
    """Missing cells are no words."""
    values = cells("none", None, "NA", "a" * 100, "NA", "opt_out")

    assert [True, False, True, False, True, False] == find_missing_words(values).tolist()
    assert [0] == np.flatnonzero(find_missing_words(values, ("NA",))).tolist()
    assert not find_missing_words(cells(None, None)).any()


def test_nul_is_found_anywhere_in_a_cell():
    assert [True, False, True, False] == find_nul(cells("a\0", "a", "a\0b", None)).tolist()
