"""Arrow arrays of many types with one meaning, and of types that a table cannot have."""

import uuid
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

SECRET = "zq_secret_field"
SPARK_VECTOR = pa.struct(
    [
        ("type", pa.int8()),
        ("size", pa.int32()),
        ("indices", pa.list_(pa.int32())),
        ("values", pa.list_(pa.float64())),
    ]
)


def extension(kind, values, storage):
    return pa.ExtensionArray.from_storage(kind, pa.array(values, storage))


def run_ends(array):
    """Return an array of runs, of which one is longer than 1 if two values are equal."""
    encoded = pc.run_end_encode(array)
    assert pa.types.is_run_end_encoded(encoded.type)
    return encoded


def repeat_dictionary(values, indices):
    """Return a dictionary of any values, also of lists."""
    return pa.DictionaryArray.from_arrays(pa.array(indices, pa.int32()), values)


# texts, with and without UTF-8 beyond ASCII
TEXTS = {
    "string": lambda v: pa.array(v, pa.string()),
    "large string": lambda v: pa.array(v, pa.large_string()),
    "string view": lambda v: pa.array(v, pa.string_view()),
    "binary": lambda v: pa.array(v, pa.string()).cast(pa.binary()),
    "large binary": lambda v: pa.array(v, pa.string()).cast(pa.large_binary()),
    "binary view": lambda v: pa.array(v, pa.string()).cast(pa.binary()).cast(pa.binary_view()),
    "dictionary": lambda v: pa.array(v, pa.string()).dictionary_encode(),
    "dictionary of binary": lambda v: (
        pa.array(v, pa.string()).cast(pa.binary()).dictionary_encode()
    ),
}
NUMBERS = {
    "int8": lambda v: pa.array(v, pa.int8()),
    "int64": lambda v: pa.array(v, pa.int64()),
    "uint64": lambda v: pa.array(v, pa.uint64()),
    "float16": lambda v: pa.array(v, pa.int8()).cast(pa.float32()).cast(pa.float16()),
    "float32": lambda v: pa.array(v, pa.float32()),
    "float64": lambda v: pa.array(v, pa.float64()),
    "decimal32": lambda v: pa.array(map(to_decimal, v), pa.decimal32(6, 2)),
    "decimal64": lambda v: pa.array(map(to_decimal, v), pa.decimal64(12, 0)),
    "decimal128": lambda v: pa.array(map(to_decimal, v), pa.decimal128(20, 5)),
    "decimal256": lambda v: pa.array(map(to_decimal, v), pa.decimal256(50, 1)),
    "text": lambda v: pa.array([None if n is None else str(n) for n in v], pa.string()),
    "binary": lambda v: pa.array([None if n is None else str(n).encode() for n in v], pa.binary()),
    "dictionary": lambda v: pa.array(v, pa.int64()).dictionary_encode(),
}
BOOLEANS = {
    "bool": lambda v: pa.array(v, pa.bool_()),
    "bool8": lambda v: extension(pa.bool8(), [None if b is None else int(b) for b in v], pa.int8()),
    "text": lambda v: pa.array([None if b is None else str(b) for b in v], pa.string()),
    "dictionary": lambda v: pa.array(
        [None if b is None else str(b).lower() for b in v], pa.string()
    ).dictionary_encode(),
}
# times in whole milliseconds
TIMES = {
    "ms": lambda v: pa.array(v, pa.timestamp("ms")),
    "us": lambda v: pa.array(v, pa.timestamp("us")),
    "ns": lambda v: pa.array(v, pa.timestamp("ns")),
    "zone": lambda v: pa.array(v, pa.timestamp("us")).cast(pa.timestamp("us", "UTC")),
    "Berlin": lambda v: pa.array(v, pa.timestamp("us")).cast(pa.timestamp("us", "Europe/Berlin")),
    "unknown zone": lambda v: (
        pa.array(v, pa.timestamp("us")).cast(pa.int64()).cast(pa.timestamp("us", "Nowhere/Town"))
    ),
    "text": lambda v: pa.array([None if t is None else f"{t.isoformat()}Z" for t in v]),
    "text with blank": lambda v: pa.array([None if t is None else str(t) for t in v]),
    "binary": lambda v: pa.array([None if t is None else t.isoformat().encode() for t in v]),
    "dictionary": lambda v: pa.array(v, pa.timestamp("us")).dictionary_encode(),
}


def to_decimal(number):
    return None if number is None else Decimal(number)


def nest(rows, kind):
    return pa.array(rows, kind)


def make_dictionary_lists(rows):
    """Return lists whose values are dictionary-encoded texts."""
    texts = [None if row is None else [str(n) for n in row] for row in rows]
    plain = pa.array(texts, pa.list_(pa.string()))
    offsets = [None if row is None else n for row, n in zip(rows, _starts(rows), strict=True)]
    return pa.ListArray.from_arrays(
        pa.array([*offsets, sum(len(row or ()) for row in rows)], pa.int32()),
        plain.flatten().dictionary_encode(),
    )


def _starts(rows):
    return np.cumsum([0, *(len(row or ()) for row in rows)])[:-1].tolist()


def spark_vectors(rows):
    return pa.array(
        [None if row is None else {"type": 1, "values": row} for row in rows], SPARK_VECTOR
    )


def variable_tensors(rows):
    kind = pa.struct([("data", pa.list_(pa.float32())), ("shape", pa.list_(pa.int32(), 1))])
    return pa.array(
        [None if row is None else {"data": row, "shape": [len(row)]} for row in rows], kind
    )


# rows of equal length, of small integers
LISTS = {
    "list of float64": lambda rows: nest(rows, pa.list_(pa.float64())),
    "list of float32": lambda rows: nest(rows, pa.list_(pa.float32())),
    "list of float16": lambda rows: pa.array(
        [None if row is None else np.array(row, np.float16) for row in rows],
        pa.list_(pa.float16()),
    ),
    "list of int8": lambda rows: nest(rows, pa.list_(pa.int8())),
    "list of uint64": lambda rows: (
        nest([r and [abs(n) for n in r] for r in rows], pa.list_(pa.uint64()))
        if all(n >= 0 for r in rows for n in r or ())
        else nest(rows, pa.list_(pa.int64()))
    ),
    "list of decimals": lambda rows: nest(
        [r and [Decimal(n) for n in r] for r in rows], pa.list_(pa.decimal128(10, 2))
    ),
    "list of texts": lambda rows: nest(
        [r and [str(n) for n in r] for r in rows], pa.list_(pa.string())
    ),
    "list of binary": lambda rows: nest(
        [r and [str(n).encode() for n in r] for r in rows], pa.list_(pa.binary())
    ),
    "list of dictionaries": make_dictionary_lists,
    "large list": lambda rows: nest(rows, pa.large_list(pa.float64())),
    "fixed list": lambda rows: nest(rows, pa.list_(pa.float32(), 3)),
    "list view": lambda rows: nest(rows, pa.list_view(pa.float64())),
    "large list view": lambda rows: nest(rows, pa.large_list_view(pa.float32())),
    "fixed tensor": lambda rows: extension(
        pa.fixed_shape_tensor(pa.float32(), [3]), rows, pa.list_(pa.float32(), 3)
    ),
    "variable tensor": variable_tensors,
    "Spark vector": spark_vectors,
    "JSON text": lambda rows: pa.array([None if r is None else str(r) for r in rows], pa.string()),
    "JSON type": lambda rows: extension(
        pa.json_(), [None if r is None else str(r) for r in rows], pa.string()
    ),
    "JSON bytes": lambda rows: pa.array(
        [None if r is None else str(r).encode() for r in rows], pa.binary()
    ),
}

UNION = pa.UnionArray.from_dense(
    pa.array([0, 1], pa.int8()), pa.array([0, 0], pa.int32()), [pa.array([1]), pa.array(["a"])]
)
# types that Parquet files can have, and that no role can take
NO_CELLS = {
    "struct of 1 field": pa.array([{SECRET: 1}]),
    "map": pa.array([[(SECRET, 1.0)]], pa.map_(pa.string(), pa.float64())),
    "list of lists": pa.array([[[1.0, 2.0]], None]),
    "list of struct of 1 field": pa.array([[{SECRET: 1}]]),
    "list of map": pa.array([[[(SECRET, 1.0)]]], pa.list_(pa.map_(pa.string(), pa.float64()))),
    "list of timestamp[us]": pa.array([[0]], pa.list_(pa.timestamp("us"))),
    "binary, with bytes that are not UTF-8 text": pa.array([b"\xff\xfe", b"a", None]),
    "list of binary": pa.array([[b"\xff"]], pa.list_(pa.binary())),
    "struct of a Spark vector (VectorUDT)": pa.array(
        [{"type": 0, "size": 3, "indices": [1], "values": [2.0]}], SPARK_VECTOR
    ),
}
UUIDS = [uuid.UUID(int=n << 64 | n) for n in (1, 2**63, 7)]
