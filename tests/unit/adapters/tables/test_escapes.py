r"""Quotes that are written as `\"` are read as quotes, and backslashes in texts are kept."""

import csv
import gzip
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job.adapters.tables import ArrowTables
from job.adapters.tables.escapes import double_quotes_in
from job.adapters.tables.preview import read_preview
from job.contracts.settings.dataset import CsvSpec
from job.errors import DatasetUnreadableError


def as_spark(rows, delimiter=","):
    """Write rows as Spark does: a cell is quoted if it needs it, and backslashes are escaped."""

    def cell(text):
        if text and not any(mark in text for mark in (delimiter, '"', "\n", "\r")):
            return text
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    return "".join(delimiter.join(map(cell, row)) + "\n" for row in rows)


def read(path, **csv_settings):
    """Return the rows that a run reads, after a comparison with those of the preview."""
    table = ArrowTables(csv=CsvSpec(**csv_settings)).open(str(path))
    rows = [tuple(r.values()) for batch in table.batches(table.names) for r in batch.to_pylist()]
    seen = read_preview(path, "t", CsvSpec(**csv_settings), max_rows=10**6)
    columns = [[cell or "" for cell in column.cells] for column in seen.columns]
    if seen.n_rows is not None:
        assert rows == list(zip(*columns, strict=True))
    return rows


QUOTED = [
    ('he said "no", twice', "a"),
    ("C:\\data\\new", "b"),
    ('"all"', "a"),
    ('a path, C:\\ "here"\\', "b"),
    ('two\nlines, "and" 5" screen', "a"),
]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(("name", "encoding"), [("t.csv", "utf-16"), ("t.csv.gz", "utf-8")])
def test_table_of_spark_is_read(delimiter, name, encoding, tmp_path):
    """No setting is needed."""
    data = as_spark([("text", "label"), *QUOTED * 20], delimiter).encode(encoding)
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)

    assert QUOTED * 20 == read(tmp_path / name)


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_table_of_pandas_is_read_as_before(delimiter, tmp_path):
    """Doubled quotes next to backslashes are no escapes."""
    rows = [*QUOTED, ("ends with C:\\", "a"), ('\\"', "b"), ('\\"x\\"', "a"), ("a\\,b;c\\", "b")]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows([("text", "label"), *rows])
    (tmp_path / "t.csv").write_text(text.getvalue())

    assert rows == read(tmp_path / "t.csv")
    assert rows == read(tmp_path / "t.csv", escape="none")


CELLS = st.text(st.sampled_from('ab",;\\\n '), max_size=12)


@given(rows=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=8), step=st.integers(1, 9))
def test_stated_escape_reads_any_table_of_spark(rows, step, tmp_path_factory):
    """Wherever a piece of the file ends."""
    content = as_spark([("text", "label"), *rows]).encode()
    pieces = [content[n : n + step] for n in range(0, len(content), step)]
    path = tmp_path_factory.mktemp("t") / "t.csv"
    path.write_bytes(content)

    whole = b"".join(double_quotes_in([content], ","))
    assert whole == b"".join(double_quotes_in(pieces, ","))
    assert rows == read(path, escape="backslash")


def test_backslashes_in_texts_without_quotes_are_text(tmp_path):
    """Such a file is read the same way with each setting."""
    (tmp_path / "t.csv").write_text('text,label\nsay \\"hi\\" now,a\nC:\\\\server,b\n\\"x\\" y,a\n')

    rows = [('say \\"hi\\" now', "a"), ("C:\\\\server", "b"), ('\\"x\\" y', "a")]
    for escape in ("auto", "none", "backslash"):
        assert rows == read(tmp_path / "t.csv", escape=escape)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_late_escape_is_refused_and_the_settings_read_it(encoding, tmp_path):
    """The beginning of the file has no quotes, so the file is not read wrongly."""
    plain = [("x" * 50, "a")] * 20_000
    path = tmp_path / "t.csv"
    path.write_bytes(as_spark([("text", "label"), *plain, *QUOTED]).encode(encoding))
    with pytest.raises(DatasetUnreadableError, match="after a backslash") as caught:
        read(path)

    assert "--set dataset.csv.escape=backslash" in caught.value.hint
    assert plain + QUOTED == read(path, escape="backslash")


def test_escapes_of_a_large_file_are_read_in_pieces(tmp_path):
    """Quoted cells lie across the ends of pieces."""
    rows = [(f'{n} "quoted", and\\more {"z" * (n % 700)}', "ab"[n % 2]) for n in range(20_000)]
    (tmp_path / "t.csv").write_text(as_spark([("text", "label"), *rows]))

    assert rows == read(tmp_path / "t.csv")
