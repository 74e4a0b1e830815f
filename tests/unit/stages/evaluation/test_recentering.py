"""A batch is recentered by the lengths of its rows; a batch of correct lengths is not changed."""

import numpy as np
import pytest

from job.stages.evaluation.recentering import recenter


def make_rows(n=200, width=64, seed=0):
    """Return rows of length 1 around a common mean."""
    rows = np.random.default_rng(seed).standard_normal((n, width)) + 0.5
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_of_length_1_stay_as_they_are(dtype):
    """A batch that was scaled with the table's scalers has such rows."""
    rows = make_rows().astype(dtype)

    assert np.allclose(rows, recenter(rows), atol=1e-6)


@pytest.mark.parametrize("n", [20, 200])
def test_shift_of_a_batch_is_undone(n):
    """With few rows it is mostly undone, with many rows to more than nine tenths."""
    rows = make_rows(n)
    shift = np.zeros(64)
    shift[:4] = 0.2
    left = (recenter(rows + shift) - rows).mean(axis=0)

    assert np.linalg.norm(left) < {20: 0.9, 200: 0.1}[n] * np.linalg.norm(shift)


def test_one_row_stays_where_it_is():
    """One row shows nothing about the shift of its batch."""
    row = make_rows(1) + 0.1

    assert np.allclose(row, recenter(row))


def test_rows_are_not_changed_in_place():
    rows = make_rows() + 0.1
    before = rows.copy()
    recenter(rows)

    assert (before == rows).all()
