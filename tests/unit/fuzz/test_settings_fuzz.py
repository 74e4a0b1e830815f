"""Hostile settings end in documented exit codes; the fuzzer finds what does not."""

import random

from benchmarks.hostile_settings import Case, make_case
from benchmarks.settings_fuzz import find_bug, fuzz
from job import settings


def test_hostile_settings_end_in_documented_exit_codes():
    """No traceback, no exit code 1, no hang, no long message, no control character."""
    assert {} == fuzz(300)


def test_cases_differ_and_repeat(tmp_path):
    """A number and a seed always make the same case."""
    cases = [make_case(random.Random(f"0/{n}"), tmp_path) for n in range(50)]

    assert cases == [make_case(random.Random(f"0/{n}"), tmp_path) for n in range(50)]
    assert len(set(map(repr, cases))) > 45


def test_traceback_is_found(tmp_path, monkeypatch):
    """Positive control: a command that raises anything else is reported."""

    def fail(*_):
        raise RecursionError("too deep")

    monkeypatch.setattr(settings, "parse_yaml", fail)
    case = Case(
        arguments=("config", "check", "--set", "split.salt=x"), environment={}, content=None
    )

    assert "RecursionError" in find_bug(case, tmp_path)
