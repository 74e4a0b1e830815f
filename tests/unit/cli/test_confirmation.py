"""What a person must confirm on a terminal, and the reason that is stored."""

import io
import sys

import pytest
import typer

from job.cli.confirmation import ask, check_reason
from job.errors import ConfigurationError


class Terminal(io.StringIO):
    def isatty(self):
        return True


def answer(monkeypatch, text, *, stderr=None):
    monkeypatch.setattr(sys, "stdin", Terminal(text))
    monkeypatch.setattr(sys, "stderr", stderr or Terminal())


def test_yes_goes_on(monkeypatch):
    """The question is on stderr, because stdout has the result."""
    answer(monkeypatch, "y\n")
    ask("move it?", is_sure=False)

    assert "move it? [y/N]" in sys.stderr.getvalue()


@pytest.mark.parametrize("text", ["n\n", "\n", ""])
def test_anything_else_aborts(monkeypatch, text):
    """The default is no."""
    answer(monkeypatch, text)

    with pytest.raises(typer.Abort):
        ask("move it?", is_sure=False)


def test_nothing_is_asked_with_yes(monkeypatch):
    """`--yes` has answered."""
    answer(monkeypatch, "n\n")
    ask("move it?", is_sure=True)

    assert "" == sys.stderr.getvalue()


def test_nothing_is_asked_off_a_terminal(monkeypatch):
    """Nobody could answer in a job or in a pipe."""
    answer(monkeypatch, "n\n", stderr=io.StringIO())
    ask("move it?", is_sure=False)

    assert "" == sys.stderr.getvalue()


def test_reason_is_one_line():
    """Line breaks become spaces."""
    assert "agreed with Ada" == check_reason(" agreed\nwith  Ada ", "--reason")


@pytest.mark.parametrize("reason", ["", " \n", "x" * 501, "\x1b[31m", "a\u202eb"])
def test_reason_that_cannot_be_shown_is_refused(reason):
    """The message names the option."""
    with pytest.raises(ConfigurationError, match="--reason needs a reason of 1 to 500"):
        check_reason(reason, "--reason")
