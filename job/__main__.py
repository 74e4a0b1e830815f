"""Start the command line, as `pcc-job` and as `python -m job`, where it can run."""

from __future__ import annotations

import atexit
import os
import sys
from typing import Final

_PLATFORMS: Final = ("linux", "darwin")
_OLDEST_PYTHON: Final = (3, 11)
_LEAST_ADDRESS_SPACE: Final = 160 * 2**20  # bytes; the commands without libraries need 100 MiB
_CONFIGURATION: Final = 2  # `ExitCode.CONFIGURATION`; an old Python cannot import `job.errors`


def main() -> None:
    """Run the command line; on another platform or an old Python, say what helps."""
    problem = find_problem(sys.platform, sys.version_info[:2], sys.flags.optimize)
    problem = problem or _find_shortage()
    if problem is not None:
        reason, hint = problem
        if sys.stderr is not None:
            sys.stderr.write(f"error: {reason}\nhint: {hint}\n")
        raise SystemExit(_CONFIGURATION)
    from job.cli import main as run_command_line

    try:
        run_command_line()
    except SystemExit as ended:
        if isinstance(ended.code, int):
            _end(ended.code)
        raise


def _end(code: int) -> None:
    """End the process with a code, without destroying the interpreter.

    NOTE: threads of pyarrow read ahead from Python file objects.  If a command ends before the end
    of a CSV file, such a thread could call Python while the interpreter is destroyed, and abort the
    process with another code.  Return if a stream cannot be written, so that Python reports it.
    """
    atexit._run_exitfuncs()
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        return
    os._exit(code)


def find_problem(
    platform: str, python: tuple[int, int], optimization: int = 0
) -> tuple[str, str] | None:
    """Return why the job cannot run here, and what helps; None if it can.

    Parameters
    ----------
    optimization
        Python's level of optimization: level 2 removes docstrings.
    """
    if platform not in _PLATFORMS:
        name = "Windows" if platform == "win32" else f"'{platform}'"
        return (
            f"pcc-job runs on Linux and macOS; this is {name}",
            "on Windows, install it in WSL (`wsl --install`, then as on Linux); or run the image "
            "in a container (docs/docker.md)",
        )
    if python < _OLDEST_PYTHON:
        found, oldest = (".".join(map(str, version)) for version in (python, _OLDEST_PYTHON))
        return (
            f"pcc-job needs Python {oldest} or later; this is Python {found}",
            f"install it with another Python, such as `python{oldest} -m pip install ...` "
            f"or `uv tool install --python {oldest} ...`",
        )
    if optimization > 1:
        return (
            "Python has removed the docstrings (PYTHONOPTIMIZE=2 or -OO); the help and a library "
            "of the job need them",
            "unset PYTHONOPTIMIZE, or set PYTHONOPTIMIZE=1",
        )
    return None


def _find_shortage() -> tuple[str, str] | None:
    """Return what is missing, and what helps, if `ulimit -v` is too low to start."""
    from job.contracts.machine_errors import require_address_space
    from job.errors import ConfigurationError

    try:
        require_address_space(_LEAST_ADDRESS_SPACE, "to start")
    except ConfigurationError as error:
        return error.message, "`ulimit -v unlimited`"
    return None


if __name__ == "__main__":
    main()
