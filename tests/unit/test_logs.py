"""The progress line shows how far a stage is, and names of the data are escaped in all logs."""

import io
import sys

import pytest
import structlog
from support.reports import HOSTILE

from job.logs import Progress, configure_logs


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
    configure_logs("info")
    structlog.get_logger().info("told", name="".join(HOSTILE), names=list(HOSTILE))
    structlog.reset_defaults()

    assert not set(stream.getvalue()) & set("\u202e\u2066\u200b\x07\x00")
    assert "\x1b[31mnul" not in stream.getvalue()


def test_progress_of_a_stage_counts_its_rounds():
    """The search fits and scores all candidates in one fold after the other."""
    progress = Progress()
    progress.begin_stage("search")
    lines = [progress.describe(n, 2) for _fold in range(2) for n in (1, 2)]

    assert [f"search {n}/2, round {k}" for k in (1, 2) for n in (1, 2)] == lines


def test_progress_of_the_next_stage_starts_at_one():
    """Each has its own count."""
    progress = Progress()
    progress.begin_stage("search")
    progress.describe(2, 2)
    progress.begin_stage("train")

    assert "train 1/3, round 1" == progress.describe(1, 3)
