"""The objective of many linear models on one dense matrix, and their stopping rules.

A problem is a model with K logits on D columns.  Each of P problems, with sample weights s of
shape (n,), minimizes

    F(W, b) = sum_i s_i loss(y_i, W x_i + b) / S  +  |W|^2 / (2 C S),    S = sum_i s_i.

With the logistic loss, F is the objective of scikit-learn's `LogisticRegression`, in the same
scaling.  The stopping rule is also the same: the largest absolute derivative is within tolerance.

With the squared hinge, and |b|^2 added to |W|^2, C S F is the objective of liblinear for
`LinearSVC` (Fan et al. 2008).  With more than two classes, one one-vs-rest model is fitted for each
class.  In this model, the rows of the class have the class weight; other rows have no class weight.
With two classes, the rows of both classes have their class weights.  A fit ends when the norm of
its gradient is at most tolerance * n_0 * r.  Here n_0 is the norm at W = 0 and b = 0, and r is the
share of rows on the rarer side (the class or the rest).  This is the rule of liblinear's primal
solver, and does not depend on the scale of F.
"""

from __future__ import annotations

import numpy as np

from job.solver.arrays import Array
from job.solver.dense_design import DenseDesign
from job.solver.losses import Labels
from job.solver.problems import LinearProblems


class Objective:
    """Evaluates the objective F, mean loss plus penalty, of P models on one dense matrix."""

    def __init__(self, design: DenseDesign, problems: LinearProblems) -> None:
        codes, weights, loss = problems.codes, problems.weights, problems.loss
        self._design, self._codes, self._loss = design, codes, loss
        self._own_class_weight = problems.own_class_weight
        total = weights.sum(axis=1, dtype=np.float64)
        self._weights = np.divide(weights, total[:, None], dtype=design.dtype, casting="same_kind")
        self._weighting_index = problems.weighting_index
        self.penalty = 1.0 / (problems.C * total[problems.weighting_index])
        self._n_classes = problems.n_classes
        self.n_logits = 1 if self._n_classes == 2 else self._n_classes
        self._gradient_scale = np.ones((len(problems), self.n_logits))
        self.penalizes_intercept = loss.penalizes_intercept
        if self.penalizes_intercept:
            self._gradient_scale = self._compute_gradient_scale()

    def initial_curvatures(self) -> Array:
        """Guess, from the class shares, what `curvatures` would return, shape (P, K)."""
        shares = [np.bincount(self._codes, s, self._n_classes) for s in self._weights]
        return self._loss.initial_hessian_diagonal(
            np.stack(shares)[self._weighting_index, -self.n_logits :]
        )

    def row_weights(self) -> Array:
        """Return each sample's weight, summed over the sets of sample weights, shape (n,)."""
        total: Array = self._weights.sum(axis=0, dtype=np.float64)
        return total

    def evaluate(self, W: Array, b: Array, problems: Array) -> tuple[Array, Array, Array, Array]:
        """Return the objectives F (P,), their gradients by W and b, and the errors.

        Parameters
        ----------
        W, b
            Coefficients (P, K, D) and intercepts (P, K) of P models with K logits on D columns.
        problems
            Positions of the problems that W and b belong to, shape (P,).

        Returns
        -------
        errors
            Gradient norms as the stopping rule defines them, to be compared with the tolerance,
            shape (P,).
        """
        loss, by_W, by_b, norms = self._loss_and_gradient(W, b, problems)
        errors: Array = (norms / self._gradient_scale[problems]).max(axis=1)
        return loss, by_W, by_b, errors

    def curvatures(self, W: Array, b: Array) -> Array:
        """Return the mean second derivative of the loss by each logit on sampled rows, (P, K)."""
        problems = np.arange(len(W))

        def hessian_diagonal(Z: Array, rows: slice) -> Array:
            labels = self._labels(problems, rows)
            weight = np.broadcast_to(labels.sample_weight.sum(axis=1, dtype=np.float64), len(W))
            return np.column_stack([self._loss.hessian_diagonal(Z, labels), weight])

        sums = self._design.sum_sampled_blocks(W, b, hessian_diagonal)
        # NOTE: the curvatures only scale the steps, as the moments do
        return sums[:, :-1] / np.maximum(sums[:, -1:], np.finfo(np.float32).tiny)

    def _loss_and_gradient(
        self, W: Array, b: Array, problems: Array
    ) -> tuple[Array, Array, Array, Array]:
        """Return F, its gradients by W and b, and the norm of each logit's gradient, (P, K)."""

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
        norms = self._loss.gradient_norm(by_W.reshape(b.size, -1), by_b.ravel())
        return loss + 0.5 * penalty * squares, by_W, by_b, norms.reshape(b.shape)

    def _labels(self, problems: Array, rows: slice) -> Labels:
        y, own = self._codes[rows], self._own_class_weight
        is_single = len(self._weights) == 1
        index = slice(None) if is_single else self._weighting_index[problems]
        s = self._weights[index, rows]
        return Labels(y, s, None if own is None else own[index][:, y].astype(s.dtype))

    def _compute_gradient_scale(self) -> Array:
        """Return the factor of the tolerance in liblinear's stopping rule, by logit, shape (P, K).

        The factor is the gradient norm at W = 0 and b = 0, times the share of the rarer side: the
        rows of the logit's class, or all other rows.
        """
        shape = (len(self.penalty), self.n_logits)
        origin = np.zeros((*shape, self._design.shape[1]), self._design.dtype)
        *_, norms = self._loss_and_gradient(origin, np.zeros(shape), np.arange(len(origin)))
        has_weight = self._weights > 0
        n = has_weight.sum(axis=1)[:, None]
        counts = [np.bincount(self._codes[mask], None, self._n_classes) for mask in has_weight]
        n_class = np.stack(counts)[:, -self.n_logits :]
        rarer = (np.maximum(np.minimum(n_class, n - n_class), 1) / n)[self._weighting_index]
        scale: Array = np.maximum(norms * rarer, np.finfo(np.float32).tiny)
        return scale
