"""Refuse columns whose type in the file cannot be read in their role.

A column is refused only if it has a present cell: a column of missing cells has any type.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import pyarrow as pa
import pyarrow.compute as pc

from job.contracts.dataset import Kind
from job.contracts.messages import pluralize
from job.errors import ContractViolationError

_TEXTS: Final = frozenset((pa.lib.Type_STRING, pa.lib.Type_LARGE_STRING))
_NUMBERS: Final = frozenset(
    (
        *(pa.lib.Type_INT8, pa.lib.Type_INT16, pa.lib.Type_INT32, pa.lib.Type_INT64),
        *(pa.lib.Type_UINT8, pa.lib.Type_UINT16, pa.lib.Type_UINT32, pa.lib.Type_UINT64),
        *(pa.lib.Type_HALF_FLOAT, pa.lib.Type_FLOAT, pa.lib.Type_DOUBLE, pa.lib.Type_BOOL),
        *(pa.lib.Type_DECIMAL32, pa.lib.Type_DECIMAL64),
        *(pa.lib.Type_DECIMAL128, pa.lib.Type_DECIMAL256),
    )
)
_TIMES: Final = frozenset((pa.lib.Type_TIMESTAMP, pa.lib.Type_DATE32, pa.lib.Type_DATE64))
_TIMES_OF_DAY: Final = frozenset((pa.lib.Type_TIME32, pa.lib.Type_TIME64))
_FITTING: Final[dict[Kind, frozenset[int]]] = {
    "string": _TEXTS | _NUMBERS | _TIMES | _TIMES_OF_DAY,
    "number": _TEXTS | _NUMBERS | {pa.lib.Type_DURATION},
    "boolean": _TEXTS | _NUMBERS,
    # numbers are counted as unreadable, and a rule names their notation
    "timestamp": _TEXTS | _TIMES | _NUMBERS - {pa.lib.Type_BOOL},
}
_LISTS: Final = frozenset((pa.lib.Type_LIST, pa.lib.Type_LARGE_LIST, pa.lib.Type_FIXED_SIZE_LIST))
_SPARK_VECTOR: Final = {"type", "size", "indices", "values"}

Role = Kind | Literal["embeddings"]
_EXPECTED: Final[dict[Role, str]] = {
    "string": "text, numbers, booleans or times",
    "number": "numbers",
    "boolean": "booleans, 0 and 1, or words such as yes and no",
    "timestamp": "timestamps, dates, or text in the form of ISO 8601",
    "embeddings": "one list of numbers for each row, JSON text, or one column for each number",
}
_EXPORTS: Final[dict[Role, str]] = {
    "string": "export the column as text, for example with CAST(... AS VARCHAR) in SQL",
    "number": "export the column as numbers, for example with CAST(... AS DOUBLE) in SQL",
    "boolean": "export the column as booleans, for example with CAST(... AS BOOLEAN) in SQL",
    "timestamp": "export the column as timestamps, for example with "
    "pandas.to_datetime(column, unit='s', utc=True) or to_timestamp(...) in SQL",
    "embeddings": "export a flat list for each row, for example with numpy.ravel(cell).tolist()",
}


def fit_type(array: pa.Array, kind: Kind, *, name: str, uri: str) -> pa.Array:
    """Return an array of a type that can be read as `kind`.

    Parameters
    ----------
    array
        Cells of one batch in plain types, shape (n_rows,).
    name, uri
        Names of the column and the table for the message.

    Returns
    -------
    fitting
        The same array, or nulls if its type does not fit and all of its cells are missing.

    Raises
    ------
    ContractViolationError
        The type does not fit, and a cell is present.
    """
    if _fits(array.type, kind):
        return array
    if _has_cell(array):
        raise _explain(array.type, kind, name, uri)
    return pa.nulls(len(array))


def fit_embedding_types(
    columns: Sequence[pa.Array], names: Sequence[str], uri: str
) -> list[pa.Array]:
    """Return the columns of the embeddings: one of lists or JSON text, or columns of numbers.

    Returns
    -------
    fitting
        The same arrays, or nulls for those whose type does not fit and whose cells are all missing.

    Raises
    ------
    ContractViolationError
        The type of a column does not fit, and a cell of the column is present.
    """
    fitting = []
    for array, name in zip(columns, names, strict=True):
        is_list = len(columns) == 1 and is_list_type(array.type)
        fits = _fits(array.type.value_type if is_list else array.type, "number")
        if not fits and _has_cell(array):
            raise _explain(array.type, "embeddings", name, uri)
        fitting.append(array if fits else pa.nulls(len(array)))
    return fitting


def _fits(kind: pa.DataType, role: Kind) -> bool:
    return pa.types.is_null(kind) or kind.id in _FITTING[role]


def _has_cell(array: pa.Array) -> bool:
    """Return whether a cell is present; NaN is missing."""
    if pa.types.is_floating(array.type):
        return bool(pc.any(pc.invert(pc.is_nan(array))).as_py())
    return bool(array.null_count < len(array))


def is_list_type(kind: pa.DataType) -> bool:
    """Return whether a type is one of the lists that a table of plain types can have."""
    return kind.id in _LISTS


def _explain(kind: pa.DataType, role: Role, name: str, uri: str) -> ContractViolationError:
    return ContractViolationError(
        f"'{uri}': column '{name}' has the type {describe_type(kind)}; expected {_EXPECTED[role]}",
        hint=_suggest_export(kind, role),
    )


def describe_type(kind: pa.DataType) -> str:
    """Return the name of a type, without names that the file states for its parts.

    >>> describe_type(pa.list_(pa.struct([("a", pa.int64())])))
    'list of struct of 1 field'
    """
    if is_spark_vector(kind):
        return "struct of a Spark vector (VectorUDT)"
    if pa.types.is_struct(kind):
        return f"struct of {pluralize(kind.num_fields, 'field')}"
    if is_list_type(kind):
        inner = kind.value_type
        return f"list of {'lists' if is_list_type(inner) else describe_type(inner)}"
    if pa.types.is_map(kind):
        return "map"
    if pa.types.is_union(kind):
        return "union"
    if pa.types.is_large_binary(kind):
        return "binary, with bytes that are not UTF-8 text"
    if pa.types.is_timestamp(kind):
        return f"timestamp[{kind.unit}]"
    return str(kind)


def is_spark_vector(kind: pa.DataType) -> bool:
    """Return whether a type is the struct in which Spark ML writes a vector."""
    return bool(pa.types.is_struct(kind) and {field.name for field in kind.fields} == _SPARK_VECTOR)


def _suggest_export(kind: pa.DataType, role: Role) -> str:
    if is_spark_vector(kind):
        return (
            "export lists: df.withColumn(NAME, pyspark.ml.functions.vector_to_array(NAME)) in Spark"
        )
    if pa.types.is_large_binary(kind):
        if role == "embeddings":
            return "export lists, for example with numpy.frombuffer(cell, 'float32').tolist()"
        return "export text in UTF-8; for ids in bytes, cell.hex() in Python or hex(...) in SQL"
    if kind.id in _TIMES and role in ("number", "boolean"):
        return f"{_EXPORTS[role]}; a time can be named with --set dataset.columns.timestamp=COLUMN"
    return _EXPORTS[role]
