"""Files that are far larger than they look are refused before, or while, they are decoded."""

import bz2
import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from job.adapters.tables import ArrowTables
from job.adapters.tables.bounds import MIN_LARGE
from job.adapters.tables.preview import read_preview
from job.contracts.settings.dataset import CsvSpec, ReadLimits
from job.errors import DatasetUnreadableError

FEW = ReadLimits(max_columns=5)


def as_csv(n_columns, **_):
    names = ",".join(f"a{n}" for n in range(n_columns))
    return (names + "\n" + ",".join(["1"] * n_columns) + "\n").encode()


def write_columns(folder, ending, n_columns):
    path = folder / f"t.{ending}"
    if ending == "parquet":
        pq.write_table(pa.table({f"a{n}": [1] for n in range(n_columns)}), path)
    else:
        pack = {"csv": bytes, "csv.gz": gzip.compress, "tsv.bz2": bz2.compress}[ending]
        content = as_csv(n_columns)
        path.write_bytes(pack(content.replace(b",", b"\t") if "tsv" in ending else content))
    return path


@pytest.mark.parametrize("ending", ["parquet", "csv", "csv.gz", "tsv.bz2"])
def test_columns_up_to_the_limit_are_read(tmp_path, ending):
    path = write_columns(tmp_path, ending, 5)

    assert len(ArrowTables(limits=FEW).open(str(path)).names) == 5
    assert len(read_preview(path, "t", CsvSpec(), limits=FEW).columns) == 5


@pytest.mark.parametrize("ending", ["parquet", "csv", "csv.gz", "tsv.bz2"])
def test_too_many_columns_are_refused(tmp_path, ending):
    """The message states both numbers and the setting, and the hint reads the table."""
    path = write_columns(tmp_path, ending, 6)

    for read in (
        lambda: ArrowTables(limits=FEW).open(str(path)),
        lambda: read_preview(path, "t", CsvSpec(), limits=FEW),
    ):
        with pytest.raises(DatasetUnreadableError, match=r"has 6 columns; expected at most 5") as e:
            read()
        assert "--set dataset.max_columns=6" in e.value.hint


def test_long_names_are_no_columns(tmp_path):
    """A header that is longer than the first bytes read is counted as a whole."""
    path = tmp_path / "t.csv"
    path.write_bytes(b",".join(b"%d" % n + b"x" * 100_000 for n in range(5)) + b"\n1,2,3,4,5\n")

    assert len(ArrowTables(limits=FEW).open(str(path)).names) == 5


def repeat_text(path, n_before=0, *, encoding=None):
    """Write 80 texts of 1 MB in a few kB, after short texts."""
    long = "x" * (MIN_LARGE // 64)
    texts = ["a"] * n_before + [long] * 80
    options = {"use_dictionary": False, "column_encoding": {"text": encoding}} if encoding else {}
    table = pa.table({"text": texts, "label": ["b"] * len(texts)})
    pq.write_table(table, path, compression="zstd", store_schema=False, **options)


@pytest.mark.parametrize(
    ("n_before", "encoding"), [(0, None), (3000, None), (0, "DELTA_BYTE_ARRAY"), (0, "PLAIN")]
)
def test_repeated_texts_are_refused(tmp_path, n_before, encoding):
    """No batch is much larger than 16 MiB, however the repetition is encoded."""
    path = tmp_path / "t.parquet"
    repeat_text(path, n_before, encoding=encoding)
    table = ArrowTables().open(str(path))
    sizes = []

    with pytest.raises(DatasetUnreadableError, match=r"expands from .*dataset.max_expansion"):
        for batch in table.batches(["text", "label"]):
            sizes.append(batch.nbytes)
    assert max(sizes, default=0) < 18 * 2**20


def test_repeated_texts_of_a_dictionary_type_are_refused(tmp_path):
    """A column that stays a dictionary counts as the texts that it stands for."""
    path = tmp_path / "t.parquet"
    long = pa.array(["x" * 2**20])
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 80, pa.int32()), long)
    pq.write_table(pa.table({"text": texts}), path, compression="zstd")

    with pytest.raises(DatasetUnreadableError, match=r"expands from"):
        list(ArrowTables().open(str(path)).batches(["text"]))


def test_columns_without_a_role_do_not_count(tmp_path):
    """Only the columns that are read are limited."""
    path = tmp_path / "t.parquet"
    repeat_text(path)

    assert sum(b.num_rows for b in ArrowTables().open(str(path)).batches(["label"])) == 80


@pytest.mark.parametrize(("ending", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress)])
@pytest.mark.parametrize("encoding", ["utf-8", "windows-1252"])
def test_compressed_files_that_expand_are_refused(tmp_path, ending, pack, encoding):
    path = tmp_path / f"t.csv.{ending}"
    member = pack((b"x" * 1000 + b",a\n") * 2000)
    path.write_bytes(pack(b"text,label\n") + member * (2 * MIN_LARGE // 2_000_000))
    table = ArrowTables(csv=CsvSpec(encoding=encoding)).open(str(path))

    with pytest.raises(DatasetUnreadableError, match=r"expands from"):
        for _ in table.batches(["text"]):
            pass


def test_setting_accepts_the_expansion(tmp_path):
    """The value in the hint reads the file."""
    path = tmp_path / "t.parquet"
    repeat_text(path)
    with pytest.raises(DatasetUnreadableError) as caught:
        list(ArrowTables().open(str(path)).batches(["text"]))
    accepted = int(caught.value.hint.rpartition("=")[2])

    table = ArrowTables(limits=ReadLimits(max_expansion=accepted)).open(str(path))
    assert sum(batch.num_rows for batch in table.batches(["text"])) == 80
