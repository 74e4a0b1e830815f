"""Configure the log: JSON lines on stderr, or readable lines on a terminal."""

from __future__ import annotations

import logging
import sys
import warnings
from typing import TYPE_CHECKING, TextIO

import structlog
from structlog.processors import ExceptionRenderer
from structlog.tracebacks import ExceptionDictTransformer

from job.contracts.messages import escape_control_characters

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from structlog.typing import EventDict, Processor


def configure_logs(level: str) -> None:
    """Send log events to stderr; tracebacks omit local variables, which may contain data."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderers: list[Processor]
    if sys.stderr.isatty():
        console = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        renderers = [_make_printable, console]
    else:
        exceptions = ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
        renderers = [exceptions, structlog.processors.JSONRenderer(sort_keys=True, default=str)]
    structlog.configure(
        processors=[*shared, *renderers],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # a progress bar replaces it
        cache_logger_on_first_use=False,
    )
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    warnings.showwarning = _log_warning
    logging.lastResort = _LibraryHandler(logging.WARNING)  # for records without another handler


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


class _LibraryHandler(logging.Handler):
    """Handler that logs the origin of a library's log record, but not its message."""

    def emit(self, record: logging.LogRecord) -> None:
        place = f"{record.pathname}:{record.lineno}"
        structlog.get_logger(record.name).warning("library_warned", kind=record.name, place=place)


class Progress:
    """A line on stderr with the current stage and its progress, if stderr is a terminal."""

    def __init__(self) -> None:
        self._n_rounds = 0  # completed
        self._bar: Bar | None = None  # rich is loaded only on a terminal

    def __enter__(self) -> Progress:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import Progress as Bar
            from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

            # NOTE: a live bar replaces sys.stderr, so that log lines scroll above it
            self._bar = Bar(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                TimeElapsedColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task("starting", total=None)
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Remove the progress line and restore the terminal."""
        if self._bar is not None:
            self._bar.stop()

    def begin_stage(self, name: str) -> None:
        """Show the name of the stage that begins."""
        self._stage, self._n_rounds = name, 0
        if self._bar is not None:
            self._bar.update(self._task, description=name)

    def advance(self, n_done: int, n_all: int) -> None:
        """Show how many fits or scores of a round are done."""
        text = self.describe(n_done, n_all)
        if self._bar is not None:
            self._bar.update(self._task, description=text)

    def describe(self, n_done: int, n_all: int) -> str:
        """Return words for the progress of the current round, and count the completed rounds.

        The number of rounds of a stage is not known in advance.
        """
        text = f"{self._stage} {n_done}/{n_all}, round {self._n_rounds + 1}"
        self._n_rounds += n_done == n_all
        return text
