"""Parts of a set of problems belong together."""

import numpy as np

from job.solver.losses import SquaredHinge
from job.solver.problems import LinearProblems, WarmStart


def test_part_of_the_problems_keeps_each_ones_weighting():
    """Weightings and labels are shared; C and the index of the weighting go with the problem."""
    problems = LinearProblems(
        codes=np.array([0, 2, 1]),
        weights=np.eye(2, 3),
        C=np.array([1.0, 2.0, 3.0]),
        weighting_index=np.array([0, 1, 0]),
        loss=SquaredHinge(),
    )
    part = problems.take(np.array([1, 2]))

    assert (2, [2.0, 3.0], [1, 0], 3) == (
        len(part),
        part.C.tolist(),
        part.weighting_index.tolist(),
        part.n_classes,
    )
    assert part.weights is problems.weights


def test_one_vector_of_weights_is_the_weighting_of_all_problems():
    """Its shape becomes (1, n_samples)."""
    problems = LinearProblems.of(np.array([0, 1]), np.ones(2), [1, 10], SquaredHinge())

    assert ((1, 2), [0, 0]) == (problems.weights.shape, problems.weighting_index.tolist())
    assert np.float64 == problems.C.dtype


def test_start_of_a_model_is_repeated_for_each_of_its_folds():
    """The repetitions of a model stand together."""
    start = WarmStart(
        coefficients=np.array([[[1.0]], [[2.0]]]), intercepts=np.array([[3.0], [4.0]])
    )
    repeated = start.repeat(2)

    assert [1, 1, 2, 2] == repeated.coefficients.ravel().tolist()
    assert [3, 3, 4, 4] == repeated.intercepts.ravel().tolist()
    assert [2, 1] == repeated.take(np.array([2, 1])).coefficients.ravel().tolist()
