"""What many linear models minimize on one dense matrix, and when each of them is done.

Of P problems with weights s of the rows, shape (P, n), each minimizes

    F(W, b) = sum_i s_i loss(y_i, W x_i + b) / S  +  |W|^2 / (2 C S),    S = sum_i s_i.

With the logistic loss this is what scikit-learn's `LogisticRegression` minimizes, in its own
scaling, and done is where no derivative is larger than the tolerance, as there.

With the squared hinge, and |b|^2 beside |W|^2, C S F is what liblinear minimizes for `LinearSVC`
(Fan et al. 2008): class by class, the class's own rows weighted by its weight, the others by 1, of
two classes both by their own.  It is done where the gradient of each class is shorter than the
tolerance times that at 0 times the rarer side's share of the rows: the rule of liblinear's primal
solver, which doesn't depend on the scale of F.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from job.solver.dense_design import DenseDesign
from job.solver.losses import Labels, Loss

Array = npt.NDArray[Any]


class Objective:
    """F of P problems.

    Parameters
    ----------
    codes
        Classes 0...K-1, shape (n,).
    weights
        Shape (n_weightings, n).
    C
        Shape (P,).
    of
        Which of the weightings each problem has, shape (P,).
    gains
        What rows count more at the logit of their own class, shape (n_weightings, n_classes).
    """

    def __init__(
        self,
        design: DenseDesign,
        codes: Array,
        weights: Array,
        C: Array,
        loss: Loss,
        of: Array,
        gains: Array | None = None,
    ) -> None:
        self._design, self._codes, self._loss, self._gains = design, codes, loss, gains
        total = weights.sum(axis=1, dtype=np.float64)
        self._weights = np.divide(weights, total[:, None], dtype=design.dtype, casting="same_kind")
        self._of = of
        self.penalty = 1.0 / (C * total[of])
        self._n_classes = int(codes.max()) + 1
        self.n_rows = 1 if self._n_classes == 2 else self._n_classes
        self._limits = np.ones((len(C), self.n_rows))
        self.penalizes_intercept = loss.penalizes_intercept
        if self.penalizes_intercept:
            self._limits = self._find_limits()

    def guess_curvatures(self) -> Array:
        """Return about what `curvatures` does, shape (P, K), before a logit is known."""
        found = [np.bincount(self._codes, some, self._n_classes) for some in self._weights]
        return self._loss.initial_hessian_diagonal(np.stack(found)[self._of, -self.n_rows :])

    def row_weights(self) -> Array:
        """Return the weight of each row in all weightings, shape (n,)."""
        found: Array = self._weights.sum(axis=0, dtype=np.float64)
        return found

    def evaluate(self, W: Array, b: Array, problems: Array) -> tuple[Array, Array, Array, Array]:
        """Return F, its gradient by W (P, K, D) and b (P, K), and how far from done each is.

        Parameters
        ----------
        problems
            The numbers of those that W and b are of, shape (P,).

        Returns
        -------
        errors
            In units of which the tolerance is the most, shape (P,).
        """
        loss, by_W, by_b, sizes = self._derive(W, b, problems)
        errors: Array = (sizes / self._limits[problems]).max(axis=1)
        return loss, by_W, by_b, errors

    def curvatures(self, W: Array, b: Array) -> Array:
        """Return the second derivative of the loss of each logit, shape (P, K), from some rows."""
        problems = np.arange(len(W))

        def curve(Z: Array, rows: slice) -> Array:
            labels = self._labels(problems, rows)
            weight = np.broadcast_to(labels.s.sum(axis=1, dtype=np.float64), len(W))
            return np.column_stack([self._loss.curve(Z, labels), weight])

        found = self._design.sum_some(W, b, curve)
        # NOTE: they only steer the steps, as the moments do
        return found[:, :-1] / np.maximum(found[:, -1:], np.finfo(np.float32).tiny)

    def _derive(self, W: Array, b: Array, problems: Array) -> tuple[Array, Array, Array, Array]:
        def loss_and_gradient(Z: Array, rows: slice) -> Array:
            return self._loss.loss_and_gradient(Z, self._labels(problems, rows))

        W = W.astype(self._design.dtype, copy=False)
        loss, by_W, by_b = self._design.evaluate(W, b, loss_and_gradient)
        penalty = self.penalty[problems]
        squares = np.einsum("pkd,pkd->p", W, W)
        by_W += W * penalty[:, None, None].astype(W.dtype)
        if self.penalizes_intercept:
            squares = squares + np.einsum("pk,pk->p", b, b)
            by_b = by_b + penalty[:, None] * b
        sizes = self._loss.measure(by_W.reshape(b.size, -1), by_b.ravel())
        return loss + 0.5 * penalty * squares, by_W, by_b, sizes.reshape(b.shape)

    def _labels(self, problems: Array, rows: slice) -> Labels:
        y, gains = self._codes[rows], self._gains
        is_one = len(self._weights) == 1
        of = slice(None) if is_one else self._of[problems]
        s = self._weights[of, rows]
        return Labels(y, s, None if gains is None else gains[of][:, y].astype(s.dtype))

    def _find_limits(self) -> Array:
        shape = (len(self.penalty), self.n_rows)
        origin = np.zeros((*shape, self._design.shape[1]), self._design.dtype)
        *_, sizes = self._derive(origin, np.zeros(shape), np.arange(len(origin)))
        is_counted = self._weights > 0
        n = is_counted.sum(axis=1)[:, None]
        counts = [np.bincount(self._codes[some], None, self._n_classes) for some in is_counted]
        own = np.stack(counts)[:, -self.n_rows :]
        rarer = (np.maximum(np.minimum(own, n - own), 1) / n)[self._of]
        limits: Array = np.maximum(sizes * rarer, np.finfo(np.float32).tiny)
        return limits
