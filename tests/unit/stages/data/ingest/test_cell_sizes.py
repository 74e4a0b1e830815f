"""A cell that is larger than the settings allow makes a table unreadable."""

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.matrices import IN_MEMORY

from job.adapters.tables import ArrowTables
from job.contracts.settings.dataset import ColumnsSpec, DatasetSpec
from job.errors import DatasetUnreadableError
from job.stages.data.ingest import ingest

LIMIT = 2**20


def read(path, limit=LIMIT):
    spec = DatasetSpec(max_cell_bytes=limit, columns=ColumnsSpec(embeddings=None, id="key"))
    return ingest(ArrowTables(), str(path), spec, required=frozenset(), matrices=IN_MEMORY)


def frame(size, column="text"):
    table = pd.DataFrame({"key": ["1", "2"], "text": ["a", "b"], "intent": ["x", "y"]})
    table.loc[1, column] = "é" * (size // 2) + "z" * (size % 2)
    return table


@pytest.mark.parametrize("column", ["text", "intent", "key"])
@pytest.mark.parametrize("name", ["t.csv", "t.tsv.gz", "t.parquet"])
def test_larger_cell_is_refused_and_the_hint_reads_it(column, name, tmp_path):
    """The message names column and size in bytes; a cell of just the size is read."""
    for size, is_read in ((LIMIT, True), (LIMIT + 1, False)):
        table = frame(size, column)
        if name.endswith("parquet"):
            table.to_parquet(tmp_path / name)
        else:
            table.to_csv(tmp_path / name, index=False, sep="\t" if ".tsv" in name else ",")
        if is_read:
            assert 2 == read(tmp_path / name).n_rows
            continue
        with pytest.raises(DatasetUnreadableError, match=f"column '{column}' has a cell") as caught:
            read(tmp_path / name)
        assert "1,048,577 bytes; expected at most 1,048,576" in str(caught.value)
        assert f"--set dataset.max_cell_bytes={size}" in caught.value.hint
        assert 2 == read(tmp_path / name, size).n_rows


@pytest.mark.parametrize(
    "kind",
    [pa.large_string(), pa.string_view(), pa.binary(), pa.dictionary(pa.int32(), pa.string())],
)
def test_every_type_of_text_is_measured(kind, tmp_path):
    """Parquet files have several."""
    texts = pa.array(["a", "b" * 101], pa.string()).cast(kind)
    labels = pa.array(["x", "y"])
    pq.write_table(pa.table({"text": texts, "intent": labels}), tmp_path / "t.parquet")

    with pytest.raises(DatasetUnreadableError, match="a cell of 101 bytes"):
        read(tmp_path / "t.parquet", 100)
    assert 2 == read(tmp_path / "t.parquet", 101).n_rows
