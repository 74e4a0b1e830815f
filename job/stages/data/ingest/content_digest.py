"""Compute a content digest of a table, independent of the encoding and chunking of the file.

How it works
------------
1. Each role column (one that the settings name, such as the label) has one or more SHA-256
   streams, for example one of string lengths and one of string bytes.
2. Values are converted to a canonical form, so files of different formats give equal bytes.
3. The digest is the SHA-256 of the number of rows and of the name and digest of each stream.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from job.contracts.arrays import Array
from job.contracts.dataset import Kind


class ContentDigest:
    """Computes the SHA-256 of the columns that the settings name, from batches of rows.

    Strings are hashed as a stream of lengths and a stream of UTF-8 (null is the empty string).
    Numbers are hashed as little-endian float32 with one NaN and one zero.  Timestamps are hashed as
    int64 microseconds UTC.  Embeddings are hashed as float32 rows, with the defect code and the
    width of each row.
    """

    def __init__(self) -> None:
        self._streams: dict[str, Any] = {}
        self._n_rows = 0

    def add_rows(self, n_rows: int) -> None:
        """Add the number of rows of a batch to the total, which is part of the digest."""
        self._n_rows += n_rows

    def add(self, label: str, kind: Kind, values: Array) -> None:
        """Add a batch of values of the column `label`, whose cells were converted to `kind`."""
        if kind == "string":
            text = pc.fill_null(pa.array(values, pa.large_string()), "")
            lengths = pc.binary_length(text).to_numpy(zero_copy_only=False)
            self._update(f"{label}/lengths", lengths.astype("<i8"))
            self._update(f"{label}/utf8", _utf8_bytes(text))
        elif kind == "timestamp":
            self._update(f"{label}/microseconds", values.astype("<i8"))
        else:
            self._update(f"{label}/float32", _one_nan_one_zero(values))

    def add_embeddings(self, rows: Any, defects: Any, widths: Any) -> None:
        """Add a batch of the embedding matrix."""
        self._update("embeddings/defects", defects)
        self._update("embeddings/widths", widths.astype("<i4"))
        # NOTE: adding 0 turns -0 into +0; defective rows are already zero
        self._update("embeddings/float32", np.add(rows, np.float32(0)).astype("<f4", copy=False))

    def _update(self, label: str, data: Any) -> None:
        if label not in self._streams:
            self._streams[label] = hashlib.sha256()
        self._streams[label].update(data)

    def digest(self) -> str:
        """Return `sha256:<hex>` over all streams, in the order in which they began."""
        lines = [f"{label} {stream.hexdigest()}\n" for label, stream in self._streams.items()]
        whole = hashlib.sha256(f"{self._n_rows}\n{''.join(lines)}".encode())
        return f"sha256:{whole.hexdigest()}"


def _utf8_bytes(text: pa.LargeStringArray) -> Any:
    _, offsets, data = text.buffers()
    if data is None:
        return b""
    bounds = np.frombuffer(offsets, np.int64)[text.offset : text.offset + len(text) + 1]
    return memoryview(data)[bounds[0] : bounds[-1]]


def _one_nan_one_zero(values: Array) -> Array:
    canonical: Array = np.add(values, np.float32(0)).astype("<f4")
    canonical[np.isnan(canonical)] = np.float32(np.nan)
    return canonical
