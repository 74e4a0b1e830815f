"""The bytes of an array are taken only if they are what NumPy writes for the expected type."""

import io

import numpy as np
import pytest
from support.store_damage import HEADERS, make_array

from job.stages.lineage.stored_array import read_vector

RECORD = np.dtype([("kind", "u1"), ("digest", "<u8")])


def save(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


@pytest.mark.parametrize("n", [0, 1, 7, 100_000])
@pytest.mark.parametrize("dtype", [np.dtype("<u8"), RECORD])
def test_saved_array_comes_back(n, dtype):
    """Of any length, with fields or without."""
    array = np.zeros(n, dtype)

    assert np.array_equal(array, read_vector(save(array), dtype))


@pytest.mark.parametrize("header", HEADERS)
def test_other_header_is_refused(header):
    """NumPy would evaluate it, or allocate what it says."""
    with pytest.raises(ValueError, match="not an array"):
        read_vector(make_array(header), np.dtype("<u8"))


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"\x93NUMPY", b"\x93NUMPY\x01\x00", b"\x93NUMPY\x01\x00\xff\xff", b"[1, 2]"),
        save(np.zeros(3, "<u8"))[:-1],
        save(np.zeros(3, "<u8")) + b"\0" * 8,
        save(np.zeros(3, "<i8")),
        save(np.zeros(3, ">u8")),
        save(np.zeros((3, 1), "<u8")),
        save(np.zeros((2, 2), "<u8", order="F")),
        save(np.zeros(3, RECORD)),
    ],
)
def test_other_bytes_are_refused(data):
    """Truncated, extended, or of another type or shape."""
    with pytest.raises(ValueError, match="not an array"):
        read_vector(data, np.dtype("<u8"))
