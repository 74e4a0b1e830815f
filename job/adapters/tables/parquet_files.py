"""Open Parquet files in the way that all readers of a table share."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq


def open_parquet(path: Path) -> pq.ParquetFile:
    """Open a file for reading; its rows are decoded later, one row group after the other."""
    return pq.ParquetFile(
        path,
        # NOTE: pre-buffering would hold every column chunk of a row group in memory
        pre_buffer=False,
        buffer_size=1 << 20,
        # NOTE: nanoseconds, the default, turn an INT96 of the year 9999 into one of 1816
        coerce_int96_timestamp_unit="us",
    )
