"""Estimate the memory that search and training take.

How it works
------------
1. The terms in a sample of the texts are counted, and the numbers of terms and of occurrences are
   extrapolated to all training rows.
2. For each large array, the number of elements is multiplied by a measured number of bytes per
   element (`EstimatorKind.memory` for a fit).  The results are summed, as if every worker fitted
   the most expensive candidate.
3. Steps before and after the search are estimated separately.  The estimate is the maximum.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

from job.contracts.arrays import Ints
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
from job.stages.training.estimators import BASELINES, EstimatorKind, find_kind
from job.stages.training.prototypes.restandardized_batches import restandardized_batches_bytes
from job.stages.training.search.candidates import Candidate, list_candidates

# Bytes, measured by `python -m benchmarks.memory` and rounded up.
_SLACK: Final = 160 * 2**20
_PER_WORKER: Final = 16 * 2**20  # blocks of the span of rows that a worker processes
_PER_CELL: Final = 22  # copies of a dense value: the fold, its transforms, the hold-out
_PER_EMBEDDING_CELL: Final = 10  # with embeddings only, which are transformed in chunks of rows
_PER_CELL_IN_DOUBLE: Final = 8
_PER_CELL_AND_FAST_FIT: Final = 2
_PER_ROW_AND_PROBLEM: Final = 12  # sample weight in a calibration fold, in both precisions
_N_PROBLEMS: Final = 4  # fits of a calibrated model
_PER_OCCURRENCE_IN_DOUBLE: Final = 12
_PER_OCCURRENCE: Final = 32  # an entry of the sparse matrices, while counting and after
_PER_TERM: Final = 160  # an entry of the vocabulary before rare terms are dropped
_PER_WARM_START: Final = 12  # a coefficient of the previous fold's model and of its copy
_N_SAMPLED: Final = 2000
_N_SAMPLED_CHARACTERS: Final = 2_000_000


def estimate_training_bytes(
    train: Rows, spec: TrainingSpec, n_workers: int, matrices: MatrixAllocator
) -> int:
    """Estimate how many bytes search and training add to the memory in use."""
    candidates = list_candidates(spec.search, spec.features.use, spec.random_state)
    kinds = [find_kind(name) for name in (*spec.search.estimators, *BASELINES)]
    sizes = _Sizes.of(train, spec.features, candidates)
    geometry_memory = geometry_bytes(sizes.width) if spec.features.geometry == "auto" else 0
    batches_memory = 0
    if geometry_memory and any(kind.export for kind in kinds):
        batches_memory = (
            restandardized_batches_bytes(sizes.width)
            + sizes.n_rows * sizes.n_columns * _PER_EMBEDDING_CELL
        )
    return _SLACK + max(
        geometry_memory,  # before anything is fitted
        batches_memory,  # after the search
        _estimate_search_bytes(sizes, candidates, kinds, spec, n_workers, matrices),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sizes:
    """Numbers of rows, columns, terms and classes of the training data.

    The numbers of terms are floats, because they are extrapolated from a sample.
    """

    n_rows: int
    n_classes: int
    width: int  # columns of the embeddings
    n_columns: int
    n_occurrences: float
    n_terms: float
    n_coefficients: float

    @classmethod
    def of(cls, train: Rows, spec: FeatureSpec, candidates: Sequence[Candidate]) -> _Sizes:
        """Return the sizes of `train`.  Terms are estimated only if a candidate takes texts."""
        has_text = any("text" in candidate.feature_blocks for candidate in candidates)
        n_occurrences, n_terms, n_kept = _count_terms(train, spec) if has_text else (0, 0, 0)
        width = 0 if train.embeddings is None else train.embeddings.shape[1]
        n_columns = width + 2 * train.frame.shape[1]
        n_classes = len(set(train.y))
        return cls(
            n_rows=len(train),
            n_classes=n_classes,
            width=width,
            n_columns=n_columns,
            n_occurrences=n_occurrences,
            n_terms=n_terms,
            n_coefficients=n_classes * (n_columns + n_kept),
        )


def _estimate_search_bytes(
    sizes: _Sizes,
    candidates: Sequence[Candidate],
    kinds: Sequence[EstimatorKind],
    spec: TrainingSpec,
    n_workers: int,
    matrices: MatrixAllocator,
) -> int:
    """Estimate the bytes that all workers' matrices and the fits to these matrices need."""
    model_counts = Counter(candidate.feature_blocks for candidate in candidates)
    n_models = max(model_counts.values())
    is_embeddings_only = set(model_counts) == {("embeddings",)}
    n_values = int(sizes.n_coefficients) + sizes.n_classes
    if is_embeddings_only:
        n_fits = _N_PROBLEMS if any(kind.needs_calibration for kind in kinds) else 1
        solver_memory = batch_bytes(n_models * n_fits, n_values)
    else:
        solver_memory = fit_bytes(sizes.n_rows, sizes.n_classes, n_values, n_models)
    per_cell = _bytes_per_cell(sizes, spec, matrices, is_embeddings_only=is_embeddings_only)
    per_fit = _bytes_per_cell_and_fit(candidates, kinds, spec, is_engine_enough=is_embeddings_only)
    per_occurrence = _PER_OCCURRENCE
    if spec.search.engine != "fast":
        per_occurrence += _PER_OCCURRENCE_IN_DOUBLE
    occurrence_fit = max(kind.memory.per_occurrence for kind in kinds)
    coefficient_fit = max(kind.memory.per_coefficient for kind in kinds)
    return int(
        min(n_workers, N_SPANS) * _PER_WORKER
        + sizes.n_rows
        * (sizes.n_columns * (per_cell + n_workers * per_fit) + _N_PROBLEMS * _PER_ROW_AND_PROBLEM)
        + sizes.n_occurrences * (per_occurrence + n_workers * occurrence_fit)
        + sizes.n_terms * _PER_TERM
        + sizes.n_coefficients * (n_workers * coefficient_fit + n_models * _PER_WARM_START)
        + solver_memory
    )


def _bytes_per_cell(
    sizes: _Sizes, spec: TrainingSpec, matrices: MatrixAllocator, *, is_embeddings_only: bool
) -> int:
    """Return the bytes needed for each value of a dense matrix, without the bytes for fits."""
    per_cell = _PER_EMBEDDING_CELL if is_embeddings_only else _PER_CELL
    if is_embeddings_only and not matrices.memory_bytes((sizes.n_rows, sizes.width)):
        per_cell = 0  # the matrices are memory-mapped files
    return per_cell if spec.search.engine == "fast" else per_cell + _PER_CELL_IN_DOUBLE


def _bytes_per_cell_and_fit(
    candidates: Sequence[Candidate],
    kinds: Sequence[EstimatorKind],
    spec: TrainingSpec,
    *,
    is_engine_enough: bool,
) -> int:
    """Return the bytes that one fit adds for each value of a dense matrix.

    Parameters
    ----------
    is_engine_enough
        Whether all matrices consist only of embeddings, so that the fast engine can fit all linear
        models.
    """
    is_copied = (
        not is_engine_enough
        or spec.search.engine != "fast"
        or any(
            find_kind(candidate.estimator).memory.copies_matrix
            and not can_fit(candidate.build(spec.search, spec.random_state), np.empty((0, 0)))
            for candidate in candidates
        )
    )
    per_fit = [
        kind.memory.per_cell
        if is_copied or not kind.memory.copies_matrix
        else _PER_CELL_AND_FAST_FIT
        for kind in kinds
    ]
    return max(per_fit)


def _count_terms(train: Rows, spec: FeatureSpec) -> tuple[float, float, float]:
    """Estimate three numbers for the training texts from a sample of the texts.

    They are the number of occurrences of terms, the number of distinct terms, and the number of
    terms that are frequent enough to be features.
    """
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


def _extrapolate(half: Ints, whole: Ints, min_texts: int, growth: float) -> float:
    """Extrapolate from a sample how many terms occur in at least `min_texts` of all texts.

    The number grows as a power of the number of texts (Heaps' law).  The exponent is estimated by
    comparing half of the sample with the complete sample.

    Parameters
    ----------
    half, whole
        Number of texts that contain each term, in half of the sample and in the complete sample.
    growth
        Number of all texts divided by the number of texts in the sample.
    """
    n_half, n_whole = (max(int((counts >= min_texts).sum()), 1) for counts in (half, whole))
    return float(n_whole * growth ** math.log2(n_whole / n_half))
