"""What is shown on a terminal and to a log collector; names of the data are escaped."""

import io
import json
import sys

import pytest
import structlog
from support.reports import HOSTILE

from job.logs import configure_logs


class Stream(io.StringIO):
    def __init__(self, is_terminal):
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self):
        return self._is_terminal


@pytest.mark.parametrize("is_terminal", [True, False])
def test_names_of_the_data_do_not_control_the_terminal(monkeypatch, is_terminal):
    """Neither alone nor in a list; colors of the log itself are not affected."""
    stream = Stream(is_terminal)
    monkeypatch.setattr(sys, "stderr", stream)
    configure_logs("info", "verbose")
    structlog.get_logger().info("told", name="".join(HOSTILE), names=list(HOSTILE))
    structlog.reset_defaults()

    assert not set(stream.getvalue()) & set("\u202e\u2066\u200b\x07\x00")
    assert "\x1b[31mnul" not in stream.getvalue()


def render_on_terminal(monkeypatch, verbosity, *, is_result_shown=False):
    stream = Stream(is_terminal=True)
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(sys, "stdout", Stream(is_terminal=is_result_shown))
    configure_logs("info", verbosity)
    log = structlog.get_logger()
    log.info("table_read", n_rows=3)
    log.warning("rare_classes_dropped", n_classes=2, n_rows=7)
    log.warning("candidate_rejected", reason="too low")
    log.error("record_incomplete", invalid_fields=["b", "a"])
    structlog.reset_defaults()
    return stream.getvalue().splitlines()


def test_terminal_shows_warnings_as_one_readable_line_each(monkeypatch):
    """Only `-v` shows the log."""
    assert [
        "warning: rare classes dropped (n_classes 2; n_rows 7)",
        "warning: candidate rejected: too low",
        "error: record incomplete (invalid_fields a, b)",
    ] == render_on_terminal(monkeypatch, "normal")


def test_warning_that_the_result_repeats_is_not_shown_twice(monkeypatch):
    """This is so if the result is shown on the same terminal."""
    lines = render_on_terminal(monkeypatch, "normal", is_result_shown=True)

    assert 2 == len(lines)


def test_quiet_terminal_shows_errors_only(monkeypatch):
    """`-q` leaves out warnings."""
    lines = render_on_terminal(monkeypatch, "quiet")

    assert ["error: record incomplete (invalid_fields a, b)"] == lines


def test_verbose_terminal_shows_the_log(monkeypatch):
    """`-v` shows every event with its level."""
    assert "table_read" in render_on_terminal(monkeypatch, "verbose")[0]


def test_quiet_log_collector_gets_errors_only(monkeypatch):
    """The form of the lines does not change."""
    stream = Stream(is_terminal=False)
    monkeypatch.setattr(sys, "stderr", stream)
    configure_logs("debug", "quiet")
    structlog.get_logger().warning("rare_classes_dropped")
    structlog.get_logger().error("record_incomplete")
    structlog.reset_defaults()

    assert ["record_incomplete"] == [json.loads(v)["event"] for v in stream.getvalue().splitlines()]
