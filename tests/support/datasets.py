"""Datasets built in memory."""

from datetime import UTC, datetime

from job.contracts.dataset import Dataset
from job.contracts.provenance import Provenance

PROVENANCE = Provenance(
    uri="t.parquet",
    format="parquet",
    n_bytes=1,
    modified_at=datetime(2026, 1, 1, tzinfo=UTC),
    file_digest="sha256:0",
    content_digest="sha256:0",
)


def table_of(columns, embeddings=None):
    """Return a dataset of these columns."""
    columns = tuple(columns)
    n_rows = len(columns[0].values) if columns else 0
    return Dataset(n_rows=n_rows, columns=columns, embeddings=embeddings, provenance=PROVENANCE)
