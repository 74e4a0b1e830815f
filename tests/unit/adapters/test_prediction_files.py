"""Files of predictions are complete or do not exist."""

import errno
import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from job.adapters.prediction_files import open_predictions
from job.errors import ConfigurationError, TransientError

ROWS = {
    "id": ['a,"b"', "c\nd", None],
    "label": ["x", None, "y"],
    "confidence": [0.1 + 0.2, None, 1.0],
    "is_answered": [True, False, False],
}


def make_batch():
    return pa.RecordBatch.from_pydict(ROWS)


@pytest.mark.parametrize("name", ["o.csv", "o.CSV", "o.csv.gz"])
def test_csv_has_all_digits_and_quotes_only_where_needed(name, tmp_path):
    path = tmp_path / name
    with open_predictions(path) as write:
        write(make_batch())
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if name.endswith("gz") else raw).decode()

    assert (
        'id,label,confidence,is_answered\n"a,""b""",x,0.30000000000000004,true\n"c\nd",,,false\n'
        ",y,1.0,false\n" == text
    )


def test_parquet_has_the_types_and_few_row_groups(tmp_path):
    """Batches of few rows are collected."""
    path = tmp_path / "o.parquet"
    with open_predictions(path) as write:
        for _ in range(30):
            write(make_batch())

    assert 1 == pq.ParquetFile(path).num_row_groups
    assert ROWS["confidence"] == pq.read_table(path)["confidence"].to_pylist()[:3]
    assert ["string", "string", "double", "bool"] == [
        str(kind) for kind in pq.read_schema(path).types
    ]


def test_equal_rows_give_equal_bytes(tmp_path):
    """A packed file has no time of its creation, and not its name."""
    paths = [tmp_path / "a.csv.gz", tmp_path / "b.csv.gz"]
    for path in paths:
        with open_predictions(path) as write:
            write(make_batch())

    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_error_leaves_the_earlier_file(tmp_path):
    """Nothing else is left in the folder."""
    path = tmp_path / "o.parquet"
    path.write_text("earlier")

    with pytest.raises(ValueError, match="bad"), open_predictions(path) as write:
        write(make_batch())
        raise ValueError("bad")

    assert [path] == list(tmp_path.iterdir())
    assert "earlier" == path.read_text()


def test_file_does_not_exist_before_the_end(tmp_path):
    """The function that `on_begin` gets removes what has been written."""
    path, cleanups = tmp_path / "o.csv", []
    with open_predictions(path, cleanups.append) as write:
        write(make_batch())
        assert not path.exists()
        assert 1 == len(list(tmp_path.iterdir()))
    assert path.exists()
    cleanups[0]()
    assert [path] == list(tmp_path.iterdir())


def test_folder_that_does_not_exist_is_an_error_of_the_settings(tmp_path):
    with (
        pytest.raises(ConfigurationError, match="No such file"),
        open_predictions(tmp_path / "no/o.csv"),
    ):
        pass


def test_full_disk_is_transient(tmp_path, monkeypatch):
    """A later attempt may succeed."""

    def fail(_):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr("job.adapters.prediction_files.os.fsync", fail)
    with (
        pytest.raises(TransientError, match="No space left"),
        open_predictions(tmp_path / "o.csv") as write,
    ):
        write(make_batch())

    assert [] == list(tmp_path.iterdir())
