"""The lines of the stages on a terminal: what they say, and what they leave."""

import io
import sys

import pytest

from job.cli.progress import Progress


class Terminal(io.TextIOWrapper):
    def __init__(self, encoding="utf-8"):
        super().__init__(io.BytesIO(), encoding=encoding)

    def isatty(self):
        return True

    @property
    def text(self):
        self.flush()
        return self.buffer.getvalue().decode(self.encoding)


@pytest.fixture
def open_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")  # no live line, only the lines that stay
    monkeypatch.setenv("NO_COLOR", "1")

    def open_stderr(encoding="utf-8"):  # in the test: pytest sets stderr after the fixtures
        stream = Terminal(encoding)
        monkeypatch.setattr(sys, "stderr", stream)
        return stream

    return open_stderr


def test_progress_of_a_stage_counts_its_rounds():
    """The search fits and scores all candidates in one fold after the other."""
    progress = Progress()
    progress.begin_stage("search")
    lines = [progress.describe(n, 2) for _fold in range(2) for n in (1, 2)]

    assert [f"search         {n}/2, round {k}" for k in (1, 2) for n in (1, 2)] == lines


def test_progress_of_the_next_stage_starts_at_one():
    """Each has its own count."""
    progress = Progress()
    progress.begin_stage("search")
    progress.describe(2, 2)
    progress.begin_stage("cross_fit")

    assert "cross fit      1/3, round 1" == progress.describe(1, 3)


def test_stage_that_ended_leaves_its_seconds(open_terminal):
    """Loading ends when the first stage begins."""
    terminal = open_terminal()
    with Progress() as progress:
        progress.begin_stage("out_of_fold")
        progress.end_stage("out_of_fold", 2.34)

    lines = [line for line in terminal.text.splitlines() if line]
    assert ["✓ loading            0.0 s", "✓ out of fold        2.3 s"] == lines


def test_loading_that_a_run_times_is_one_line(open_terminal):
    """It is shown before the run starts."""
    terminal = open_terminal()
    with Progress() as progress:
        progress.begin_stage("loading")
        progress.end_stage("loading", 1.0)
        progress.begin_stage("ingest")
        progress.end_stage("ingest", 0.5)

    assert ["loading", "ingest"] == [line.split()[1] for line in terminal.text.splitlines() if line]


def test_stage_that_failed_is_marked(open_terminal):
    """A person sees where the run ended."""
    terminal = open_terminal()
    with pytest.raises(ValueError, match="no"), Progress() as progress, progress:
        progress.begin_stage("search")
        raise ValueError("no")

    assert 1 == terminal.text.count("✗ search")


def test_terminal_without_the_signs_gets_others(open_terminal):
    """No character is lost in an encoding such as ASCII."""
    stream = open_terminal("ascii")
    with Progress() as progress:
        progress.begin_stage("search")
        progress.end_stage("search", 1.0)

    assert ["+ loading", "+ search"] == [
        " ".join(x.split()[:2]) for x in stream.text.splitlines() if x
    ]


@pytest.mark.parametrize("verbosity", ["quiet", "normal"])
def test_nothing_is_shown_off_a_terminal_or_with_quiet(monkeypatch, open_terminal, verbosity):
    """Log collectors get events instead."""
    terminal = open_terminal()
    if verbosity == "normal":
        monkeypatch.setattr(terminal, "isatty", lambda: False)
    with Progress(verbosity) as progress:
        progress.begin_stage("search")
        progress.advance(1, 2)
        progress.end_stage("search", 1.0)

    assert "" == terminal.text
