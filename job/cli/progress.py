"""Show the stages of a run on a terminal: one line for each, with its seconds and its progress."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from job.logs import Verbosity

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console
    from rich.progress import Progress as Bar

_NAME_WIDTH: Final = 14


class _Signs(NamedTuple):
    ended: str
    failed: str
    spinner: str  # its name in rich


_UNICODE: Final = _Signs("✓", "✗", "dots")
_ASCII: Final = _Signs("+", "x", "line")


class Progress:
    """The lines of a run's stages on stderr; nothing is shown if stderr is not a terminal.

    The stage that runs has a live line.  A stage that has ended leaves a line with its seconds.
    """

    def __init__(self, verbosity: Verbosity = "normal") -> None:
        self._is_quiet = verbosity == "quiet"
        self._stage: str | None = None
        self._n_rounds = 0  # completed
        self._started = time.monotonic()
        self._signs = _ASCII
        self._console: Console | None = None
        self._bar: Bar | None = None  # rich is loaded only on a terminal

    def __enter__(self) -> Progress:
        """Show the first line at once, before the libraries of a run are loaded."""
        if self._console is None and not self._is_quiet and sys.stderr.isatty():
            self._show()
            self.begin_stage("loading")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: object, _traceback: TracebackType | None
    ) -> None:
        if kind is not None and self._stage is not None:
            self._leave_line(f"[red]{self._signs.failed}[/]", time.monotonic() - self._started)
            self._stage = None  # a caller that has entered first does not repeat the line
        self.stop()

    def stop(self) -> None:
        """Remove the live line and restore the terminal."""
        if self._bar is not None:
            self._bar.stop()

    def begin_stage(self, name: str) -> None:
        """Show the name of the stage that begins."""
        if self._stage == name == "loading":
            return  # shown since `__enter__`
        if self._stage == "loading":
            self.end_stage(self._stage, time.monotonic() - self._started)
        self._stage, self._n_rounds, self._started = name, 0, time.monotonic()
        if self._bar is not None:
            self._bar.reset(self._task, description=self._words, total=None)

    def end_stage(self, _name: str, seconds: float) -> None:
        """Leave a line with the seconds of the stage that has ended."""
        self._leave_line(f"[green]{self._signs.ended}[/]", seconds)
        self._stage = None

    def advance(self, n_done: int, n_all: int) -> None:
        """Show how many fits, scores or folds of a round are done."""
        self._describe(self.describe(n_done, n_all))

    def describe(self, n_done: int, n_all: int) -> str:
        """Return words for the progress of the current round, and count the completed rounds.

        The number of rounds of a stage is not known in advance.
        """
        text = f"{self._words:<{_NAME_WIDTH}} {n_done}/{n_all}, round {self._n_rounds + 1}"
        self._n_rounds += n_done == n_all
        return text

    @property
    def _words(self) -> str:
        return (self._stage or "").replace("_", " ")

    def _show(self) -> None:
        from rich.console import Console
        from rich.progress import Progress as Bar
        from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.table import Column

        if (sys.stderr.encoding or "").lower().replace("-", "") == "utf8":
            self._signs = _UNICODE
        self._console = Console(stderr=True, highlight=False)
        # NOTE: a live line replaces sys.stderr, so that warnings and log lines scroll above it
        self._bar = Bar(
            SpinnerColumn(self._signs.spinner),
            TextColumn("{task.description}", table_column=Column(no_wrap=True)),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._task = self._bar.add_task("", total=None)
        self._bar.start()

    def _describe(self, text: str) -> None:
        if self._bar is not None:
            self._bar.update(self._task, description=text)

    def _leave_line(self, sign: str, seconds: float) -> None:
        if self._console is None:
            return
        line = f"{sign} {self._words:<{_NAME_WIDTH}} {seconds:7.1f} s"
        self._console.print(line, no_wrap=True, overflow="ellipsis")
