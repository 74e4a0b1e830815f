"""Configure the log: JSON lines on stderr; on a terminal only warnings, unless asked for more."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, Literal, TextIO

import structlog
from structlog.processors import ExceptionRenderer
from structlog.tracebacks import ExceptionDictTransformer

from job.contracts.messages import escape_control_characters

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor

Verbosity = Literal["quiet", "normal", "verbose"]
# facts of an event that a line on a terminal leaves out
_LEFT_OUT: Final = ("event", "level", "timestamp", "run_id", "stage", "reason", "advice")
# the result on the same terminal says the same
_IN_RESULT: Final = ("candidate_rejected", "held_back")


def configure_logs(level: str, verbosity: Verbosity = "normal") -> None:
    """Send log events to stderr; tracebacks omit local variables, which may contain data.

    On a terminal, only warnings and errors are shown, one line each, unless `verbosity` is
    `verbose`.
    """
    is_terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *_choose_renderers(verbosity, is_terminal=is_terminal),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            _choose_level(level, verbosity, is_terminal=is_terminal)
        ),
        logger_factory=lambda *_: _LinePrinter(sys.stderr),  # a live line replaces it
        cache_logger_on_first_use=False,
    )
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    warnings.showwarning = _log_warning
    logging.lastResort = _LibraryHandler(logging.WARNING)  # for records without another handler


def _choose_level(level: str, verbosity: Verbosity, *, is_terminal: bool) -> int:
    chosen = int(getattr(logging, level.upper()))
    if verbosity == "quiet":
        return max(chosen, logging.ERROR)
    return max(chosen, logging.WARNING) if is_terminal and verbosity == "normal" else chosen


def _choose_renderers(verbosity: Verbosity, *, is_terminal: bool) -> Iterable[Processor]:
    if not is_terminal:
        exceptions = ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
        return exceptions, structlog.processors.JSONRenderer(sort_keys=True, default=str)
    if verbosity != "verbose":
        return (_render_line,)
    console = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    return _make_printable, console


def _render_line(_logger: object, _method: str, event: EventDict) -> str:
    """Return a warning or an error as one line of text."""
    if event["event"] in _IN_RESULT and sys.stdout is not None and sys.stdout.isatty():
        raise structlog.DropEvent
    facts = [f"{key} {_to_words(event[key])}" for key in event if key not in _LEFT_OUT]
    text = f"{event['level']}: {event['event'].replace('_', ' ')}"
    text += f" ({'; '.join(facts)})" if facts else ""
    said = [str(event[key]) for key in ("reason", "advice") if event.get(key)]
    return escape_control_characters(" ".join(": ".join([text, *said]).split("\n")))


def _to_words(value: object) -> str:
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(sorted(str(item) for item in value))
    return str(value)


def _make_printable(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Escape control characters in an event; names of classes and columns may contain them."""
    return {k: escape_control_characters(v) if isinstance(v, str) else v for k, v in event.items()}


def _log_warning(
    message: Warning | str,  # noqa: ARG001  # the signature of warnings.showwarning
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001
    line: str | None = None,  # noqa: ARG001
) -> None:
    """Log the category and location of a warning, but not its message, which may contain data."""
    place = f"{filename}:{lineno}"
    structlog.get_logger(__name__).warning("library_warned", kind=category.__name__, place=place)


class _LinePrinter(structlog.PrintLogger):
    """Logger whose lines are lost if stderr is full; the command itself goes on."""

    def msg(self, message: str) -> None:
        """Print one line; raise only if the reader of the pipe has gone away."""
        try:
            super().msg(message)
        except BrokenPipeError:
            raise
        except OSError:
            return

    log = debug = info = warn = warning = msg
    fatal = failure = err = error = critical = exception = msg


class _LibraryHandler(logging.Handler):
    """Handler that logs the origin of a library's log record, but not its message."""

    def emit(self, record: logging.LogRecord) -> None:
        place = f"{record.pathname}:{record.lineno}"
        structlog.get_logger(record.name).warning("library_warned", kind=record.name, place=place)
