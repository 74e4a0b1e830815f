"""Hostile tables end in documented exit codes, and no row is lost; the fuzzer finds what does not."""

import random

import pytest

from benchmarks import table_fuzz
from benchmarks.hostile_cells import CANARY
from benchmarks.hostile_tables import TableCase, make_table
from benchmarks.table_fuzz import find_bug, fuzz
from job.adapters.tables import parts

VALIDATE = ("validate", "--dataset", "table.csv", "-o", "json", "--set", "dataset.min_rows=1")


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Write a table of 80 rows into the working directory."""
    monkeypatch.chdir(tmp_path)
    rows = [f"{'ab'[n % 2]},delete my data number {n} {CANARY}" for n in range(80)]
    (tmp_path / "table.csv").write_text("\n".join(["intent,text", *rows]) + "\n")


def test_hostile_tables_end_in_documented_exit_codes():
    """No traceback, no exit code 1, no hang, no lost row, no cell in a message, bounded memory."""
    assert {} == fuzz(300)


def test_cases_differ_and_repeat(tmp_path):
    """A number and a seed always make the same case."""

    def make_cases(name):
        cases = []
        for number in range(30):
            folder = tmp_path / name / str(number)
            folder.mkdir(parents=True)
            case = make_table(random.Random(f"0/{number}"), folder)
            files = {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
            cases.append((len(case.arguments), case.n_rows, files))
        return cases

    cases = make_cases("first")
    assert cases == make_cases("second")
    assert len(set(map(repr, cases))) > 25


def test_sound_table_is_no_bug(table):
    assert find_bug(TableCase(arguments=VALIDATE, n_rows=80)) is None


def test_lost_row_is_found(table):
    """Positive control: one row less than were written is reported."""
    bug = find_bug(TableCase(arguments=VALIDATE, n_rows=81))

    assert bug == "reads another number of rows than were written"


def test_traceback_is_found(table, monkeypatch):
    """Positive control: a reader that raises anything else is reported."""

    def fail(*_):
        raise RecursionError("too deep")

    monkeypatch.setattr(parts, "find_dialect", fail)

    assert "RecursionError" in find_bug(TableCase(arguments=VALIDATE, n_rows=80))


def test_cell_in_a_message_is_found(table, monkeypatch):
    """Positive control: a command that writes the canary is reported."""
    monkeypatch.setattr(table_fuzz, "CANARY", "expect_table_row_count")

    assert find_bug(TableCase(arguments=VALIDATE, n_rows=80)) == "writes text of a cell"


def test_memory_beyond_the_bound_is_found(table, monkeypatch):
    """Positive control: a command that takes more memory than the bound is reported."""
    monkeypatch.setattr(table_fuzz, "MAX_BYTES", -1)

    assert "memory" in find_bug(TableCase(arguments=VALIDATE, n_rows=80))
