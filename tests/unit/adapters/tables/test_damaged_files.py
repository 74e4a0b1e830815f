"""Damaged tables, notes and sidecars end in an error that says what to do."""

import gzip
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from job.adapters.tables import ArrowTables
from job.errors import DatasetNotFoundError, DatasetUnreadableError

TABLE = pa.table({"text": ["a", "b"], "zzzz": [1, 2]})


def _open(path):
    table = ArrowTables().open(str(path))
    return table, [row for batch in table.batches(table.names) for row in batch.to_pylist()]


@pytest.fixture
def parquet(tmp_path):
    pq.write_table(TABLE, tmp_path / "t.parquet", store_schema=False)
    return tmp_path / "t.parquet"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("[" * 200_000, "nested more than 64 deep"),
        ('{"a": ' + "9" * 5000 + "}", "does not fit into 64 bits"),
        ('{"a": 1' + "0" * 400 + "}", "does not fit into 64 bits"),
        ('{"a": NaN}', "NaN and Infinity are not JSON"),
        ('{"a": "\\ud800"}', "half a character"),
        ("{", "it is not JSON"),
        ("\xff\xfe\xff", "it is not UTF-8"),
        (" " * (2**20 + 1), "is larger than 1,048,576 bytes"),
    ],
)
def test_sidecar_is_bounded(parquet, content, problem):
    """Depth, size and numbers of the JSON file next to a table."""
    sidecar = parquet.with_name("t.metadata.json")
    sidecar.write_text(content, encoding="latin-1")

    with pytest.raises(DatasetUnreadableError, match=problem):
        _open(parquet)


def test_sidecar_may_begin_with_a_byte_order_mark(parquet):
    """Some editors write one."""
    parquet.with_name("t.metadata.json").write_bytes(b'\xef\xbb\xbf{"version": "3", "n": 0.5}')

    assert (("n", "0.5"), ("version", "3")) == _open(parquet)[0].sidecar


def test_notes_of_any_bytes_are_read(tmp_path):
    """Notes that are not UTF-8, and notes of pandas that are no JSON, do not matter."""
    notes = {b"\xff": b"\xfe", b"pandas": b"[" * 100_000, b"big": b"x" * 1_000_000}
    pq.write_table(TABLE.replace_schema_metadata(notes), tmp_path / "t.parquet")
    table, rows = _open(tmp_path / "t.parquet")

    assert {"big": "x" * 1_000_000, "\ufffd": "\ufffd"} == dict(table.metadata)
    assert 2 == len(rows)


def test_column_name_that_is_not_utf8_is_refused(parquet):
    """The same bytes as a plain name are read."""
    content = parquet.read_bytes()
    parquet.write_bytes(content.replace(b"zzzz", b"yyyy"))
    assert ("text", "yyyy") == _open(parquet)[0].names
    parquet.write_bytes(content.replace(b"zzzz", b"\xff\xfe\xff\xfe"))

    with pytest.raises(DatasetUnreadableError, match="column names that are not UTF-8"):
        _open(parquet)


def test_compression_that_the_name_does_not_state_is_named(parquet):
    """The hint says how to decompress or rename the file."""
    folder, content = parquet.parent, b"text,intent\na,b\n"
    parquet.write_bytes(gzip.compress(parquet.read_bytes()))
    (folder / "plain.csv.gz").write_bytes(content)
    (folder / "right.csv.gz").write_bytes(gzip.compress(content))
    assert [{"text": "a", "intent": "b"}] == _open(folder / "right.csv.gz")[1]
    with pytest.raises(DatasetUnreadableError, match="is compressed with gzip") as packed:
        _open(parquet)
    with pytest.raises(DatasetUnreadableError, match="is not compressed with gzip"):
        _open(folder / "plain.csv.gz")

    assert "gzip -dc" in packed.value.hint


def test_values_of_partitions_are_not_shown(tmp_path):
    """The value of a partition is a cell; its key is a name of a column."""
    folder = tmp_path / "table" / "email=jo@mail.example"
    folder.mkdir(parents=True)
    (folder / "a\n.parquet").write_bytes(b"x")
    with pytest.raises(DatasetUnreadableError) as caught:
        _open(tmp_path / "table")

    assert r"table/email=.../a\n.parquet' is not a readable" in caught.value.message


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("pipe.parquet", "is a pipe or a device"),
        ("zero.parquet", "is a pipe or a device"),
        ("x" * 300, "does not exist"),
        ("//[", "does not exist"),
    ],
)
def test_what_is_not_a_file_is_not_opened(tmp_path, name, problem):
    """Opening a named pipe would wait, a device does not end, and some paths cannot exist."""
    os.mkfifo(tmp_path / "pipe.parquet")
    (tmp_path / "zero.parquet").symlink_to("/dev/zero")

    with pytest.raises(DatasetNotFoundError, match=problem):
        _open(name if name.startswith("/") else tmp_path / name)
