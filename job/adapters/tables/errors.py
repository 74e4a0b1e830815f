"""Translate pyarrow's errors about damaged files; the messages do not quote cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from job.adapters.tables.damage import LIGHT_ERRORS, explain_damage
from job.adapters.tables.formats import SourceFile


def translating_errors(file: SourceFile, call: Callable[[], Any]) -> Any:
    """Return the result of `call`; raise `DatasetUnreadableError` if pyarrow raises an error."""
    try:
        return call()
    except (pa.ArrowException, *LIGHT_ERRORS) as error:
        reason = explain_damage(file, error)
    # NOTE: raised outside the except block, because pyarrow's errors quote cells of the table
    raise reason


def translating_stream_errors(file: SourceFile, stream: Any) -> Iterator[pa.RecordBatch]:
    """Yield the batches of a stream; translate errors as `translating_errors` does."""
    batches = iter(stream)
    while (batch := translating_errors(file, lambda: next(batches, None))) is not None:
        yield batch
