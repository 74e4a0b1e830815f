"""Check that `model.joblib` loads, in a child process without credentials and open files.

How it works
------------
1. The child process gets an environment of its own, without credentials.  It inherits no open
   file, its input is empty, and it works in the folder of the version's copy.
2. `pickle_child` loads the model there, and reports one line of fixed words.
3. When the child ends, or after the time limit, all processes of its group are killed.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from job.contracts.remedies import AVOID_VERSION
from job.contracts.version_files import MODEL_FILE
from job.errors import IncompatibleModelError, IntegrityError

_CHILD: Final = Path(__file__).with_name("pickle_child.py")
# one thread, because further ones would take memory; joblib must not start processes
_ENVIRONMENT: Final = {
    "JOBLIB_MULTIPROCESSING": "0",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
_REPORT: Final = re.compile(r"(loaded|memory|refused|failed) ?([\w.]{0,100})\n", re.ASCII)
_MAX_REPORT_BYTES: Final = 200
_BYTES_PER_BYTE: Final = 8  # a model in memory, relative to its file
_TIMEOUTS: Final = (-signal.SIGALRM, -signal.SIGXCPU)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the child process may use.

    Attributes
    ----------
    cpu_seconds, wall_seconds
        Time until the process is killed, including the time to load the libraries.
    memory_bytes
        Memory in addition to that of the libraries and to eight times the size of the file.
    """

    cpu_seconds: int = 60
    wall_seconds: int = 180
    memory_bytes: int = 2**30


def check_pickle(folder: Path, limits: Limits = Limits()) -> None:
    """Load the version in `folder` in a child process, and predict one row.

    Raises
    ------
    IntegrityError
        `model.joblib` has something that no published model has, exceeds a limit, or crashes.
    IncompatibleModelError
        The model cannot be loaded and used with the installed packages.
    """
    status, report = run_child(_CHILD, folder, limits)
    match = _REPORT.fullmatch(report)
    result, name = match.groups() if match and status == 0 else ("", "")
    if result == "loaded":
        return
    if result == "failed":
        raise IncompatibleModelError(
            f"{folder.name} cannot be loaded and used with the installed packages: {name}",
            hint="compare them with `environment.packages` in `pcc-job models show "
            f"{folder.name}`, and install the versions that differ",
        )
    if result == "refused":
        what = f"'{name}'" if name else "an instruction or a name"
        reason = f"contains {what}, which is not part of any model that this release publishes"
    elif result == "memory":
        reason = f"needs more than {limits.memory_bytes:,} bytes of memory to be loaded"
    elif status in (None, *_TIMEOUTS):
        reason = (
            f"is not loaded within {limits.cpu_seconds} s of CPU time or {limits.wall_seconds} s"
        )
    else:
        reason = f"ends the process that loads it (exit status {status})"
    raise IntegrityError(
        f"{MODEL_FILE} of {folder.name} {reason}",
        hint=f"do not load the file elsewhere, because it may be forged; {AVOID_VERSION}",
    )


def run_child(script: Path, folder: Path, limits: Limits) -> tuple[int | None, str]:
    """Run a script on `folder` in an interpreter that inherits nothing from this process.

    Returns
    -------
    status
        Exit status, negative for a signal; None if the time limit was exceeded.
    report
        The first bytes that the script has printed.
    """
    n_bytes = limits.memory_bytes + _BYTES_PER_BYTE * (folder / MODEL_FILE).stat().st_size
    numbers = (limits.cpu_seconds, limits.wall_seconds, n_bytes)
    with subprocess.Popen(  # noqa: S603  # fixed interpreter and script
        [sys.executable, "-I", "-B", script, folder, *map(str, numbers)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env=_ENVIRONMENT,
        start_new_session=True,
    ) as process:
        status = None
        try:
            with suppress(subprocess.TimeoutExpired):
                status = process.wait(limits.wall_seconds)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        return status, _read_report(process)


def _read_report(process: subprocess.Popen[bytes]) -> str:
    """Return what the pipe contains; do not wait for processes that could still write to it."""
    assert process.stdout is not None
    os.set_blocking(process.stdout.fileno(), False)
    with suppress(BlockingIOError):
        return os.read(process.stdout.fileno(), _MAX_REPORT_BYTES).decode("ascii", "replace")
    return ""
