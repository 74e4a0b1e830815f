"""Turn Arrow arrays of any encoding into arrays of a few plain types that mean the same.

How it works
------------
1. Encodings are undone: dictionaries, run ends, views, and the storage of extension types.
2. Bytes become text if all of them are valid UTF-8, because writers such as Impala state no
   character set.  A UUID becomes its canonical text.
3. Lists of any layout become lists of plain values.  Dense Spark vectors, and tensors of a variable
   shape, become lists, too.
4. All other types are returned unchanged.  A stage refuses them if their column has a role.
"""

from __future__ import annotations

import uuid
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_PLAIN_IDS: Final = frozenset(
    (
        *(pa.lib.Type_STRING, pa.lib.Type_LARGE_STRING, pa.lib.Type_BOOL, pa.lib.Type_NA),
        *(pa.lib.Type_INT8, pa.lib.Type_INT16, pa.lib.Type_INT32, pa.lib.Type_INT64),
        *(pa.lib.Type_UINT8, pa.lib.Type_UINT16, pa.lib.Type_UINT32, pa.lib.Type_UINT64),
        *(pa.lib.Type_HALF_FLOAT, pa.lib.Type_FLOAT, pa.lib.Type_DOUBLE),
        *(pa.lib.Type_DATE32, pa.lib.Type_DATE64, pa.lib.Type_TIMESTAMP),
    )
)
_SPARK_VECTOR: Final = ("type", "size", "indices", "values")
_TENSOR: Final = ("data", "shape")
_DENSE: Final = 1  # value of `type` in a Spark vector


def to_plain_batch(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch with its columns in plain types; a batch of plain types is returned as is."""
    schema = batch.schema
    if all(is_plain(kind) for kind in schema.types):
        return batch
    return pa.RecordBatch.from_arrays([to_plain(c) for c in batch.columns], names=schema.names)


def is_plain(kind: pa.DataType) -> bool:
    """Return whether `to_plain` returns arrays of this type unchanged, for the common types."""
    if pa.types.is_list(kind):
        return kind.value_type.id in _PLAIN_IDS
    return kind.id in _PLAIN_IDS


def to_plain(array: pa.Array) -> pa.Array:
    """Return an array of a plain type with the same values, shape (n_rows,)."""
    kind = array.type
    if is_plain(kind):
        return array
    if isinstance(kind, pa.BaseExtensionType):
        return _read_extension(array)
    if pa.types.is_dictionary(kind):
        # NOTE: pyarrow cannot decode a dictionary of views
        return to_plain(array.dictionary).take(array.indices)
    if pa.types.is_run_end_encoded(kind):
        return _repeat_runs(array)
    if pa.types.is_string_view(kind):
        return array.cast(pa.large_string())
    if _is_binary(kind):
        return _read_bytes(array)
    if _is_list(kind):
        return _read_list(array)
    return _read_struct(array) if pa.types.is_struct(kind) else array


def _is_binary(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_binary_view(kind)
        or pa.types.is_fixed_size_binary(kind)
    )


def _is_list(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_list(kind)
        or pa.types.is_large_list(kind)
        or pa.types.is_fixed_size_list(kind)
        or pa.types.is_list_view(kind)
        or pa.types.is_large_list_view(kind)
    )


def _read_extension(array: pa.ExtensionArray) -> pa.Array:
    name = array.type.extension_name
    if name == "arrow.uuid":
        cells = (None if cell is None else str(uuid.UUID(bytes=cell)) for cell in _cells(array))
        return pa.array(list(cells), pa.large_string())
    if name == "arrow.bool8":
        return pc.not_equal(array.storage, pa.scalar(0, pa.int8()))
    return to_plain(array.storage)


def _cells(array: pa.ExtensionArray) -> list[bytes | None]:
    cells: list[bytes | None] = array.storage.to_pylist()
    return cells


def _repeat_runs(array: pa.RunEndEncodedArray) -> pa.Array:
    """Return the value of each row; `pyarrow.compute.run_end_decode` does not take all types."""
    rows = np.arange(array.offset, array.offset + len(array))
    ends = array.run_ends.to_numpy(zero_copy_only=False)
    return to_plain(array.values).take(pa.array(np.searchsorted(ends, rows, side="right")))


def _read_bytes(array: pa.Array) -> pa.Array:
    """Return text if all cells are UTF-8, and bytes otherwise."""
    try:
        return pc.cast(array, pa.large_string())
    except pa.ArrowInvalid:
        return pc.cast(array, pa.large_binary())


def _read_list(array: pa.Array) -> pa.Array:
    """Return lists of plain values; lists of lists and of structs are returned unchanged."""
    is_view = pa.types.is_list_view(array.type) or pa.types.is_large_list_view(array.type)
    value_type: Any = array.type.value_type
    if not is_view and (value_type.id in _PLAIN_IDS or pa.types.is_nested(value_type)):
        return array
    # NOTE: a cast of a list view to a list returns empty lists in pyarrow 26
    lengths = pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False)
    values = array.flatten()
    plain = values if pa.types.is_nested(value_type) else to_plain(values)
    offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    return pa.LargeListArray.from_arrays(pa.array(offsets), plain, mask=array.is_null())


def _read_struct(array: pa.StructArray) -> pa.Array:
    """Return the values of dense Spark vectors and of tensors; return other structs unchanged."""
    names = tuple(field.name for field in array.type.fields)
    if names not in (_SPARK_VECTOR, _TENSOR):
        return array
    parts = dict(zip(names, array.flatten(), strict=True))  # null where the struct is null
    values = parts["data" if names == _TENSOR else "values"]
    if not _is_list(values.type) or pa.types.is_nested(values.type.value_type):
        return array
    if names == _TENSOR and not _is_list(parts["shape"].type):
        return array
    if names == _SPARK_VECTOR and not pc.all(pc.equal(parts["type"], _DENSE)).as_py():
        return array
    return to_plain(values)
