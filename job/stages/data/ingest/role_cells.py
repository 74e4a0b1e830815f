"""Read the cells of a column in its role, or say why its type or its text cannot be read."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from job.contracts.arrays import Array
from job.contracts.dataset import Kind
from job.contracts.messages import pluralize
from job.errors import DatasetUnreadableError
from job.stages.data.ingest.cells import convert, is_string
from job.stages.data.ingest.column_types import fit_embedding_types, fit_type


def read_cells(
    array: pa.Array, kind: Kind, *, name: str, uri: str, is_prose: bool = False
) -> tuple[Array, int]:
    """Convert the cells of one batch of a column, as `cells.convert` does.

    Parameters
    ----------
    name, uri
        Names of the column and the table for messages.

    Raises
    ------
    ContractViolationError
        The column has a type that cannot be read as `kind`.
    DatasetUnreadableError
        The column has text that is not UTF-8.
    """
    fitting = fit_type(array, kind, name=name, uri=uri)
    try:
        return convert(fitting, kind, is_prose=is_prose)
    except (pa.ArrowException, UnicodeDecodeError):
        pass
    # NOTE: raised outside the except block, because pyarrow's errors quote cells
    raise _explain_encoding(array, name, uri)


def find_embedding_cells(
    columns: Sequence[pa.Array], names: Sequence[str], uri: str
) -> list[pa.Array]:
    """Return the columns of the embeddings, of which all cells can be read.

    Raises
    ------
    ContractViolationError
        A column has a type that is not one of embeddings.
    DatasetUnreadableError
        A column has text that is not UTF-8.
    """
    fitting = fit_embedding_types(columns, names, uri)
    for array, name in zip(fitting, names, strict=True):
        cells = array if is_string(array.type) else getattr(array, "values", array)
        if is_string(cells.type) and not _is_utf8(cells):
            raise _explain_encoding(array, name, uri)
    return fitting


def check_encoding(array: pa.Array, *, name: str, uri: str) -> None:
    """Raise if a column has text that is not UTF-8.

    Raises
    ------
    DatasetUnreadableError
        A cell is not UTF-8.
    """
    if not _is_utf8(array):
        raise _explain_encoding(array, name, uri)


def _is_utf8(array: pa.Array) -> bool:
    try:
        array.validate(full=True)  # Parquet readers do not check UTF-8
    except pa.ArrowException:
        return False
    return True


def _explain_encoding(array: pa.Array, name: str, uri: str) -> DatasetUnreadableError:
    n_cells = pluralize(_count_undecodable(array), "cell")
    return DatasetUnreadableError(
        f"'{uri}': column '{name}' has text that is not UTF-8 (in {n_cells} or more)",
        hint="export the table as UTF-8",
    )


def _count_undecodable(array: pa.Array) -> int:
    """Count the cells of a batch that are not valid UTF-8."""
    cells = array.flatten() if pa.types.is_nested(array.type) else array
    if not is_string(cells.type):
        return 0
    contents = pc.cast(cells, pa.large_binary()).to_pylist()
    return sum(
        "\ufffd" in content.decode(errors="replace") for content in contents if content is not None
    )
