"""Work that exceeds the memory limit is refused, and the message states the required amount."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from support.matrices import IN_MEMORY

from job.contracts.dataset import Column, Dataset, Rows
from job.contracts.matrix_rows import MatrixRows
from job.contracts.settings.job_settings import JobSettings
from job.errors import ConfigurationError
from job.stages.training.memory_estimate import estimate_training_bytes
from job.stages.training.memory_limit import (
    require_memory,
    require_memory_to_read,
    require_memory_to_start,
    require_memory_to_validate,
)

MIB = 2**20


@dataclass
class Meter:
    limit_bytes: int
    used: int = 0

    def used_bytes(self):
        return self.used


def rows(n, *, width=0, text=None):
    y = np.array([f"c{i % 3}" for i in range(n)], object)
    matrix = np.zeros((n, width), np.float32)
    embeddings = MatrixRows(matrix, np.arange(n)) if width else None
    frame = pd.DataFrame(index=range(n))
    return Rows(y=y, leakage_keys=y, text_keys=y, text=text, embeddings=embeddings, frame=frame)


def spec(*estimators, feature_blocks="embeddings", engine="fast"):
    search = {"estimators": {e: {} for e in estimators}, "engine": engine}
    return JobSettings.model_validate(
        {"search": search, "features": {"use": [feature_blocks]}}
    ).training


def test_need_equal_to_the_limit_is_granted():
    require_memory(MIB, Meter(MIB), "for this")


def test_refusal_names_what_is_needed_and_what_is_granted():
    with pytest.raises(
        ConfigurationError, match="needs about 3 MiB of memory for this, but may use 2 MiB"
    ):
        require_memory(2 * MIB + 1, Meter(2 * MIB), "for this")


def test_libraries_need_memory_too():
    with pytest.raises(ConfigurationError, match="libraries"):
        require_memory_to_start(Meter(128 * MIB))


def test_matrix_counts_on_top_of_what_is_in_use():
    require_memory_to_read(200 * MIB, Meter(600 * MIB, used=200 * MIB))
    with pytest.raises(ConfigurationError, match="to read the table"):
        require_memory_to_read(200 * MIB, Meter(600 * MIB, used=400 * MIB))


def test_twice_the_rows_need_twice_the_memory_of_a_dense_fit():
    fixed = estimate_training_bytes(
        rows(0 + 3, width=64), spec("logistic_regression"), 1, IN_MEMORY
    )
    one = (
        estimate_training_bytes(rows(10_000, width=64), spec("logistic_regression"), 1, IN_MEMORY)
        - fixed
    )
    two = (
        estimate_training_bytes(rows(20_000, width=64), spec("logistic_regression"), 1, IN_MEMORY)
        - fixed
    )

    assert two == pytest.approx(2 * one, rel=0.01)


def test_linear_svc_needs_more_by_each_worker():
    """liblinear copies the matrix for each fit; the fast engine shares one and uses blocks."""
    wide, n_cells = rows(10_000, width=2048), 10_000 * 2048

    def added(engine):
        asked = spec("linear_svc", engine=engine)
        sizes = [estimate_training_bytes(wide, asked, n, IN_MEMORY) for n in (1, 2, 3)]
        assert sizes[1] - sizes[0] == pytest.approx(sizes[2] - sizes[1], rel=0.01)
        return sizes[1] - sizes[0]

    assert added("reference") > 16 * n_cells > 4 * added("fast")
    assert added("fast") - 2 * n_cells > 10 * MIB


def test_loss_that_only_liblinear_has_needs_its_copies():
    wide = rows(10_000, width=64)
    asked = spec("linear_svc")
    grids = {"linear_svc": {"loss": ("hinge",)}}
    hinge = asked.model_copy(
        update={"search": asked.search.model_copy(update={"estimators": grids})}
    )
    plain, own = (
        estimate_training_bytes(wide, training_spec, 1, IN_MEMORY)
        for training_spec in (asked, hinge)
    )

    assert own - plain > 10_000 * 64 * 16


def test_more_kinds_of_terms_need_more_memory():
    rng = np.random.default_rng(0)
    poor, rich = (
        np.array(
            [" ".join(f"w{i}" for i in rng.integers(0, kinds, 8)) for _ in range(3000)], object
        )
        for kinds in (50, 50_000)
    )
    few, many = (
        estimate_training_bytes(
            rows(3000, text=t), spec("logistic_regression", feature_blocks="text"), 1, IN_MEMORY
        )
        for t in (poor, rich)
    )

    assert many > few


def test_text_without_a_term_can_be_estimated():
    assert (
        estimate_training_bytes(
            rows(30, text=np.array([""] * 30, object)), spec("dummy"), 1, IN_MEMORY
        )
        > 0
    )


def test_texts_are_copied_while_they_are_validated():
    values = np.array(["x" * MIB] * 100, object)
    column = Column(name="text", role="text", kind="string", values=values)
    dataset = Dataset(n_rows=100, columns=(column,), embeddings=None, provenance=None)

    require_memory_to_validate(dataset, Meter(600 * MIB))
    with pytest.raises(ConfigurationError, match="to validate the table"):
        require_memory_to_validate(dataset, Meter(400 * MIB))
