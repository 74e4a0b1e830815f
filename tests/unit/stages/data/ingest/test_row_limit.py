"""A table with too many rows is refused by its footer, or as soon as the rows are counted."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.matrices import IN_MEMORY

from job.adapters.tables import ArrowTables
from job.contracts.settings.dataset import ColumnsSpec, DatasetSpec
from job.errors import ContractViolationError
from job.stages.data.ingest import ingest


def read(path, max_rows):
    columns = ColumnsSpec(embeddings=None, target="label")
    spec = DatasetSpec(min_rows=1, max_rows=max_rows, columns=columns)
    return ingest(ArrowTables(), str(path), spec, required=frozenset(), matrices=IN_MEMORY)


def write(path, n_rows):
    if path.suffix == ".parquet":
        pq.write_table(pa.table({"label": ["a"] * n_rows}), path)
    else:
        path.write_text("label,x\n" + "a,1\n" * n_rows)
    return path


@pytest.mark.parametrize("name", ["t.parquet", "t.csv"])
def test_as_many_rows_as_the_limit_are_read(tmp_path, name):
    assert read(write(tmp_path / name, 7), 7).n_rows == 7


@pytest.mark.parametrize("name", ["t.parquet", "t.csv"])
def test_more_rows_than_the_limit_are_refused(tmp_path, name):
    with pytest.raises(ContractViolationError, match=r"8 rows; expected at most 7") as caught:
        read(write(tmp_path / name, 8), 7)
    assert "--set dataset.max_rows=" in caught.value.hint


def test_parts_of_a_folder_count_together(tmp_path):
    write(tmp_path / "a.parquet", 5)
    pq.write_table(pa.table({"label": ["b"] * 4}), tmp_path / "b.parquet")

    with pytest.raises(ContractViolationError, match=r"has 9 rows; expected at most 8"):
        read(tmp_path, 8)


def test_no_row_is_decoded_if_the_footer_states_too_many(tmp_path):
    """The rows are damaged; the number of rows in the footer is refused first."""
    path = write(tmp_path / "t.parquet", 5000)
    content = bytearray(path.read_bytes())
    content[4:30] = bytes(26)
    path.write_bytes(content)

    with pytest.raises(ContractViolationError, match=r"has 5,000 rows"):
        read(path, 4000)
