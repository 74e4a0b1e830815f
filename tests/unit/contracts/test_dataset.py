"""Rows are complete, and stay complete when some of them are taken."""

from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from job.contracts.dataset import Rows
from job.contracts.matrix_rows import MatrixRows

KEYS = np.array(["text:a", "text:b", "text:c"], dtype=object)


@pytest.fixture
def rows():
    """Three rows with a value in every field."""
    return Rows(
        y=np.array(["x", "y", "z"], dtype=object),
        leakage_keys=KEYS,
        text_keys=KEYS,
        text=np.array(["A", "B", "C"], dtype=object),
        embeddings=MatrixRows(np.eye(3, dtype=np.float32), np.arange(3)),
        frame=pd.DataFrame({"n": [1.0, 2.0, 3.0]}),
        templates=KEYS,
        slices=pd.DataFrame({"s": ["p", "q", "r"]}),
        positions=np.arange(3) + 10,
        person_ids=np.array([1, 0, 0]),
    ).with_groups(np.array([4, 4, 7]))


@pytest.mark.parametrize("index", [np.array([2, 0]), np.array([True, False, True])])
def test_every_field_is_taken(rows, index):
    """A position or a mask selects the same rows in arrays, matrices and frames."""
    taken = rows.take(index)

    assert {field.name: 2 for field in fields(Rows)} == {
        field.name: _length(getattr(taken, field.name)) for field in fields(Rows)
    }
    for n, label in enumerate(taken.y):
        place = "xyz".index(label)
        assert 1.0 == taken.embeddings.read()[n, place]
        assert (place + 1.0, "pqr"[place]) == (taken.frame.n.iloc[n], taken.slices.s.iloc[n])
        assert (place + 10, [4, 4, 7][place]) == (taken.positions[n], taken.groups[n])
        assert [1, 0, 0][place] == taken.persons[n]


def test_absent_fields_stay_absent(rows):
    """Rows without text have none after some are taken."""
    bare = Rows(
        y=rows.y,
        leakage_keys=KEYS,
        text_keys=KEYS,
        text=None,
        embeddings=None,
        frame=rows.frame,
    ).take(np.array([1]))

    assert (None, None, None) == (bare.text, bare.embeddings, bare.slices)


def _length(values):
    return values.shape[0] if isinstance(values, MatrixRows) else len(values)
