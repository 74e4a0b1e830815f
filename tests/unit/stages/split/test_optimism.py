"""The accuracy of a random split is compared with the accuracy without near-duplicates."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from support.executors import InTurn
from support.matrices import IN_MEMORY

from job.contracts.dataset import Rows
from job.contracts.matrix_rows import MatrixRows
from job.contracts.settings.dataset import ColumnsSpec
from job.contracts.settings.features import FeatureSpec
from job.contracts.settings.job_settings import TrainingSpec
from job.contracts.settings.search import SearchSpec
from job.stages.split import optimism
from job.stages.split.optimism import measure_optimism


def rows_of(y, X, near_duplicate_groups):
    keys = np.array([f"k{n}" for n in range(len(y))], dtype=object)
    return Rows(
        y=np.array(y, dtype=object),
        leakage_keys=keys,
        text_keys=keys,
        text=np.array([f"secret{n} word" for n in range(len(y))], dtype=object),
        embeddings=MatrixRows(X.astype(np.float32), np.arange(len(y))),
        frame=pd.DataFrame(index=range(len(y))),
        near_duplicate_groups=np.array(near_duplicate_groups),
    )


def measure(rows, feature_blocks=("embeddings",)):
    spec = TrainingSpec(
        search=SearchSpec(),
        features=FeatureSpec(use=feature_blocks),
        columns=ColumnsSpec(),
        random_state=0,
    )
    return measure_optimism(rows, spec, IN_MEMORY, InTurn())


@pytest.fixture
def copies():
    """Sixty meaningless texts, with ten near-copies of each."""
    rng = np.random.default_rng(0)
    near_duplicate_groups = np.repeat(np.arange(60), 10)
    X = rng.standard_normal((60, 40))[near_duplicate_groups] + 0.05 * rng.standard_normal((600, 40))
    return rows_of(rng.choice(["a", "b"], 60)[near_duplicate_groups], X, near_duplicate_groups)


def test_random_split_of_copies_is_optimistic(copies):
    """Random labels can only be predicted by memorizing copies."""
    result = measure(copies)

    assert result.random_accuracy > result.leakage_safe_accuracy + 0.25
    assert abs(result.leakage_safe_accuracy - 0.5) < 0.2


def test_without_copies_both_scores_are_alike(copies):
    """Nothing can leak."""
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, 900)
    X = rng.standard_normal((900, 20)) + y[:, None]
    result = measure(rows_of(np.where(y, "a", "b"), X, range(900)))

    assert abs(result.random_accuracy - result.leakage_safe_accuracy) < 0.03
    assert result.random_accuracy > 0.9


def test_texts_are_scored_and_not_told(copies):
    """Rare terms are used, but not published."""
    result = measure(copies, ("text",))

    assert "secret" not in json.dumps(result.to_json())
    assert 600 == result.n_rows


def test_large_table_is_sampled_by_whole_groups(copies, monkeypatch):
    """If single rows were drawn, their copies would be left behind, and with them the leakage."""
    monkeypatch.setattr(optimism, "_MAX_ROWS", 300)
    result = measure(copies)

    assert 300 >= result.n_rows > 200
    assert result.random_accuracy > result.leakage_safe_accuracy + 0.2


@pytest.mark.parametrize("feature_blocks", [("embeddings",), ("text",)])
def test_work_is_bounded_by_rows_columns_and_classes(copies, monkeypatch, feature_blocks):
    """Fits to n rows, d columns and K classes take about n min(n, d) (min(n, d) + K) products."""
    monkeypatch.setattr(optimism, "_MAX_PRODUCTS", 200**2 * 202)
    n_columns = {"embeddings": 40, "text": 600}[feature_blocks[0]]
    n_rows = measure(copies, feature_blocks).n_rows
    rank = min(n_rows, n_columns)

    assert n_rows * rank * (rank + 2) <= 200**2 * 202
    assert {"embeddings": 600, "text": 200}[feature_blocks[0]] == n_rows


def test_group_that_fills_a_fold_is_left_out_of_a_sample(copies, monkeypatch):
    """It would be the complete sample; the other groups are still used."""
    monkeypatch.setattr(optimism, "_MAX_ROWS", 300)
    near_duplicate_groups = np.where(
        copies.near_duplicate_groups < 31, 0, copies.near_duplicate_groups
    )
    result = measure(replace(copies, near_duplicate_groups=near_duplicate_groups))

    assert 290 == result.n_rows


def test_classes_without_groups_for_every_fold_take_no_part(copies):
    """A single class does not allow a score."""
    y = np.where(copies.near_duplicate_groups < 2, "few", "many").astype(object)

    assert measure(replace(copies, y=y)) is None
