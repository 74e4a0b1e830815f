"""Read a small set of requests in addition to the table: the challenge or out-of-scope set."""

from __future__ import annotations

from functools import partial
from typing import Literal

import structlog

from job.contracts.dataset import Dataset
from job.pipeline.run_context import RunContext
from job.stages.data.ingest import ingest
from job.stages.packaging.metadata import describe_dataset
from job.stages.training.memory_limit import require_memory_to_read

log = structlog.get_logger(__name__)


def read_requests(
    context: RunContext,
    uri: str,
    *,
    name: Literal["challenge", "out_of_scope"],
    required: frozenset[str],
) -> Dataset:
    """Ingest a set of requests like the table, and record its provenance.

    Parameters
    ----------
    name
        Name of the set in the log and in the run's record: `challenge` or `out_of_scope`.
    required
        Columns that the set must have.
    """
    ports = context.ports
    with context.stage("ingest"):
        dataset = ingest(
            ports.source,
            uri,
            context.settings.dataset,
            required=required,
            matrices=ports.matrices,
            reserve=partial(require_memory_to_read, memory=ports.memory),
        )
    context.recorder.facts.datasets[f"{name}_dataset"] = describe_dataset(dataset)
    log.info(
        f"{name}_set_ingested",
        uri=uri,
        n_rows=dataset.n_rows,
        content_digest=dataset.provenance.content_digest,
    )
    return dataset
