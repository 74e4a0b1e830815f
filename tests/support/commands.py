"""The command line inside this process, as `job.cli.main` runs it."""

import contextlib
import io
import time
from dataclasses import dataclass

import typer

from job.cli.commands.app import app
from job.errors import JobError


@dataclass(frozen=True)
class Ended:
    """How a command ended; `crash` is an error that the command line does not expect."""

    code: int
    stdout: str
    seconds: float
    message: str = ""
    crash: Exception | None = None
    hint: str = ""
    stderr: str = ""


class _Watcher:
    def set_cleanup(self, clean_up):
        """Ignore the function: no signal arrives."""


def run_here(*words):
    """Run the command line; errors become exit codes as in `job.cli.main`."""
    out, err, started = io.StringIO(), io.StringIO(), time.monotonic()
    code, message, crash, hint = 0, "", None, ""
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = app([str(word) for word in words], standalone_mode=False, obj=_Watcher()) or 0
        except JobError as error:
            code, message, hint = int(error.exit_code), error.message, error.hint
        except typer.Abort:
            code = 130
        except Exception as error:  # noqa: BLE001  # as the command line does
            code, crash = (2, None) if hasattr(error, "format_message") else (1, error)
    seconds = time.monotonic() - started
    return Ended(code, out.getvalue(), seconds, message, crash, hint, err.getvalue())
