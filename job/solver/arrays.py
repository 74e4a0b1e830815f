"""The types of arrays and matrices that the solver computes with."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy.typing as npt
from scipy import sparse

# Most functions work in the precision of the matrix that they are given.
Array: TypeAlias = npt.NDArray[Any]
Matrix: TypeAlias = Array | sparse.csr_matrix
