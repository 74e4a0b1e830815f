"""Give hostile settings to the command line, and list the commands that end in a bug.

How it works
------------
1. `benchmarks.hostile_settings` makes the cases.
2. `config check`, `config show` or `doctor` reads them in this process.
3. A case is a bug if the command raises anything other than an error with a documented exit code,
   takes more than ten seconds, or writes a message that is long or has control characters.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import typer

from benchmarks.hostile_settings import Case, make_case
from job.cli.commands.app import app
from job.errors import JobError

MAX_SECONDS: Final = 10  # of processor time, because the machine may be busy
_MAX_WAIT_SECONDS: Final = 60
MAX_MESSAGE: Final = 20_000
_COMMAND: Final = typer.main.get_command(app)
# keeps every request of the cases on this machine, and short
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


class _TooSlowError(BaseException):
    """A command does not end; nothing in the job catches this error."""


def find_bug(case: Case, folder: Path) -> str | None:
    """Run the command of a case; return what is wrong with its end, or None."""
    if case.content is not None:
        (folder / "job.yaml").write_bytes(case.content)
    started = time.process_time()
    try:
        with _environment(case.environment), _time_limit(), _hidden_output():
            _COMMAND(list(case.arguments), standalone_mode=False)
    except JobError as error:
        return _judge_message(error)
    except _TooSlowError:
        return f"does not end in {_MAX_WAIT_SECONDS} s"
    except Exception as error:  # noqa: BLE001  # everything else would be exit code 1
        if hasattr(error, "format_message"):
            return None
        return _describe(error)
    return None if time.process_time() - started < MAX_SECONDS else f"takes {MAX_SECONDS} s"


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
def _environment(variables: dict[str, str]) -> Iterator[None]:
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


@contextlib.contextmanager
def _hidden_output() -> Iterator[None]:
    """Encode what a command writes, as the real streams do, and drop it."""
    with (
        contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO(), "utf-8")),
        contextlib.redirect_stderr(io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace")),
    ):
        yield


def fuzz(n_cases: int, *, seed: int = 0) -> dict[str, list[int]]:
    """Run cases; return the numbers of the cases that end in a bug, by description."""
    bugs: dict[str, list[int]] = {}
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        folder = Path(name)
        os.mkfifo(folder / "fifo")
        with _hidden_output():
            _COMMAND(["config", "check"], standalone_mode=False)  # imports the libraries
        for number in range(n_cases):
            bug = find_bug(make_case(random.Random(f"{seed}/{number}"), folder), folder)
            if bug is not None:
                bugs.setdefault(bug, []).append(number)
    return bugs
