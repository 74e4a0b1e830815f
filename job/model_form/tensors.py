"""Read and write the layout of safetensors files: a JSON header, then the bytes of arrays.

How it works
------------
1. The first 8 bytes are the length of the header, an unsigned little-endian number.
2. The header is a JSON object.  It has the type, shape and place of each array by name, and texts
   under `__metadata__`.  It is padded with spaces to a multiple of 8 bytes.
3. The arrays follow without gaps, little-endian and in C order.  Arrays of 8-byte numbers come
   first, so that all of them are aligned.
4. Nothing in the file is trusted: each place is checked against the size of the file before an
   array is made, and an array is a view of the file's bytes.

The layout is specified at https://huggingface.co/docs/safetensors.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from job.contracts.arrays import Array
from job.contracts.messages import quote
from job.contracts.strict_json import parse_json

_TYPES: Final[dict[str, np.dtype[Any]]] = {
    "F64": np.dtype("<f8"),
    "I64": np.dtype("<i8"),
    "U8": np.dtype("u1"),
}
_CODES: Final = {dtype: code for code, dtype in _TYPES.items()}
_LENGTH_BYTES: Final = 8
_METADATA: Final = "__metadata__"
_MAX_DIMENSIONS: Final = 2
_MAX_HEADER_BYTES: Final = 2**23


def write_tensors(tensors: Mapping[str, Array], metadata: Mapping[str, str]) -> bytes:
    """Return the bytes of a file with these arrays; equal input gives equal bytes.

    Parameters
    ----------
    tensors
        Arrays of float64, int64 or uint8 by name.
    """
    header: dict[str, object] = {_METADATA: dict(metadata)}
    parts, end = [], 0
    for name in sorted(tensors, key=lambda name: (-tensors[name].itemsize, name)):
        tensor = np.ascontiguousarray(tensors[name])
        begin, end = end, end + tensor.nbytes
        dtype = tensor.dtype.newbyteorder("<")
        header[name] = {
            "dtype": _CODES[dtype],
            "shape": list(tensor.shape),
            "data_offsets": [begin, end],
        }
        parts.append(tensor.astype(dtype, copy=False).tobytes())
    text = json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % _LENGTH_BYTES)
    return b"".join([len(text).to_bytes(_LENGTH_BYTES, "little"), text, *parts])


def split_file(data: bytes) -> tuple[dict[str, Any], dict[str, str], memoryview]:
    """Return the header's entries of arrays by name, its texts, and the bytes after the header.

    Raises
    ------
    ValueError
        The header does not have this layout.
    """
    length = int.from_bytes(data[:_LENGTH_BYTES], "little")
    start = _LENGTH_BYTES + length
    if length > _MAX_HEADER_BYTES:
        raise ValueError(f"the header has more than {_MAX_HEADER_BYTES} bytes")
    if len(data) < _LENGTH_BYTES or start > len(data):
        raise ValueError(f"its header of {length} bytes is longer than the file of {len(data)}")
    header = _parse_header(data[_LENGTH_BYTES:start])
    metadata = header.pop(_METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise ValueError(f"{_METADATA} is not an object of texts")
    return header, metadata, memoryview(data)[start:]


def read_arrays(entries: Mapping[str, Any], body: memoryview) -> dict[str, Array]:
    """Return the arrays of a file by name, as read-only views of the bytes after the header.

    Raises
    ------
    ValueError
        An entry is malformed, or the arrays do not fill the bytes.
    """
    tensors, end = {}, 0
    for name in sorted(entries, key=lambda name: _begin(name, entries[name])):
        try:
            tensors[name], end = _read_tensor(entries[name], body, end)
        except ValueError as error:
            raise ValueError(f"array {quote(name)} {error}") from None
    if end != len(body):
        raise ValueError(f"there are {len(body) - end} bytes after the last array")
    return tensors


def _parse_header(raw: bytes) -> dict[str, Any]:
    header = parse_json(raw)
    if not isinstance(header, dict):
        raise ValueError("its header is not an object")
    return header


def _begin(name: str, entry: object) -> int:
    """Return where an array begins; raise `ValueError` if its entry in the header is malformed."""
    if isinstance(entry, dict) and entry.keys() == {"dtype", "shape", "data_offsets"}:
        shape, offsets = entry["shape"], entry["data_offsets"]
        if _are_counts(shape, 1, _MAX_DIMENSIONS) and _are_counts(offsets, 2, 2):
            return int(offsets[0])
    raise ValueError(
        f"array {quote(name)} needs a dtype, a shape of 1 or {_MAX_DIMENSIONS} numbers, and two "
        "data_offsets in the header"
    )


def _are_counts(value: object, min_length: int, max_length: int) -> bool:
    """Return whether a value is a list of non-negative integers, with a length in the range."""
    return (
        isinstance(value, list)
        and min_length <= len(value) <= max_length
        and all(type(number) is int and number >= 0 for number in value)
    )


def _read_tensor(
    entry: Mapping[str, Any], body: memoryview, expected_begin: int
) -> tuple[Array, int]:
    """Return one array, and where it ends; it must begin where the array before it has ended."""
    begin, end = entry["data_offsets"]
    dtype = _TYPES.get(entry["dtype"]) if isinstance(entry["dtype"], str) else None
    if dtype is None:
        raise ValueError(f"has an unknown type; known: {', '.join(_TYPES)}")
    n_bytes = math.prod(entry["shape"]) * dtype.itemsize
    if end - begin != n_bytes:
        raise ValueError(f"of shape {entry['shape']} needs {n_bytes} bytes, but has {end - begin}")
    if begin != expected_begin:
        raise ValueError(f"begins at byte {begin} instead of {expected_begin}")
    if end > len(body):
        raise ValueError(f"ends at byte {end}, but the arrays of the file end at {len(body)}")
    return np.frombuffer(body[begin:end], dtype).reshape(entry["shape"]), end
