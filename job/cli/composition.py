"""Build the adapters of a run: the store, the suite and all others."""

from __future__ import annotations

import errno
import os
import resource
import tempfile
import time
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from job.contracts.machine_errors import require_address_space
from job.contracts.messages import quote
from job.contracts.settings.addresses import local_path, uri_scheme
from job.errors import ConfigurationError, DatasetNotFoundError, JobError, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from job.adapters.host_limits import Memory
    from job.adapters.stores.s3.files import S3Files
    from job.cli.progress import Progress
    from job.contracts.ports import ArtifactStore, Ports
    from job.contracts.settings.job_settings import JobSettings
    from job.contracts.suites import Suite

_ADDRESS_SPACE: Final = 1536 * 2**20  # bytes; measured with two CPUs: 1000 MiB, plus a half
_TEMPORARY_FOLDERS: Final = ("/tmp", "/var/tmp", "/usr/tmp")  # noqa: S108  # as `tempfile` tries


def load_libraries() -> Memory:
    """Load and configure the libraries of a run, if the memory limit is large enough for them.

    Return the `Memory` meter of this process.
    """
    from job.adapters.host_limits import Memory, limit_threads, paused_gc, return_freed_memory
    from job.stages.training.memory_limit import require_memory_to_start

    require_address_space(_ADDRESS_SPACE, "to load its libraries")
    memory = Memory()
    require_memory_to_start(memory)
    return_freed_memory()
    with paused_gc():
        import job.pipeline  # noqa: F401  # loads the BLAS libraries

    limit_threads()
    return memory


@contextmanager
def working_folder() -> Iterator[Path]:
    """Provide a temporary folder for large matrices and copies of tables.

    The folder is removed when the `with` block ends.

    Raises
    ------
    ConfigurationError, TransientError
        No temporary folder can be written to, or all of them are full.
    """
    try:
        folder = tempfile.TemporaryDirectory(prefix="pcc-job-", ignore_cleanup_errors=True)
    except OSError as error:
        raise _no_temporary_folder(error) from error
    with folder as name:
        yield Path(name)


def _no_temporary_folder(error: OSError) -> JobError:
    """Return the failure if no temporary folder can be created; full ones may recover."""
    tried = [os.environ.get("TMPDIR") or "", *_TEMPORARY_FOLDERS, os.curdir]
    usable = [folder for folder in tried if folder and os.access(folder, os.W_OK | os.X_OK)]
    # NOTE: without any usable folder, `tempfile` raises FileNotFoundError, even if all are full
    is_limited = resource.getrlimit(resource.RLIMIT_FSIZE)[0] != resource.RLIM_INFINITY
    if usable and not is_limited and error.errno in (errno.ENOENT, errno.ENOSPC, errno.EDQUOT):
        return TransientError(
            "the temporary folders are full",
            hint="free disk space, or set TMPDIR to a folder with space",
        )
    return ConfigurationError(
        "no temporary folder can be written to: tried TMPDIR, "
        f"{', '.join(_TEMPORARY_FOLDERS)} and the working folder",
        hint="set TMPDIR to a folder that this user can write to"
        + ("; the size of files is limited, too (`ulimit -f`)" if is_limited else ""),
    )


def make_ports(
    settings: JobSettings,
    store: ArtifactStore,
    progress: Progress,
    copy: Callable[[str], Path],
    *,
    memory: Memory,
    folder: Path,
) -> Ports:
    """Build all adapters that a run uses.

    Parameters
    ----------
    copy
        Function from `make_copier`, which copies an s3:// URI to a local path.
    folder
        Folder from `working_folder`, for large matrices.
    """
    from job.adapters.codecs import make_codecs
    from job.adapters.executors.local import LocalThreads
    from job.adapters.matrix_allocator import MappedMatrices
    from job.adapters.rendering.renderer import ReportRenderer
    from job.adapters.suites import GreatExpectations
    from job.adapters.tables import ArrowTables
    from job.contracts.ports import Ports

    return Ports(
        source=ArrowTables(
            copy, settings.dataset.known_names, settings.dataset.csv, settings.dataset.limits
        ),
        suites=GreatExpectations(),
        store=store,
        codecs=make_codecs(),
        executor=LocalThreads(settings.search.workers, progress.advance),
        matrices=MappedMatrices(folder, settings.search.max_memory, memory),
        renderer=ReportRenderer(),
        memory=memory,
        timer=time.perf_counter,
    )


def open_store(settings: JobSettings, *, must_exist: bool = False) -> ArtifactStore:
    """Open the store at `store.uri`: a bucket for an s3:// URI, otherwise a folder.

    Raises
    ------
    ConfigurationError
        The folder does not exist, and `must_exist` is set.
    """
    return STORES[uri_scheme(settings.store.uri)](settings, must_exist)


def _open_folder(settings: JobSettings, must_exist: bool) -> ArtifactStore:
    from job.adapters.stores.directory import DirectoryStore

    uri = settings.store.uri
    folder = local_path(uri)
    if must_exist and not os.path.isdir(folder):  # noqa: PTH112  # False for every error
        raise ConfigurationError(
            f"store {quote(uri)} does not exist",
            hint="check --store (store.uri); `pcc-job run` creates the folder",
        )
    return DirectoryStore(folder)


def _open_s3(settings: JobSettings, _must_exist: bool) -> ArtifactStore:
    from job.adapters.stores.s3 import S3Store
    from job.adapters.stores.s3.client import connect

    return S3Store(connect(settings.s3), settings.store)


# opens a store of each scheme in `STORE_SCHEMES`; imports the service's client when called
STORES: Final[dict[str, Callable[[JobSettings, bool], ArtifactStore]]] = {
    "file": _open_folder,
    "s3": _open_s3,
}


def make_copier(settings: JobSettings, folder: Path) -> Callable[[str], Path]:
    """Return a function that copies an s3:// URI into `folder` and returns the local path.

    Each URI is copied once.
    """
    files: S3Files | None = None

    @cache  # a table is read twice: its beginning, and later its rows
    def copy(uri: str) -> Path:
        nonlocal files
        if files is None:
            from job.adapters.stores.s3.client import connect
            from job.adapters.stores.s3.files import S3Files

            files = S3Files(connect(settings.s3), folder)
        return files.copy(uri)

    return copy


def load_suite(settings: JobSettings, copy: Callable[[str], Path]) -> Suite:
    """Load the expectation suite of the settings: a name, a path or an s3:// URI."""
    from job.adapters.suites import SuiteFolder

    package = Path(__file__).parents[1]
    packaged = package / "expectations"
    folder = packaged if packaged.is_dir() else package.parent / "expectations"
    name = settings.expectations.suite
    if name.startswith("s3://"):
        try:
            name = str(copy(name))
        except DatasetNotFoundError as error:
            raise ConfigurationError(
                f"expectation suite {quote(name)} does not exist",
                hint="check expectations.suite, and whether the file was uploaded",
            ) from error
    return SuiteFolder(folder).load(name)
