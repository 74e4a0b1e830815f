"""Values and names that cells and headers of a table should not contain."""

from __future__ import annotations

import random
from typing import Final

CANARY: Final = "qzcanaryqz"  # marks every text that comes from a cell
LABELS: Final = ("delete", "export", "opt_out", "correct")
_WORDS: Final = (
    *("please", "delete", "export", "my", "account", "data", "today", "all", "the", "old", "last"),
    *(
        "stored",
        "records",
        "of",
        "year",
        "because",
        "send",
        "correct",
        "address",
        "stop",
        "sharing",
    ),
)
_LOOKS_LIKE_VALUES: Final = (
    *("nan", "NaN", "None", "null", "NULL", "NA", "N/A", r"\N", "#N/A", "-", "", " ", "\t", "  "),
    *("true", "yes", "no", "off", "0", "1", "-1", "1e400", "-0.0", "inf", "0x10", "1_000", "١٢"),
    *("3,15", "1,200.5", "1.200,5", "12%", "$5", "1 200", "1e5", "+5", "5-", "(5)", "½"),
    *("31/12/2026", "2026-13-01", "20261201", "1764550534", "46357", "Dec 1, 2026", "0001-01-01"),
    *("9999-12-31T23:59:59Z", "2026-12-01T25:00", "2026-12-01T00:00:00.123456789Z", "24:00"),
    *("[1, 2", "[1, 2]", "[]", "[[1]]", '["a"]', "[NaN]", "[1e999]", "{}", "[" * 500, "9" * 400),
)
_HARD_TEXTS: Final = (
    *('"', '""', "'", '\\"', "\\", ",", ";", "|", "\n", "\r", "\r\n", "\n\n", 'a"b', '"a" b', ","),
    *("a,b\nc,d", "delete,x\nexport,y", '"a\n"', "\x00", "a\x00", "\ufeff", "\u200b", "\u00ad"),
    *(
        "\u2028",
        "\x85",
        "\x1b[31m",
        "\x0c",
        "\u202e",
        "e\u0301",
        "é",
        "İ",
        "ς",
        "中",
        "😀",
        "\ufffd",
    ),
    *("=1+1", "@SUM(A1)", "<script>", "{0}", "%s", "$HOME", "../x", "a" * 5000, "ab " * 3000),
    *("may " * 500, "-" * 3000, "1" * 3000, "12/" * 1000, "@" * 2000, "a@" * 1000, "\n" * 500),
)
NAMES: Final = (
    *(
        "",
        " ",
        "text",
        "Text",
        "text ",
        "te\u200bxt",
        "\ufefftext",
        "intent",
        "label",
        "a,b",
        '"',
        "\n",
    ),
    *(
        "x" * 3000,
        "\x1b[31m",
        "\x00",
        "é",
        "e\u0301",
        "emb_0",
        "emb_1",
        "emb_01",
        "emb_x",
        "0",
        "1.5",
    ),
    *("__index_level_0__", "timestamp", "id", "target", "constructor", "column 1", "nan", "None"),
)


def sentence(rng: random.Random) -> str:
    """Return a short text with the canary."""
    return " ".join([*rng.choices(_WORDS, k=rng.randint(3, 9)), f"{CANARY}{rng.randint(0, 9999)}"])


def hostile_text(rng: random.Random) -> str:
    """Return a text that a cell should not contain; some have the canary."""
    value = rng.choice(rng.choice((_LOOKS_LIKE_VALUES, _HARD_TEXTS)))
    if rng.random() < 0.5:
        return value
    return rng.choice((f"{CANARY}{value}", f"{value}{CANARY}", f"{CANARY} {value} {CANARY}"))
