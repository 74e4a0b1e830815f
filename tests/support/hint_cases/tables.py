"""Hints about the files of a table."""

import gzip
import os
from pathlib import Path

from support.hint_cases.places import letters, write_csv
from support.obeying import Case


def validate(name, *words):
    return ["validate", "--dataset", name, "--set", "dataset.min_rows=50", *words]


def encoding(name):
    return "--set", f"dataset.csv.encoding={name}"


def _accented(text):
    table = letters()
    return table.assign(text=text + table["text"])


def _undefined_bytes(_):
    """Latin-1 with a character that Windows has not."""
    return validate(
        write_csv("t.csv", _accented("\x81 "), encoding="latin-1"), *encoding("windows-1252")
    )


def _utf8_stated_as_windows(_):
    return validate(write_csv("t.csv", _accented("\xc1 ")), *encoding("windows-1252"))


def _latin(_):
    return validate(write_csv("t.csv", _accented("Grüße "), encoding="latin-1"))


def _nul_in_a_cell(_):
    """UTF-8 with a NUL in a cell, and an odd number of bytes."""
    text = letters().to_csv(index=False).replace("ask ", "ask\0", 1)
    Path("t.csv").write_bytes((text if len(text) % 2 else text.replace("ask", "asks", 1)).encode())
    return validate("t.csv", *encoding("utf-16"))


def _utf32(_):
    return validate(write_csv("t.csv", encoding="utf-32"))


def _marked_but_stated(_):
    return validate(write_csv("t.csv", encoding="utf-8-sig"), *encoding("windows-1252"))


def _packed_parquet(_):
    letters().to_parquet("plain.parquet")
    Path("packed.parquet").write_bytes(gzip.compress(Path("plain.parquet").read_bytes()))
    return validate("packed.parquet")


def another(name):
    """Return a change of the table to another one, as a hint that names `--dataset` asks."""
    return lambda _, words, __: [*words, "--dataset", name]


def _missing(_):
    write_csv("t.csv")
    return validate("t.cvs")


def _pipe(_):
    os.mkfifo("pipe.csv")
    write_csv("t.csv")
    return validate("pipe.csv")


def _folder(*names):
    def make(_):
        Path("parts").mkdir()
        for name in names:
            if name.endswith(".parquet"):
                letters().to_parquet(f"parts/{name}")
            else:
                write_csv(f"parts/{name}")
        return validate("parts")

    return make


def _rename(_, words, __):
    Path("parts/a.txt").rename("parts/a.csv")
    return words


def _no_row_fits(_):
    _, rest = letters().to_csv(index=False).split("\n", 1)
    Path("t.csv").write_text(f"text,intent,more\n{rest}")
    return validate("t.csv")


def _correct_header(_, words, outputs):
    header, _ = outputs[0].decode().split("\n", 1)
    rest = Path("t.csv").read_text().split("\n", 1)[1]
    Path("t.csv").write_text(f"{header.removesuffix(',more')}\n{rest}")
    return words


TABLES = (
    Case(
        "otherwise: --set dataset.csv.encoding=latin-1", _undefined_bytes, 3, take="otherwise: .*"
    ),
    Case(
        "if it is UTF-8 or UTF-16: --set dataset.csv.encoding=auto",
        _utf8_stated_as_windows,
        3,
        take=".*;",
    ),
    Case("--set dataset.csv.encoding=windows-1252", _latin, 3),
    Case("let the job find the encoding", _nul_in_a_cell, 3, name="utf-16"),
    Case("let the job find the encoding", _marked_but_stated, 3, name="mark"),
    Case(
        "convert it: `iconv -f UTF-32",
        _utf32,
        3,
        own={"FILE": "t.csv", "NEW": "new.csv"},
        change=another("new.csv"),
    ),
    Case(
        "decompress it: `{} FILE > NEW`",
        _packed_parquet,
        3,
        own={"FILE": "packed.parquet", "NEW": "new.parquet"},
        change=another("new.parquet"),
    ),
    Case("check --dataset (dataset.uri), and whether", _missing, 3, change=another("t.csv")),
    Case("and write the table to a file", _pipe, 3, change=another("t.csv")),
    Case("or rename the files so that they end in", _folder("a.txt"), 3, change=_rename),
    Case(
        "or use --dataset with a single file",
        _folder("a.csv", "b.parquet"),
        3,
        change=another("parts/a.csv"),
    ),
    Case(
        "`head -n 2 FILE` shows both",
        _no_row_fits,
        3,
        own={"FILE": "t.csv"},
        change=_correct_header,
    ),
)
