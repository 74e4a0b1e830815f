"""The types of arrays and matrices that the solver computes with."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy.typing as npt
from scipy import sparse

# Most functions compute in the precision (float32 or float64) of the matrix passed to them.
Array: TypeAlias = npt.NDArray[Any]
Matrix: TypeAlias = Array | sparse.csr_matrix
