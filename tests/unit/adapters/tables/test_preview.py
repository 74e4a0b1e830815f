"""A preview has the columns and the first cells of a table, and loads no heavy library for CSV."""

import csv
import datetime
import gzip
import io
import subprocess
import sys
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from job.adapters.tables.preview import read_preview
from job.contracts.settings.dataset import CsvSpec, ReadLimits
from job.errors import ConfigurationError, DatasetNotFoundError, DatasetUnreadableError

ROWS = [("hello, you; and\tyou | all", "a"), ('she said "no"\nand left', "b"), ("", "a")]


def as_csv(rows, delimiter=","):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode()


def preview(folder, name, content, **options):
    path = folder / name
    path.write_bytes(content)
    return read_preview(path, str(path), CsvSpec(), **options)


def cells_of(table):
    return {column.name: column.cells for column in table.columns}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
def test_small_csv_is_complete(delimiter, name, tmp_path):
    """An empty cell is missing; the number of rows is known, because the file was read."""
    content = as_csv([("comment", "label"), *ROWS], delimiter)
    content = gzip.compress(content) if name.endswith(".gz") else content
    table = preview(tmp_path, name, content)

    assert {"comment": (ROWS[0][0], ROWS[1][0], None), "label": ("a", "b", "a")} == cells_of(table)
    assert ("csv", delimiter, "utf-8", 3) == (
        table.format,
        table.delimiter,
        table.encoding,
        table.n_rows,
    )
    assert ("comment", "label") == table.names


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16"])
def test_byte_order_mark_is_no_part_of_the_first_name(codec, tmp_path):
    """It tells the encoding."""
    table = preview(tmp_path, "t.csv", "text,intent\né,a\n".encode(codec))

    assert (("text", "intent"), ("é",)) == (table.names, table.columns[0].cells)
    assert codec.removesuffix("-sig") == table.encoding


def test_number_of_cells_is_bounded(tmp_path):
    """The number of rows is still known if the file is small."""
    table = preview(tmp_path, "t.csv", as_csv([("text", "intent")] + ROWS * 10), max_rows=4)

    assert (4, 30) == (len(table.columns[0].cells), table.n_rows)


def test_large_csv_is_read_at_its_beginning(tmp_path):
    """The row that the bound cuts is left out."""
    rows = [(f"{n:06d}" + "x" * 1000, "a") for n in range(5000)]
    table = preview(tmp_path, "t.csv", as_csv([("text", "intent"), *rows]), max_rows=10_000)

    cells = table.columns[0].cells
    assert [row[0] for row in rows[: len(cells)]] == list(cells)
    assert 2000 < len(cells) < 2100
    assert table.n_rows is None


def test_huge_cell_and_wide_header_are_read(tmp_path):
    """A cell that is larger than the bound ends the preview; the limit of columns can be raised."""
    huge = preview(tmp_path, "h.csv", as_csv([("a", "b"), ("1", "2"), ("x" * 5_000_000, "3")]))
    header = [f"column_{n}" for n in range(200_000)]
    limits = ReadLimits(max_columns=200_000)
    wide = preview(tmp_path, "w.csv", as_csv([header, ["1"] * len(header)]), limits=limits)

    assert {"a": ("1",), "b": ("2",)} == cells_of(huge)
    assert (200_000, ("1",)) == (len(wide.columns), wide.columns[-1].cells)


def test_rows_that_do_not_fit_the_header_are_left_out(tmp_path):
    """The full read refuses them and counts them."""
    table = preview(tmp_path, "t.csv", b"text,intent\na\n\nb,c\nd,e,f\n")

    assert {"text": ("b",), "intent": ("c",)} == cells_of(table)


@pytest.mark.parametrize(
    ("name", "content", "problem", "help"),
    [
        ("t.csv", b"", "is empty", "export has finished"),
        ("t.csv", b"\n\n", "is empty", "export has finished"),
        ("t.csv.gz", gzip.compress(b""), "is empty", "export has finished"),
        ("t.csv", gzip.compress(b"a,b\n"), "is compressed with gzip, but", "in .csv.gz"),
        ("t.tsv", gzip.compress(b"a,b\n"), "is compressed with gzip, but", "in .tsv.gz"),
        ("t.csv.gz", b"a,b\n", "is not compressed with gzip, but", "in .csv,"),
        ("t.csv.gz", gzip.compress(b"a,b\n" * 99)[:20], "is not a readable CSV", "SHA-256"),
        (
            "t.csv",
            b"a,b\n\xe9,\xe9\n1,2\n",
            "1 cell of column 1, 1 cell of column 2",
            "windows-1252",
        ),
        ("t.csv", b"\xe9,b\n1,2\n", "is not UTF-8 text: the header", "windows-1252"),
        ("t.csv", "a,b\n".encode("utf-16")[:-1], "is not UTF-16 text", "as UTF-8 text"),
        ("t.csv", "a,b\n".encode("utf-32"), "is UTF-32", "iconv -f UTF-32"),
        ("t.csv", b'"' + b"a,b\n" * 5_000_000, "longer than 16 MB, or an unclosed quote", "quoted"),
        ("t.parquet", b"", "is empty", "export has finished"),
        ("t.parquet", b"PAR1" * 9, "is not a readable Parquet", "SHA-256"),
        ("t.parquet", gzip.compress(b"PAR1"), "is compressed with gzip, but", "gzip -dc"),
    ],
)
def test_damaged_file_is_refused(name, content, problem, help, tmp_path):
    """The message is that of the full read."""
    with pytest.raises(DatasetUnreadableError, match=problem) as caught:
        preview(tmp_path, name, content)

    assert help in caught.value.hint


def test_known_names_are_shown(tmp_path):
    """Other columns are numbered, because their names may be cells."""
    with pytest.raises(DatasetUnreadableError, match="1 cell of 'text'"):
        preview(tmp_path, "t.csv", b"text,b\n\xe9,1\n", known_names=frozenset({"text"}))


def test_file_that_is_no_table_is_refused(tmp_path):
    """It is absent, or its name does not state a format."""
    with pytest.raises(DatasetNotFoundError, match="does not exist"):
        read_preview(tmp_path / "absent.csv", "absent.csv", CsvSpec())
    with pytest.raises(ConfigurationError, match="does not show whether it is CSV or Parquet"):
        preview(tmp_path, "t.xlsx", b"x")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_first_file_of_a_folder_is_read(ending, tmp_path):
    """How many rows the other files have is unknown."""
    for name in ("b", "a"):
        path = tmp_path / f"{name}.{ending}"
        table = pa.table({name: ["1"]})
        path.write_bytes(f"{name}\n1\n".encode()) if ending == "csv" else pq.write_table(
            table, path
        )
    table = read_preview(tmp_path, "folder", CsvSpec())

    assert ({"a": ("1",)}, None) == (cells_of(table), table.n_rows)


WHEN = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
COLUMNS = {
    "large": (pa.array(["a", None], pa.large_string()), "text", ("a", None)),
    "blank": (pa.array(["", "b"]), "text", (None, "b")),
    "coded": (pa.array(["a", "b"]).dictionary_encode(), "text", ("a", "b")),
    "whole": (pa.array([1, None]), "number", (1.0, None)),
    "not a number": (pa.array([1.5, np.nan]), "number", (1.5, None)),
    "half": (pa.array(np.array([0.5, 2], np.float16)), "number", (0.5, 2.0)),
    "decimal": (pa.array([Decimal("1.50"), None]), "number", (1.5, None)),
    "truth": (pa.array([True, None]), "boolean", (True, None)),
    "zone": (
        pa.array([WHEN, None], pa.timestamp("ns", "Europe/Berlin")),
        "time",
        ("2026-01-02T03:04:05.000000000Z", None),
    ),
    "no zone": (
        pa.array([datetime.datetime(2026, 1, 2), None], pa.timestamp("s")),
        "time",
        ("2026-01-02T00:00:00.000", None),
    ),
    "day": (pa.array([datetime.date(2026, 1, 2), None]), "time", ("2026-01-02", None)),
    "list": (pa.array([[1.0, 2.0], None], pa.list_(pa.float32())), "list", (2, None)),
    "large list": (pa.array([[1.0], []], pa.large_list(pa.float64())), "list", (1, 0)),
    "fixed": (pa.array([[1, 2], None], pa.list_(pa.int8(), 2)), "list", (2, None)),
    "words": (pa.array([["a"], None]), "other", ("list<element: string>", None)),
    "struct": (pa.array([{"a": 1}, None]), "other", ("struct<a: int64>", None)),
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_cells_of_parquet(kind, tmp_path):
    """Each Arrow type has one of the types of a preview."""
    array, expected_type, cells = COLUMNS[kind]
    pq.write_table(pa.table({kind: array}), tmp_path / "t.parquet")
    table = read_preview(tmp_path / "t.parquet", "t", CsvSpec())

    [column] = table.columns
    assert (kind, expected_type, cells) == (column.name, column.type, column.cells)
    assert ("parquet", 2, None) == (table.format, table.n_rows, table.delimiter)


def test_parquet_is_read_in_several_row_groups(tmp_path):
    """A table sorted by label shows several labels; a table of no row group has no cells."""
    table = pa.table({"n": range(1000)})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=100)
    pq.write_table(table.slice(0, 0), tmp_path / "none.parquet")
    [column] = read_preview(tmp_path / "t.parquet", "t", CsvSpec(), max_rows=10).columns
    none = read_preview(tmp_path / "none.parquet", "t", CsvSpec())

    assert (0, 1, 2, 300, 301, 302, 600, 601, 602, 900, 901, 902) == column.cells
    assert ({"n": ()}, 0) == (cells_of(none), none.n_rows)


def test_text_of_parquet_that_is_not_utf8_is_replaced(tmp_path):
    """A run may not need the column."""
    broken = pa.array([b"\xe9", b"a"]).view(pa.string())
    pq.write_table(pa.table({"text": broken}), tmp_path / "t.parquet")

    assert {"text": ("\ufffd", "a")} == cells_of(
        read_preview(tmp_path / "t.parquet", "", CsvSpec())
    )


def test_preview_of_csv_loads_no_heavy_library(tmp_path):
    """It must be quick, because it comes before a run."""
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(as_csv([("text", "intent"), *ROWS])))
    code = """
import sys
from pathlib import Path
from job.adapters.tables.preview import read_preview
from job.contracts.settings.dataset import CsvSpec
read_preview(Path(sys.argv[1]), "t", CsvSpec())
print(sorted({"numpy", "pandas", "pyarrow"} & set(sys.modules)))
"""
    path = str(tmp_path / "t.csv.gz")
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)

    assert "[]" == done.stdout.strip(), done.stderr
