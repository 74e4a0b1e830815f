"""The name of a file states its format, and its sidecar has the same name."""

from pathlib import Path

import pytest

from job.adapters.tables import ArrowTables
from job.adapters.tables.formats import strip_ending, table_format


@pytest.mark.parametrize(
    ("name", "found", "stem"),
    [
        ("t.parquet", "parquet", "t"),
        ("t.PQ", "parquet", "t"),
        ("t.csv", "csv", "t"),
        ("a.b.CSV.gz", "csv", "a.b"),
        ("t.tsv", "csv", "t"),
        ("t.tsv.gz", "csv", "t"),
        ("t.parquet.gz", None, "t.parquet.gz"),
        ("t.gz", None, "t.gz"),
        ("tsv", None, "tsv"),
    ],
)
def test_format_follows_from_the_name(name, found, stem):
    """Case does not matter."""
    assert (found, stem) == (table_format(Path(name)), strip_ending(name))


@pytest.mark.parametrize("name", ["t.tsv.metadata.json", "t.metadata.json"])
def test_sidecar_of_tsv_is_read(name, tmp_path):
    """Its name has the name of the table, with the ending or without."""
    (tmp_path / "t.tsv").write_text("text\tintent\na\tb\n")
    (tmp_path / name).write_text('{"version": "3"}')

    assert (("version", "3"),) == ArrowTables().open(str(tmp_path / "t.tsv")).sidecar
