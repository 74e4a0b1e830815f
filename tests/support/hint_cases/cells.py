"""Hints about cells: their size, quotes, notation, and words that look like missing values."""

import bz2
import gzip
from pathlib import Path

import pandas as pd
from support.hint_cases.columns import STATED
from support.hint_cases.places import letters, write_csv
from support.hint_cases.runs import run_of
from support.hint_cases.tables import another, validate
from support.obeying import Case
from support.small_runs import write_letters

from job.samples import write_sample

NULL_TIME = "--set dataset.columns.timestamp=null"


def _folder_in_itself(_):
    Path("parts").mkdir()
    write_csv("parts/a.csv")
    Path("parts/loop").symlink_to(".")
    return validate("parts", *STATED)


def _remove_link(_, command, __):
    Path("parts/loop").unlink()
    return command


def _late_backslash(cell):
    """A backslash before a quote, after the beginning that is looked at for the dialect."""

    def first(_):
        rows = ["ask zu zu zu zu zu,ask\n", "drop zu zu zu zu,drop\n"] * 20_000
        rows[39_000] = f"{cell},ask\n"
        Path("t.csv").write_text("text,intent\n" + "".join(rows))
        return validate("t.csv", *STATED)

    return first


def _words_as_labels(_):
    table = letters()
    table["intent"] = table["intent"].replace("stop", "NA")
    return validate(write_csv("t.csv", table), *STATED)


def _control_in_header(_):
    return validate(write_csv("t.csv", letters().rename(columns={"text": "te\x01xt"})), *STATED)


def _large_cell(_):
    table = letters()
    table.loc[3, "text"] = "zu " * 400_000
    return validate(write_csv("t.csv", table), *STATED)


def _absent_time(_):
    return validate(write_csv("t.csv"), *STATED, "--set", "dataset.columns.timestamp=when")


def _open_quote(_):
    """A quote that is not closed takes ten rows into one cell."""
    rows = [f"ask zu {n},ask" for n in range(150)] + [f"drop zu {n},drop" for n in range(150)]
    rows[20] = f'"{rows[20]}'
    rows[30] = rows[30].replace(",", '",')
    Path("t.csv").write_text("text,intent\n" + "\n".join(rows) + "\n")
    return validate("t.csv", *STATED)


def _decimal_commas(_):
    table = letters(amount=[f"{n},15" for n in range(60)])
    given = ("--set", "features.use=[text, numeric]", "--set", "dataset.columns.numeric=[amount]")
    return validate(write_csv("t.csv", table), *STATED, *given)


def _days_first(_):
    days = pd.date_range("2026-01-01", periods=60).strftime("%d/%m/%Y")
    given = ("--set", "dataset.columns.timestamp=when")
    return validate(write_csv("t.csv", letters(when=days)), *STATED, *given)


def _few_texts():
    """Labels in the column of the texts, and the texts in another one."""
    table = write_letters()
    return table.assign(text=table["intent"], kind=table["intent"], body=table["text"])


def _packed_by_bzip2(_):
    letters().to_parquet("plain.parquet")
    Path("packed.parquet").write_bytes(bz2.compress(Path("plain.parquet").read_bytes()))
    return validate("packed.parquet")


def _without_time(_):
    """The upstream's suite for a table without the upstream's column of times."""
    write_sample(Path("s.parquet"), n_rows=300, seed=3, is_csv=False, projection_seed=3)
    pd.read_parquet("s.parquet").drop(columns="timestamp").to_parquet("t.parquet")
    given = ("features.use=[embeddings]", "expectations.suite=curated_training_data")
    return validate("t.parquet", *(word for value in given for word in ("--set", value)))


def _invisible_in_header(_):
    table = letters().rename(columns={"text": "te\u200bxt"})
    return validate(write_csv("t.csv", table), *STATED)


def _packed(name, *others):
    def first(_):
        Path("parts").mkdir()
        letters().to_parquet("plain.parquet")
        Path(name).write_bytes(gzip.compress(Path("plain.parquet").read_bytes()))
        for other in others:
            letters().to_parquet(other)
        return validate(name if not name.startswith("parts") else "parts", *STATED)

    return first


def _remove_packed(_, command, __):
    Path("parts/t.parquet.gz").unlink()
    return command


CELLS = (
    Case(
        "decompress it: `{} FILE > NEW`",
        _packed_by_bzip2,
        3,
        own={"FILE": "packed.parquet", "NEW": "new.parquet"},
        change=another("new.parquet"),
        name="bzip2",
    ),
    Case("remove the link, or name the folder", _folder_in_itself, 3, change=_remove_link),
    Case(
        "--set dataset.csv.escape=backslash",
        _late_backslash('"\\"zu\\""'),
        3,
        take="--set dataset.csv.escape=backslash",
    ),
    Case(
        "if backslashes are text: --set dataset.csv.escape=none",
        _late_backslash('"\\"zu\\""'),
        3,
        take="if backslashes.*",
    ),
    Case(
        ", or list the label: --set",
        _words_as_labels,
        0,
        take="or list the label.*",
        own={"A": "ask, drop", "B": "NA"},
    ),
    Case(
        "//g' FILE` removes it", _control_in_header, 4, take="`LC_ALL[^`]*`", own={"FILE": "t.csv"}
    ),
    Case(
        "if the cell is correct: --set dataset.max_cell_bytes={}",
        _large_cell,
        3,
        take="if the cell.*",
    ),
    Case(
        "if the table has no such column: --set", _absent_time, 4, take="if the table has no[^;]*"
    ),
    Case(
        "or none with --set dataset.columns.{}=null",
        _without_time,
        0,
        take="none with --set.*",
    ),
    Case(
        "--set 'dataset.aliases={{}: {}}'",
        _invisible_in_header,
        4,
        take="--set 'dataset.aliases={[^C'][^']*'",
    ),
    Case(
        "convert it: `{}`",
        _packed("t.parquet.gz"),
        2,
        own={"FILE": "t.parquet.gz", "NEW": "new"},
        change=another("new.parquet"),
        name="file",
    ),
    Case(
        "convert it: `{}`",
        _packed("parts/t.parquet.gz", "parts/a.parquet"),
        3,
        own={"FILE": "parts/t.parquet.gz", "NEW": "parts/new"},
        change=_remove_packed,
        take="convert it: `[^`]*`",
        name="one of a folder",
        then=3,
        later="the same",
    ),
    Case(
        "convert them: `{}`",
        _packed("parts/t.parquet.gz"),
        3,
        own={"FILE": "parts/t.parquet.gz", "NEW": "parts/new"},
        change=_remove_packed,
        name="folder",
    ),
    Case("accept them with --set", _open_quote, 4, own={"SHARE": "0.1"}),
    Case("--set 'dataset.csv.{}'", _decimal_commas, 4, take="--set 'dataset.csv[^']*'"),
    Case("or use none with " + NULL_TIME, _days_first, 0, take=NULL_TIME),
    Case(
        "are two columns swapped? --set dataset.columns.target=COLUMN --set dataset.columns.text=COLUMN name them. Do",
        run_of(_few_texts),
        5,
        own={"target=COLUMN": "target=kind", "text=COLUMN": "text=body"},
    ),
)
