"""Standardized columns are detected; embeddings straight from a model are not."""

import numpy as np
import pytest

from job.contracts.matrix_rows import MatrixRows
from job.stages.evaluation import standardization
from job.stages.evaluation.standardization import check_standardization


def check(X):
    X = np.ascontiguousarray(X, dtype=np.float32)
    return check_standardization(MatrixRows(X, np.arange(len(X))), 1)


def standardized(n_rows=3000, seed=0):
    """Return two blocks of columns, each with mean 0 and one deviation, like the upstream's."""
    X = np.random.default_rng(seed).lognormal(size=(n_rows, 60)) + np.arange(60)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    return X * np.where(np.arange(60) < 40, 0.7, 0.3)


def test_two_scaled_blocks_look_standardized():
    report = check(standardized())

    assert report.is_standardized
    assert (0.0, 1.0) == pytest.approx((report.mean_ratio, report.scale_share), abs=1e-4)


def test_part_of_a_batch_looks_standardized():
    """Its means and deviations are those of a sample."""
    assert check(standardized()[:300]).is_standardized


def test_rows_of_length_1_do_not():
    X = standardized()

    assert not check(X / np.linalg.norm(X, axis=1, keepdims=True)).is_standardized


def test_columns_with_means_do_not():
    assert not check(standardized() + 0.2).is_standardized


def test_columns_of_many_scales_do_not():
    """Principal components also have a mean of 0."""
    assert not check(standardized() / (1 + np.arange(60))).is_standardized


def test_constant_columns_are_left_out():
    """They vary in no table, standardized or not."""
    X = standardized()
    X[:, 20:50] = 0.25

    assert check(X).is_standardized


def test_zeros_are_nothing():
    report = check(np.zeros((10, 4)))

    assert not report.is_standardized
    assert (0.0, 0.0, 0.0) == (report.mean_ratio, report.scale_share, report.length_variation)


def test_blocks_and_sample_change_nothing(monkeypatch):
    """There are more rows than in one block; of many rows, a seeded sample is used."""
    X = standardized(5000)
    whole = check(X)
    monkeypatch.setattr(standardization, "_MAX_ROWS", 2000)
    sample = check(X)

    assert (5000, 2000) == (whole.n_rows, sample.n_rows)
    assert sample.is_standardized
    assert np.linalg.norm(X, axis=1).std() / np.linalg.norm(X, axis=1).mean() == pytest.approx(
        whole.length_variation, rel=1e-4
    )
