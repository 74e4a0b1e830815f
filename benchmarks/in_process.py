"""Run a command of the job in this process, and say whether it ends as documented.

A command ends in a bug if it raises anything other than an error with a documented exit code, takes
more than ten seconds of processor time, or writes a message that is long or has control characters.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import typer

from job.cli.commands.app import app
from job.errors import JobError

MAX_SECONDS: Final = 10  # of processor time, because the machine may be busy
_MAX_WAIT_SECONDS: Final = 60
MAX_MESSAGE: Final = 20_000
_COMMAND: Final = typer.main.get_command(app)
# keeps every request of the commands on this machine, and short
_ENVIRONMENT: Final = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_ACCESS_KEY_ID": "x",
    "AWS_SECRET_ACCESS_KEY": "x",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "PCC_JOB_S3__MAX_ATTEMPTS": "1",
    "PCC_JOB_S3__CONNECT_TIMEOUT_SECONDS": "1",
    "PCC_JOB_S3__READ_TIMEOUT_SECONDS": "1",
    "PCC_JOB_SPLIT__SALT": "x",
}


class _Watcher:
    """Takes the place of the signal handlers: no signal arrives."""

    def set_cleanup(self, clean_up: Callable[[], None]) -> None:
        """Ignore the function."""


class _TooSlowError(BaseException):
    """A command does not end; nothing in the job catches this error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended.

    Attributes
    ----------
    bug
        What is wrong with the end; None if the command ended as documented.
    error
        The error with a documented exit code; None without one.
    stdout, stderr
        All that the command wrote, the message of the error included.
    """

    bug: str | None
    error: JobError | None
    stdout: str
    stderr: str


def run_command(arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> Ended:
    """Run a command, and return how it ended."""
    stdout = io.TextIOWrapper(io.BytesIO(), "utf-8")
    stderr = io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace")
    bug, caught = None, None
    started = time.process_time()
    try:
        with (
            _changed_environment(environment or {}),
            _time_limit(),
            contextlib.redirect_stdout(stdout),
            contextlib.redirect_stderr(stderr),
        ):
            code = _COMMAND(list(arguments), standalone_mode=False, obj=_Watcher())
            bug = "exit code 1" if code == 1 else None
    except JobError as error:
        bug, caught = _judge_message(error), error
        stderr.write(f"{error.message}\n{error.hint}\n")
    except _TooSlowError:
        bug = f"does not end in {_MAX_WAIT_SECONDS} s"
    except Exception as error:  # noqa: BLE001  # everything else would be exit code 1
        bug = None if hasattr(error, "format_message") else _describe(error)
    if bug is None and time.process_time() - started > MAX_SECONDS:
        bug = f"takes {MAX_SECONDS} s"
    return Ended(bug=bug, error=caught, stdout=_content(stdout), stderr=_content(stderr))


def _content(stream: io.TextIOWrapper) -> str:
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode()


def _judge_message(error: JobError) -> str | None:
    text = f"{error.message}\n{error.hint}"
    if error.exit_code == 1:
        return f"exit code 1: {error.message}"
    if len(text) > MAX_MESSAGE:
        return f"a message of {len(text)} characters: {text[:100]}"
    if not text.replace("\n", "").isprintable():
        return f"control characters: {text[:300]!r}"
    return None


def _describe(error: BaseException) -> str:
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if "/job/" in f.filename] or frames
    place = f"{Path(own[-1].filename).name}:{own[-1].lineno}"
    return f"{type(error).__name__} in {place}: {str(error)[:100]}"


@contextlib.contextmanager
def _changed_environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    try:
        os.environ.update({**_ENVIRONMENT, **variables})
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def _time_limit() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise _TooSlowError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, _MAX_WAIT_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
