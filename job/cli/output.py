"""Write the result of a command to stdout: a table on a terminal, otherwise JSON."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeVar

from job.cli.layout import lay_out_mapping
from job.contracts.messages import escape_control_characters, quote
from job.errors import ConfigurationError, SupportsJson, TransientError

Content = Mapping[str, object]
_FORMS: Final = ("json", "yaml", "table")
R = TypeVar("R", bound=Content | SupportsJson)


def check_form(form: str | None) -> None:
    """Raise `ConfigurationError` for an unknown output format.

    Commands call this before they do any work.
    """
    if form is not None and form not in _FORMS:
        raise ConfigurationError(
            f"unknown output format {quote(form)}",
            hint="use --output json, --output yaml or --output table",
        )


def is_table(form: str | None) -> bool:
    """Return whether the result is written as text for people: on a terminal, or on request."""
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    return form == "table" or (form is None and is_terminal)


def write_result(
    result: R, form: str | None, lay_out: Callable[[R], list[str]] | None = None
) -> None:
    """Write a result to stdout, as JSON, as YAML or as the lines of text that `lay_out` returns."""
    check_form(form)
    content = result if isinstance(result, Mapping) else result.to_json()
    if is_table(form):
        lines = lay_out(result) if lay_out else lay_out_mapping(content)
        write_text(escape_control_characters("\n".join(lines)))
    elif form == "yaml":
        write_text(_to_yaml(content))
    else:
        write_text(json.dumps(content, sort_keys=True))


def _to_yaml(content: Content) -> str:
    """Return YAML; if a name of the data has characters that control a terminal, in ASCII only."""
    import yaml

    for is_unicode in (True, False):
        text = yaml.safe_dump(json.loads(json.dumps(content)), allow_unicode=is_unicode).rstrip()
        if all(line.isprintable() for line in text.split("\n")):
            break
    return text


def write_text(text: str) -> None:
    """Write lines to stdout; characters that its encoding lacks are escaped.

    Raises
    ------
    ConfigurationError, TransientError
        stdout is closed, or the file or pipe that it writes to is full or no longer exists.
    """
    if sys.stdout is None:
        raise ConfigurationError(
            "cannot write to stdout: it is closed",
            hint="the command writes its result to stdout: leave it open, or redirect it to a file",
        )
    encoding = sys.stdout.encoding or "utf-8"
    text = text.encode(encoding, "backslashreplace").decode(encoding)
    try:
        print(text, flush=True)
    except BrokenPipeError:  # `head` has read enough
        discard_output()
    except OSError as error:
        discard_output()
        raise TransientError(
            f"cannot write to stdout: {os.strerror(error.errno or 0)}",
            hint="the command has completed, but its result is lost; if the disk is full, make "
            "room on it",
        ) from error


def discard_output(*, with_errors: bool = False) -> None:
    """Let the interpreter flush what is left of stdout to nowhere when it exits.

    Parameters
    ----------
    with_errors
        Whether to do the same with stderr.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr) if with_errors else (sys.stdout,):
        if stream is not None:
            os.dup2(nowhere, stream.fileno())


def open_missing_streams() -> None:
    """Open /dev/null in the place of each standard stream that is closed.

    Otherwise, the next file that is opened gets the number of the stream, and what a library
    writes to stderr is written to this file.  `sys.stdout` stays None, because the result of a
    command must not be lost without an error.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY if number == 0 else os.O_WRONLY)
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115


def settle_output() -> None:
    """Flush stdout and stderr; discard what a full or closed stream does not take.

    Otherwise, the interpreter fails to flush it at exit, and ends with exit code 120.
    """
    for stream in (sys.stdout, sys.stderr):
        if stream is None:
            continue
        try:
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
