"""Read a one-dimensional array from the bytes of a `.npy` file that somebody else may have written.

NumPy evaluates the header of such a file as Python source and allocates what the header says.
Here the header must be the one that NumPy writes for the expected type, and its length must agree
with the number of bytes.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from job.contracts.arrays import Array

# magic string and version 1.0, then the length of the header in two bytes
_MAGIC: Final = b"\x93NUMPY\x01\x00"
_PREFIX_BYTES: Final = len(_MAGIC) + 2


def read_vector(data: bytes, dtype: np.dtype[np.generic]) -> Array:
    """Return the array of shape (n,) that `numpy.save` wrote; the array cannot be changed.

    Raises
    ------
    ValueError
        The bytes are not such a file, or it has another type or shape.
    """
    start = _PREFIX_BYTES + int.from_bytes(data[len(_MAGIC) : _PREFIX_BYTES], "little")
    n, n_left = divmod(len(data) - start, dtype.itemsize)
    description = repr(np.lib.format.dtype_to_descr(dtype)).encode()
    header = b"{'descr': %b, 'fortran_order': False, 'shape': (%d,), }" % (description, n)
    is_header = re.fullmatch(re.escape(header) + rb" *\n", data[_PREFIX_BYTES:start])
    if not data.startswith(_MAGIC) or n_left or not is_header:
        raise ValueError(f"the bytes are not an array of {dtype} with one dimension")
    return np.frombuffer(data, dtype, offset=start)
