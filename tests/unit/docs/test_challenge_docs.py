"""The figures of docs/challenge-set.md are computed, not remembered."""

import math
import re
from pathlib import Path

from job.stages.training.challenge_threshold import count_needed_answers

PAGE = (Path(__file__).parents[3] / "docs/challenge-set.md").read_text()


def test_half_widths_are_those_of_the_normal_interval():
    rows = re.findall(r"^\| (\d+) \| (\.\d+) \| (\.\d+) \|$", PAGE, re.MULTILINE)

    assert 6 == len(rows)
    for n, *widths in rows:
        expected = [1.96 * math.sqrt(p * (1 - p) / int(n)) for p in (0.8, 0.9)]
        assert [f"{value:.3f}"[1:] for value in expected] == widths


def test_numbers_of_answers_are_those_that_the_job_tells():
    rows = re.findall(r"^\| (1\.00|\.\d\d) \| (\d+) \|$", PAGE, re.MULTILINE)

    assert 5 == len(rows)
    assert [int(n) for _, n in rows] == [
        count_needed_answers(0.95, 0.95, float(s)) for s, _ in rows
    ]
