"""Write the rows and embeddings of a sample table to a CSV or Parquet file."""

from __future__ import annotations

import bz2
import gzip
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from job.adapters.tables.formats import find_compression, is_tab_separated
from job.contracts.identity import canonical_json

if TYPE_CHECKING:
    import pyarrow as pa

    from job.contracts.arrays import Floats32


def write_csv(path: Path, table: pa.Table, matrix: Floats32, notes: Mapping[str, str]) -> None:
    """Write a CSV file, whose embeddings are JSON, and a metadata file with the notes."""
    import pyarrow as pa
    import pyarrow.csv as pacsv

    cells = ["[" + ", ".join(repr(float(v)) for v in row) + "]" for row in matrix]
    stream = io.BytesIO()
    delimiter = "\t" if is_tab_separated(path) else ","
    pacsv.write_csv(
        table.append_column("embeddings", pa.array(cells)),
        stream,
        pacsv.WriteOptions(delimiter=delimiter),
    )
    data = stream.getvalue()
    _replace(path.with_name(f"{path.name}.metadata.json"), canonical_json(notes))
    _replace(path, _compress(path, data))


def _compress(path: Path, data: bytes) -> bytes:
    """Return the data, compressed as the name of the file states."""
    match find_compression(path):
        case None:
            return data
        case "gzip":
            return gzip.compress(data, mtime=0)
        case "bz2":
            return bz2.compress(data)
        case "zstd":
            import pyarrow as pa

            packed: bytes = pa.Codec("zstd").compress(data, asbytes=True)
            return packed


def write_parquet(path: Path, table: pa.Table, matrix: Floats32, notes: Mapping[str, str]) -> None:
    """Write a Parquet file with the notes in its metadata."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    flat = pa.array(matrix.astype(np.float64).ravel())
    offsets = np.arange(0, matrix.size + 1, matrix.shape[1], dtype=np.int32)
    table = table.append_column("embeddings", pa.ListArray.from_arrays(pa.array(offsets), flat))
    stream = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(notes), stream)
    _replace(path, stream.getvalue())


def _replace(path: Path, data: bytes) -> None:
    """Write a file atomically, replacing an existing one."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(data)
    temporary.replace(path)
