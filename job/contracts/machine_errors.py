"""Explain failures of the machine under the job: memory, threads, open files, disks and paths.

How it works
------------
1. Adapters explain the failures of what they use: a store, a table, an output file.
2. What no adapter has explained arrives here, at the boundary of the command line.
3. An error number of the system, or Python's own error, says which resource is missing.
4. A limit that the operator has set (`ulimit`) is a configuration (2).  A machine that is full or
   busy may recover, so a later attempt is of use (75).  Everything else is a bug.
"""

from __future__ import annotations

import errno
import os
import resource
from typing import Final

from job.errors import ConfigurationError, JobError, TransientError

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
_UNUSABLE_PATH: Final = (
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
)
# what the loader of native libraries and Python's import say without memory
_NO_MEMORY_WORDS: Final = ("failed to map segment", "cannot allocate memory")
_NO_THREAD_WORDS: Final = "can't start new thread"


def explain_machine_error(error: BaseException) -> JobError | None:
    """Return the failure that an error of the machine stands for; None for a bug.

    The cause and context of the error are searched, too, because libraries hide such errors.
    """
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        found = _explain(current)
        if found is not None:
            return found
        current = current.__cause__ or current.__context__
    return None


def _explain(error: BaseException) -> JobError | None:
    text = str(error).lower()
    number = error.errno if isinstance(error, OSError) else None
    is_import = isinstance(error, (ImportError, OSError))
    if (
        isinstance(error, MemoryError)
        or number == errno.ENOMEM
        or (is_import and any(words in text for words in _NO_MEMORY_WORDS))
    ):
        return _no_memory()
    if isinstance(error, RuntimeError) and _NO_THREAD_WORDS in text:
        return _no_thread()
    too_many = explain_open_files(error)
    if too_many is not None:
        return too_many
    if number == errno.EFBIG:
        return ConfigurationError(
            "a file would be larger than this process may write",
            hint="raise the limit with `ulimit -f unlimited`, or use another file system",
        )
    if number in _FULL:
        return TransientError(
            f"cannot write: {os.strerror(number or 0)}",
            hint="free disk space or repair the device, then run again",
        )
    if number in _UNUSABLE_PATH:
        return ConfigurationError(
            f"a file or folder cannot be used: {os.strerror(number or 0)}",
            hint="check the paths in the options and settings, TMPDIR, and the permissions of the "
            "user of this process",
        )
    return None


def explain_open_files(error: BaseException) -> JobError | None:
    """Return the failure about the limit of open files; None if `error` has another cause."""
    is_limit = getattr(error, "errno", None) in (errno.EMFILE, errno.ENFILE)
    # NOTE: some errors of pyarrow have no number
    if not is_limit and "Too many open files" not in str(error):
        return None
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return ConfigurationError(
        f"too many open files: this process may have {limit} files open",
        hint="raise the limit: `ulimit -n 4096`; with docker: `--ulimit nofile=4096`",
    )


def _no_memory() -> JobError:
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit != resource.RLIM_INFINITY:
        return ConfigurationError(
            f"not enough memory: this process may reserve {limit // 2**20:,} MiB (`ulimit -v`)",
            hint="raise the limit with `ulimit -v unlimited`; docs/operations.md has a table of "
            "the memory that a run needs",
        )
    return TransientError(
        "not enough memory",
        hint="free memory on this machine, or raise the memory limit; docs/operations.md has a "
        "table of the memory that a run needs",
    )


def _no_thread() -> TransientError:
    return TransientError(
        "cannot start another thread: this user or container has too many processes and threads",
        hint="end other processes, or raise the limit: `ulimit -u`, or `pids.max` of the container",
    )


def require_address_space(n_bytes: int, purpose: str) -> None:
    """Raise if this process may reserve less memory than `n_bytes`, which `purpose` needs.

    NOTE: native libraries end the process, or wait forever, if they cannot reserve memory.

    Raises
    ------
    ConfigurationError
        The limit of `ulimit -v` is lower.
    """
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY or limit >= n_bytes:
        return
    raise ConfigurationError(
        f"the job needs {n_bytes // 2**20:,} MiB of address space {purpose}, but may reserve "
        f"{limit // 2**20:,} MiB (`ulimit -v`)",
        hint="`ulimit -v unlimited`; to limit the memory of a run, use a limit of the container",
    )
