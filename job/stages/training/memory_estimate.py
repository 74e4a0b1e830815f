"""Estimate the memory that search and training take."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import CountVectorizer

from job.contracts.dataset import Rows
from job.contracts.ports import MatrixAllocator
from job.contracts.settings.features import FeatureSpec
from job.contracts.settings.job_settings import TrainingSpec
from job.solver.dense_batch import batch_bytes
from job.solver.fit import can_fit
from job.solver.newton_cg import fit_bytes
from job.solver.row_spans import N_SPANS
from job.stages.features.geometry import geometry_bytes
from job.stages.features.term_counts import NGRAMS
from job.stages.training.prototypes import Prototypes
from job.stages.training.prototypes.moved_batches import moved_batches_bytes
from job.stages.training.search.candidates import list_candidates

Counts = npt.NDArray[Any]
# Bytes, measured by `python -m benchmarks.memory` and rounded up.
_SLACK: Final = 160 * 2**20
_PER_WORKER: Final = 16 * 2**20  # blocks of the span of rows that it works on
_PER_CELL: Final = 22  # copies of a dense value: the fold, its transforms, the hold-out
_PER_CELL_ALONE: Final = 10  # of embeddings alone, which are transformed block by block
_PER_CELL_IN_DOUBLE: Final = 8
_PER_CELL_AND_FIT: Final = {
    "logistic_regression": 2,
    "linear_svc": 20,
    "dummy": 0,
    "prototypes": 16,
}
_PER_CELL_AND_FAST_FIT: Final = 2
_PER_ROW_AND_PROBLEM: Final = 12  # its weight in a fold of a calibration, in both precisions
_N_PROBLEMS: Final = 4  # of a calibrated model
_PER_TERM_IN_DOUBLE: Final = 12
_PER_TERM_IN_TEXT: Final = 32  # an entry of the sparse matrices, while counting and after
_PER_TERM_IN_TEXT_AND_FIT: Final = {
    "logistic_regression": 8,
    "linear_svc": 20,
    "dummy": 0,
    "prototypes": 0,
}
_PER_TERM: Final = 160  # in the vocabulary of all terms, before the rare ones are dropped
_PER_COEFFICIENT: Final = {
    "logistic_regression": 160,
    "linear_svc": 24,
    "dummy": 0,
    "prototypes": 24,
}
_PER_START: Final = 12  # of a model of the fold before, and where the next one starts
_N_SAMPLED: Final = 2000
_N_SAMPLED_CHARACTERS: Final = 2_000_000


def estimate_training_bytes(
    train: Rows, spec: TrainingSpec, n_workers: int, matrices: MatrixAllocator
) -> int:
    """Estimate what search and training add to the memory in use."""
    names = {*spec.search.estimators, "logistic_regression"}  # the baseline is always fitted
    width = 0 if train.embeddings is None else train.embeddings.shape[1]
    n_columns = width + 2 * train.frame.shape[1]
    candidates = list_candidates(spec.search, spec.features.use, spec.random_state)
    n_models_of = Counter(candidate.feature_blocks for candidate in candidates)
    has_text = any("text" in feature_blocks for feature_blocks in n_models_of)
    n_in_text, n_terms, n_kept = _count_terms(train, spec.features) if has_text else (0, 0, 0)

    def most(sizes: Mapping[str, int]) -> int:
        return n_workers * max(sizes[name] for name in names)

    n_classes = len(set(train.y))
    n_coefficients = n_classes * (n_columns + n_kept)
    n_models = max(n_models_of.values())
    is_alone = set(n_models_of) == {("embeddings",)}
    is_fast = spec.search.engine == "fast"
    models = [candidate.build(spec.search, spec.random_state) for candidate in candidates]
    is_all_fast = is_alone and is_fast and all(map(_is_fitted_fast, models))
    n_problems = n_models * (_N_PROBLEMS if "linear_svc" in names else 1)
    n_values = int(n_coefficients) + n_classes
    fit = fit_bytes(len(train), n_classes, n_values, n_models)
    per_cell = _PER_CELL_ALONE if is_alone else _PER_CELL
    if is_alone and not matrices.memory_bytes((len(train), width)):
        per_cell = 0  # they lie in files
    per_term = _PER_TERM_IN_TEXT
    if not is_fast:
        per_cell, per_term = per_cell + _PER_CELL_IN_DOUBLE, per_term + _PER_TERM_IN_DOUBLE
    per_fit = n_workers * _PER_CELL_AND_FAST_FIT if is_all_fast else most(_PER_CELL_AND_FIT)
    if "prototypes" in names:
        per_fit = max(per_fit, n_workers * _PER_CELL_AND_FIT["prototypes"])
    restored = geometry_bytes(width) if spec.features.geometry == "auto" else 0
    moved = moved_batches_bytes(width) + len(train) * n_columns * _PER_CELL_ALONE
    return _SLACK + max(
        restored,  # before anything is fitted
        moved if restored and "prototypes" in names else 0,  # after the search
        int(
            min(n_workers, N_SPANS) * _PER_WORKER
            + len(train) * (n_columns * (per_cell + per_fit) + _N_PROBLEMS * _PER_ROW_AND_PROBLEM)
            + n_in_text * (per_term + most(_PER_TERM_IN_TEXT_AND_FIT))
            + n_terms * _PER_TERM
            + n_coefficients * (most(_PER_COEFFICIENT) + n_models * _PER_START)
            + (batch_bytes(n_problems, n_values) if is_alone else fit)
        ),
    )


def _count_terms(train: Rows, spec: FeatureSpec) -> tuple[float, float, float]:
    """Foresee from a sample how often terms occur, how many there are, and how many are kept."""
    if train.text is None:
        return 0.0, 0.0, 0.0
    sample = train.text[:: -(-len(train) // _N_SAMPLED)]
    n_characters = np.cumsum([len(text) for text in sample])
    sample = sample[: max(int(np.searchsorted(n_characters, _N_SAMPLED_CHARACTERS)), 2)]
    growth = len(train) / len(sample)
    found = np.zeros(3)
    for analyzer in spec.analyzers:
        counter = CountVectorizer(analyzer=analyzer, ngram_range=NGRAMS[analyzer], binary=True)
        try:
            occurs = counter.fit_transform(sample)
        except ValueError:
            continue  # no text has a term
        whole = occurs.getnnz(axis=0)
        half = occurs[::2].getnnz(axis=0)
        found += (
            occurs.nnz * growth,
            _grown(half, whole, 1, growth),
            _grown(half, whole, spec.min_groups, growth),
        )
    return float(found[0]), float(found[1]), float(found[2])


def _grown(half: Counts, whole: Counts, least: int, growth: float) -> float:
    """Extrapolate how many terms occur so often.

    The number grows as a power of the texts (Heaps' law); the power is that between half the
    sample and the whole of it.
    """
    n_half, n_whole = (max(int((found >= least).sum()), 1) for found in (half, whole))
    return float(n_whole * growth ** math.log2(n_whole / n_half))


def _is_fitted_fast(model: Any) -> bool:
    """Return whether a model of full matrices never takes scikit-learn's own copy of them.

    Neither do a classifier that knows the shares of the classes only, and prototypes.
    """
    return isinstance(model, (DummyClassifier, Prototypes)) or can_fit(model, np.empty((0, 0)))
