"""Names for the array types that several packages use.

This module imports NumPy; contracts that must load without NumPy import the names for
type checking only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

# NOTE: the only `Any`: NumPy's stubs cannot infer dtypes that depend on the caller's values
Array = npt.NDArray[Any]
Floats32 = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Strings = npt.NDArray[np.object_]
