"""Check the reason that an operator gives, and ask before something moves or is removed."""

from __future__ import annotations

import sys
from typing import Final

from job.contracts.messages import escape_control_characters
from job.errors import ConfigurationError

MAX_REASON_LENGTH: Final = 500


def check_reason(reason: str | None, option: str) -> str | None:
    """Return the reason as one line; None without one.

    Raises
    ------
    ConfigurationError
        The reason is empty, too long or not printable; the message names the option.
    """
    if reason is None:
        return None
    text = " ".join(reason.split())
    if not text or len(text) > MAX_REASON_LENGTH or not text.isprintable():
        raise ConfigurationError(
            f"{option} needs a reason of 1 to {MAX_REASON_LENGTH} printable characters",
            hint="state who decided and why; the reason is stored permanently",
        )
    return text


def may_ask(*, is_sure: bool) -> bool:
    """Return whether a person can and has to answer; without a terminal nobody can."""
    streams = (sys.stdin, sys.stderr)
    return not is_sure and all(stream is not None and stream.isatty() for stream in streams)


def ask(question: str, *, is_sure: bool) -> None:
    """Ask a person on a terminal; raise `typer.Abort` unless the answer is yes."""
    if may_ask(is_sure=is_sure):
        import typer

        typer.confirm(escape_control_characters(question), err=True, abort=True)
