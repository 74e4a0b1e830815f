"""Build the adapters that a run uses, on the machine that it finds."""

from __future__ import annotations

import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from job.adapters.machine import Memory
    from job.contracts.ports import ArtifactStore, Ports
    from job.contracts.specs import JobSettings
    from job.logs import Progress


def load_libraries() -> Memory:
    """Load what every run needs, if the memory holds it, and hold it to the CPUs and the memory."""
    from job.adapters.machine import Memory, keep_no_large_blocks, limit_threads, loading
    from job.stages.capacity import require_memory_to_start

    memory = Memory()
    require_memory_to_start(memory)
    keep_no_large_blocks()
    with loading():
        import job.pipeline  # noqa: F401  # the BLAS libraries come with it

    limit_threads()
    return memory


@contextmanager
def working_folder() -> Iterator[Path]:
    """Hold copies of tables and large matrices for the time of the run."""
    with tempfile.TemporaryDirectory(prefix="pcc-job-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def make_ports(
    settings: JobSettings,
    store: ArtifactStore,
    progress: Progress,
    copy: Callable[[str], Path],
    *,
    memory: Memory,
    folder: Path,
) -> Ports:
    """Build everything of the outside that a run uses."""
    from job.adapters.codecs.canonical_joblib import JoblibCodec
    from job.adapters.executors.local import LocalThreads
    from job.adapters.gx import GreatExpectations
    from job.adapters.matrices import Matrices
    from job.adapters.rendering.pages import Pages
    from job.adapters.tables import ArrowTables
    from job.contracts.ports import Ports

    return Ports(
        source=ArrowTables(copy),
        suites=GreatExpectations(),
        store=store,
        codec=JoblibCodec(),
        executor=LocalThreads(settings.search.workers, progress.advance),
        matrices=Matrices(folder, settings.search.max_memory, memory),
        renderer=Pages(),
        memory=memory,
        timer=time.perf_counter,
    )
