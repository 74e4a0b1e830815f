"""Estimate the memory that search and training take.

How it works
------------
1. A sample of the texts is counted, and the numbers of terms and of their occurrences are
   extrapolated to all training rows.
2. Each array that grows with rows, columns, terms, classes or candidates has a measured number of
   bytes per element; the products are summed for the most expensive candidate at each worker.
3. Steps that run before or after the search are estimated on their own; the largest sum counts.
"""

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
from job.stages.training.prototypes.restandardized_batches import restandardized_batches_bytes
from job.stages.training.search.candidates import list_candidates

Counts = npt.NDArray[Any]
# Bytes, measured by `python -m benchmarks.memory` and rounded up.
_SLACK: Final = 160 * 2**20
_PER_WORKER: Final = 16 * 2**20  # blocks of the span of rows that a worker processes
_PER_CELL: Final = 22  # copies of a dense value: the fold, its transforms, the hold-out
_PER_EMBEDDING_CELL: Final = 10  # with embeddings only, which are transformed block by block
_PER_CELL_IN_DOUBLE: Final = 8
_PER_CELL_AND_FIT: Final = {
    "logistic_regression": 2,
    "linear_svc": 20,
    "dummy": 0,
    "prototypes": 16,
}
_PER_CELL_AND_FAST_FIT: Final = 2
_PER_ROW_AND_PROBLEM: Final = 12  # sample weight in a calibration fold, in both precisions
_N_PROBLEMS: Final = 4  # fits of a calibrated model
_PER_OCCURRENCE_IN_DOUBLE: Final = 12
_PER_OCCURRENCE: Final = 32  # an entry of the sparse matrices, while counting and after
_PER_OCCURRENCE_AND_FIT: Final = {
    "logistic_regression": 8,
    "linear_svc": 20,
    "dummy": 0,
    "prototypes": 0,
}
_PER_TERM: Final = 160  # an entry of the vocabulary before rare terms are dropped
_PER_COEFFICIENT: Final = {
    "logistic_regression": 160,
    "linear_svc": 24,
    "dummy": 0,
    "prototypes": 24,
}
_PER_WARM_START: Final = 12  # a coefficient of the previous fold's model and of its copy
_N_SAMPLED: Final = 2000
_N_SAMPLED_CHARACTERS: Final = 2_000_000


def estimate_training_bytes(
    train: Rows, spec: TrainingSpec, n_workers: int, matrices: MatrixAllocator
) -> int:
    """Estimate how many bytes search and training add to the memory in use."""
    names = {*spec.search.estimators, "logistic_regression"}  # the baseline is always fitted
    width = 0 if train.embeddings is None else train.embeddings.shape[1]
    n_columns = width + 2 * train.frame.shape[1]
    candidates = list_candidates(spec.search, spec.features.use, spec.random_state)
    model_counts = Counter(candidate.feature_blocks for candidate in candidates)
    has_text = any("text" in feature_blocks for feature_blocks in model_counts)
    n_occurrences, n_terms, n_kept = _count_terms(train, spec.features) if has_text else (0, 0, 0)

    def all_workers(sizes: Mapping[str, int]) -> int:
        return n_workers * max(sizes[name] for name in names)

    n_classes = len(set(train.y))
    n_coefficients = n_classes * (n_columns + n_kept)
    n_models = max(model_counts.values())
    is_embeddings_only = set(model_counts) == {("embeddings",)}
    is_fast = spec.search.engine == "fast"
    models = [candidate.build(spec.search, spec.random_state) for candidate in candidates]
    needs_no_copies = is_embeddings_only and is_fast and all(map(_needs_no_copy, models))
    n_problems = n_models * (_N_PROBLEMS if "linear_svc" in names else 1)
    n_values = int(n_coefficients) + n_classes
    sparse_fit_memory = fit_bytes(len(train), n_classes, n_values, n_models)
    per_cell = _PER_EMBEDDING_CELL if is_embeddings_only else _PER_CELL
    if is_embeddings_only and not matrices.memory_bytes((len(train), width)):
        per_cell = 0  # the matrices are memory-mapped files
    per_occurrence = _PER_OCCURRENCE
    if not is_fast:
        per_cell += _PER_CELL_IN_DOUBLE
        per_occurrence += _PER_OCCURRENCE_IN_DOUBLE
    per_fit = (
        n_workers * _PER_CELL_AND_FAST_FIT if needs_no_copies else all_workers(_PER_CELL_AND_FIT)
    )
    if "prototypes" in names:
        per_fit = max(per_fit, n_workers * _PER_CELL_AND_FIT["prototypes"])
    geometry_memory = geometry_bytes(width) if spec.features.geometry == "auto" else 0
    batches_memory = (
        restandardized_batches_bytes(width) + len(train) * n_columns * _PER_EMBEDDING_CELL
    )
    return _SLACK + max(
        geometry_memory,  # before anything is fitted
        batches_memory if geometry_memory and "prototypes" in names else 0,  # after the search
        int(
            min(n_workers, N_SPANS) * _PER_WORKER
            + len(train) * (n_columns * (per_cell + per_fit) + _N_PROBLEMS * _PER_ROW_AND_PROBLEM)
            + n_occurrences * (per_occurrence + all_workers(_PER_OCCURRENCE_AND_FIT))
            + n_terms * _PER_TERM
            + n_coefficients * (all_workers(_PER_COEFFICIENT) + n_models * _PER_WARM_START)
            + (batch_bytes(n_problems, n_values) if is_embeddings_only else sparse_fit_memory)
        ),
    )


def _count_terms(train: Rows, spec: FeatureSpec) -> tuple[float, float, float]:
    """Extrapolate occurrences, distinct terms and kept terms from a sample of the texts."""
    if train.text is None:
        return 0.0, 0.0, 0.0
    sample = train.text[:: -(-len(train) // _N_SAMPLED)]
    n_characters = np.cumsum([len(text) for text in sample])
    sample = sample[: max(int(np.searchsorted(n_characters, _N_SAMPLED_CHARACTERS)), 2)]
    growth = len(train) / len(sample)
    totals = np.zeros(3)
    for analyzer in spec.analyzers:
        counter = CountVectorizer(analyzer=analyzer, ngram_range=NGRAMS[analyzer], binary=True)
        try:
            occurrences = counter.fit_transform(sample)
        except ValueError:
            continue  # no text has a term
        whole = occurrences.getnnz(axis=0)
        half = occurrences[::2].getnnz(axis=0)
        totals += (
            occurrences.nnz * growth,
            _extrapolate(half, whole, 1, growth),
            _extrapolate(half, whole, spec.min_groups, growth),
        )
    return float(totals[0]), float(totals[1]), float(totals[2])


def _extrapolate(half: Counts, whole: Counts, min_texts: int, growth: float) -> float:
    """Extrapolate the number of terms that occur in at least `min_texts` texts.

    The number grows as a power of the number of texts (Heaps' law).  The exponent is estimated from
    half of the sample and all of it.

    Parameters
    ----------
    half, whole
        Number of texts that contain each term, in half of the sample and in all of it.
    """
    n_half, n_whole = (max(int((counts >= min_texts).sum()), 1) for counts in (half, whole))
    return float(n_whole * growth ** math.log2(n_whole / n_half))


def _needs_no_copy(model: Any) -> bool:
    """Return whether fitting to a dense matrix avoids the copy that scikit-learn would make.

    The fast engine, the dummy classifier and prototypes make none.
    """
    return isinstance(model, (DummyClassifier, Prototypes)) or can_fit(model, np.empty((0, 0)))
