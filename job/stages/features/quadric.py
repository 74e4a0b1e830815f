"""Fit a quadric to rows that had length 1 before an affine map of each column was applied.

How it works
------------
1. If the map changed a row e of length 1 to x, then e_j = s_j x_j + m_j in column j.  So
   `sum_j a_j x_j^2 + b_j x_j + c = 0` with `a_j = s_j^2`, `b_j = 2 s_j m_j`, `c = sum_j m_j^2 - 1`.
2. Columns are first standardized, which makes the terms x_j^2 - 1, x_j and 1 nearly orthogonal.
   Products of terms are summed in double precision, once for all prefixes.  A prefix of n columns
   has the first n columns of the embeddings.
3. The coefficients a, b, c are, up to a factor that follows from c, the singular vector of the
   smallest singular value.  Inverse iteration on the products finds this vector.  The inverse
   matrix of the products also gives the standard errors of the coefficients.
4. For a column that is constant or has only rounding errors, `a_j` is 0, and noise may make the
   estimate negative.  Columns whose a_j is not significantly positive are left out, and the others
   are fitted again, until every a_j is positive.
5. Held-out rows give the residual variance.  The variance and the inverse matrix give the standard
   error of each scale and offset.  These errors give the expected cosine between restored and
   original rows.  The cosine can be estimated even if the table's rows hardly vary in some
   directions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.linalg import lapack

from job.contracts.arrays import Array
from job.contracts.matrix_rows import MatrixRows
from job.contracts.reports.geometry import AffineMap
from job.contracts.row_blocks import split_rows

MIN_COLUMNS: Final = 16
MAX_RATIO: Final = 0.1  # of the smallest singular value to the second smallest one
# Principal components of sentence embeddings have rows of nearly one length, which is not enough:
# with a deviation of .0007 (300 of 384 components) a cosine came out as .9989, with .0002 as .9999.
MAX_LENGTH_DEVIATION: Final = 3e-4
MAX_COSINE_ERROR: Final = 2e-4  # a fifth of the promised error, because it is an expectation
MIN_SHARE: Final = 0.95  # of a prefix's varying columns
_BLOCK: Final = 1024
_CONSTANT: Final = 1e-9  # deviation in units of the largest value of the column
_MIN_PART: Final = 1e-5  # of the sum of all a_j
_N_ERRORS: Final = 5  # number of standard errors that a_j must be above zero
_N_ROUNDS: Final = 8
_N_ITERATIONS: Final = 60
_SHIFT: Final = 1e-11  # of the mean eigenvalue; added to all, because the smallest may be zero


@dataclass(frozen=True, slots=True, kw_only=True)
class Products:
    """Mean products of the terms z_j^2 - 1, z_j and 1 of standardized rows z.

    Attributes
    ----------
    n_rows
        Number of fitted rows.
    mean, deviation
        Mean and standard deviation of the columns, shape (width,).
    varies
        Mask of the columns that are not constant, shape (width,).
    gram
        Mean products of each pair of terms, shape (2 width + 1, 2 width + 1).
    held_out
        The terms of the held-out rows, shape (n_held_out, 2 width + 1).
    """

    n_rows: int
    mean: Array
    deviation: Array
    varies: Array
    gram: Array
    held_out: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class QuadricFit:
    """The quadric fitted to a prefix: the first columns of the embeddings.

    Attributes
    ----------
    prefix
        Number of columns up to the last column that is part of the quadric.
    share
        Share of these columns, without constant ones, that are part of the quadric.
    """

    prefix: int
    share: float
    singular_values: tuple[float, float]
    length_deviation: float
    cosine_error: float
    map: AffineMap

    @property
    def ratio(self) -> float:
        """Smallest singular value divided by the second smallest; low if the fit is unambiguous."""
        smallest, following = self.singular_values
        return smallest / following if following > 0 else np.inf

    @property
    def is_sound(self) -> bool:
        """Whether the fit is unambiguous, and restores rows to length 1 with small errors."""
        return bool(
            self.ratio <= MAX_RATIO
            and self.length_deviation <= MAX_LENGTH_DEVIATION
            and self.cosine_error <= MAX_COSINE_ERROR
            and self.share >= MIN_SHARE
        )


def sum_products(train: MatrixRows, held_out: MatrixRows) -> Products:
    """Compute the mean products of the terms z_j^2 - 1, z_j and 1 of the standardized rows z."""
    n_rows, width = train.shape
    mean, deviation, varies = measure_columns(train)
    gram = np.zeros((2 * width + 1, 2 * width + 1))
    for rows in split_rows(slice(0, n_rows), _BLOCK):
        terms = _make_terms(train.read(rows), mean, deviation)
        gram += terms.T @ terms
    return Products(
        n_rows=n_rows,
        mean=mean,
        deviation=deviation,
        varies=varies,
        gram=gram / n_rows,
        held_out=_make_terms(held_out.read(), mean, deviation),
    )


def measure_columns(table: MatrixRows) -> tuple[Array, Array, Array]:
    """Return each column's mean, standard deviation (1 if constant), and whether it varies."""
    n_rows, width = table.shape
    blocks = split_rows(slice(0, n_rows), _BLOCK)
    mean = sum(table.read(rows).sum(axis=0, dtype=float) for rows in blocks) / n_rows
    squares, max_abs = np.zeros(width), np.zeros(width)
    for rows in blocks:
        block = table.read(rows).astype(float)
        np.maximum(max_abs, np.abs(block).max(axis=0), out=max_abs)
        squares += np.square(block - mean).sum(axis=0)
    deviation = np.sqrt(squares / n_rows)
    varies = deviation > _CONSTANT * max_abs
    return mean, np.where(varies, deviation, 1.0), varies


def _make_terms(rows: Array, mean: Array, deviation: Array) -> Array:
    z = (rows.astype(float) - mean) / deviation
    return np.concatenate([np.square(z) - 1, z, np.ones((len(z), 1))], axis=1)


def fit_quadric(products: Products, prefix: int) -> QuadricFit | None:
    """Fit the quadric of the first `prefix` columns; None if the fit fails."""
    columns, dropped = np.flatnonzero(products.varies[:prefix]), 0.0
    for _ in range(_N_ROUNDS):
        if len(columns) < MIN_COLUMNS:
            return None
        solution = _solve(products, columns)
        if solution is None:
            return None
        squares, error = solution.squares, solution.errors[: len(columns)]
        total = squares.clip(min=0).sum()
        is_part = squares > np.maximum(_MIN_PART * total, _N_ERRORS * error)
        if is_part.all():
            return _make_fit(products, columns, solution, dropped=dropped)
        upper = squares.clip(min=0) + _N_ERRORS * error
        dropped += float(upper[~is_part].sum() / total)
        columns = columns[is_part]
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Solution:
    """Coefficients [a, b, c] as a vector of length 1, with standard errors and residuals."""

    coefficients: Array
    errors: Array
    residuals: Array  # of the held-out rows
    singular_values: tuple[float, float]

    @property
    def squares(self) -> Array:
        """The coefficients a_j of the squares."""
        return self.coefficients[: len(self.coefficients) // 2]


def _solve(products: Products, columns: Array) -> _Solution | None:
    """Return the coefficients for these columns; None if the matrix of products is singular."""
    width = len(products.mean)
    index = np.concatenate([columns, width + columns, [2 * width]])
    gram = products.gram[np.ix_(index, index)]
    n = len(gram)
    shifted = gram + _SHIFT * np.trace(gram) / n * np.eye(n)
    factor, is_singular = lapack.dpotrf(shifted, lower=1, overwrite_a=1)
    if is_singular:
        return None
    inverse, _ = lapack.dpotri(factor, lower=1, overwrite_c=1)
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    vector, smallest = _iterate(inverse, gram)
    vector = vector if vector[: len(columns)].sum() > 0 else -vector
    inverse -= np.outer(vector, vector) * (vector @ inverse @ vector)
    _, following = _iterate(inverse, gram)
    residuals = products.held_out[:, index] @ vector
    variance = float(np.square(residuals).mean()) / products.n_rows
    return _Solution(
        coefficients=vector,
        errors=np.sqrt(variance * np.diag(inverse).clip(min=0)),
        residuals=residuals,
        singular_values=(smallest, following),
    )


def _iterate(inverse: Array, gram: Array) -> tuple[Array, float]:
    """Return the leading eigenvector v of `inverse`, and the singular value sqrt(v' gram v)."""
    vector = inverse[:, int(np.diag(inverse).argmax())]
    for _ in range(_N_ITERATIONS):
        vector = inverse @ (vector / np.linalg.norm(vector))
    vector = vector / np.linalg.norm(vector)
    return vector, float(np.sqrt(max(vector @ gram @ vector, 0.0)))


def _make_fit(
    products: Products, columns: Array, solution: _Solution, *, dropped: float
) -> QuadricFit | None:
    """Convert a solution to scales and offsets, and measure how well they restore held-out rows.

    `dropped` is an upper bound on the left-out columns' share of the squared lengths.
    """
    q = len(columns)
    a, b = solution.squares, solution.coefficients[q : 2 * q]
    c = solution.coefficients[-1] - a.sum()
    factor = float(np.square(b) @ (1 / (4 * a)) - c)
    if factor <= 0:
        return None
    s = np.sqrt(a / factor)
    m = b / (2 * factor * s)
    width = len(products.mean)
    z = products.held_out[:, width + columns]
    lengths = np.linalg.norm(z * s + m, axis=1)
    by_scale = np.square(solution.errors[:q] / (2 * factor * s))
    by_offset = np.square(solution.errors[q : 2 * q] / (2 * factor * s)) + by_scale * (m / s) ** 2
    scale = s / products.deviation[columns]
    prefix = int(columns[-1]) + 1
    return QuadricFit(
        prefix=prefix,
        share=q / int(products.varies[:prefix].sum()),
        singular_values=solution.singular_values,
        length_deviation=float(np.sqrt(np.square(lengths - 1).mean())),
        cosine_error=float((by_scale.sum() + by_offset.sum() + dropped) / 2),
        map=AffineMap(columns=columns, scale=scale, offset=m - scale * products.mean[columns]),
    )
