"""Patterns that read cells take time that grows with the length of a cell, not with its square."""

import random
import re
import time

import pytest

from job.adapters.tables.escapes import double_quotes, find_escape
from job.contracts.canonical_strings import CANONICALIZABLE
from job.model_form import terms
from job.stages.data import column_looks, time_notation
from job.stages.data.identifiers import find_identifiers
from job.stages.data.leakage_keys import normalize
from job.stages.data.templates import cut_at_slots, make_template

LENGTHS = (2_000, 8_000)
MAX_GROWTH = 8  # 4 if it is linear, 16 if it is quadratic
NEGLIGIBLE_SECONDS = 0.02  # a quadratic pattern takes longer for the longer text

UNITS = (
    *("may ", "usd ", "mar march ", "sept september ", "0 ", "0 may ", "may 0x ", "percent may "),
    *("1", "1.", "1,", "1 ", "1(", "1-", "1%", "12/", "2016/", "12:34 ", "+1 ", "$", "$1 "),
    *("a", "a ", "a b ", "a-", "a_", "a1", "_", "@", "a@", "1@", "://", "a://", "www.", "\t"),
    *(
        "[",
        "[1,",
        "2020-01-01 ",
        "jan",
        "\u00b2 ",
        "\ufdfa",
        "\u0301",
        "\u00df ",
        '\\"',
        "\\",
        '","',
    ),
)
FRAMES = (("", "!"), ("1 x ", " x"), ("x@ 123 ", "1 x"), ("a:// ", "\n1"))


MODULES = (column_looks, time_notation, terms)
PATTERNS = [p for m in MODULES for p in vars(m).values() if isinstance(p, re.Pattern)]


def match_looks(text):
    for pattern in (*PATTERNS, re.compile(CANONICALIZABLE)):
        pattern.fullmatch(text)


def find_escapes(text):
    find_escape(f'a,b\n"{text}', ",;\t|", is_complete=False)
    double_quotes(f'a,b\n"{text}', ",;\t|")


FUNCTIONS = (make_template, cut_at_slots, find_identifiers, normalize, match_looks, find_escapes)


def _cpu_seconds(function, text):
    times = []
    for _ in range(3):
        started = time.process_time()
        function(text)
        times.append(time.process_time() - started)
    return min(times)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("unit", UNITS, ids=ascii)
def test_time_grows_with_the_length(function, unit):
    """Four times the text takes at most eight times the processor time."""
    for before, after in FRAMES:
        short, long = (before + unit * (n // len(unit)) + after for n in LENGTHS)
        seconds = _cpu_seconds(function, long)

        is_linear = seconds <= MAX_GROWTH * _cpu_seconds(function, short)
        assert is_linear or seconds < NEGLIGIBLE_SECONDS, (before, after)


def test_mixed_units_take_linear_time():
    """The same holds for texts that mix the units."""
    generator = random.Random(0)
    for _ in range(10):
        some = generator.sample(UNITS, 3)
        text = "1 x " + "".join(generator.choices(some, k=40))
        for function in FUNCTIONS:
            short, long = (text * (n // len(text)) for n in LENGTHS)
            seconds = _cpu_seconds(function, long)

            is_linear = seconds <= MAX_GROWTH * _cpu_seconds(function, short)
            assert is_linear or seconds < NEGLIGIBLE_SECONDS, some
