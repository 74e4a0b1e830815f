"""Names for the array types that rooms share.

This module imports numpy; contracts that must load without it import these names for typing only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

# NOTE: the one `Any`: dtypes that follow from the caller's values, which numpy's stubs cannot infer
Array = npt.NDArray[Any]
Floats32 = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Strings = npt.NDArray[np.object_]
