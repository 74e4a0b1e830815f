"""The name of a file states its format, and its sidecar has the same name."""

from pathlib import Path

import pytest

from job.adapters.tables import ArrowTables
from job.adapters.tables.formats import strip_ending, table_format
from job.adapters.tables.preview import read_preview
from job.contracts.settings.dataset import CsvSpec
from job.errors import ConfigurationError


@pytest.mark.parametrize(
    ("name", "found", "stem"),
    [
        ("t.parquet", "parquet", "t"),
        ("t.PQ", "parquet", "t"),
        ("t.csv", "csv", "t"),
        ("a.b.CSV.gz", "csv", "a.b"),
        ("t.tsv", "csv", "t"),
        ("t.tsv.gz", "csv", "t"),
        ("t.csv.zst", "csv", "t"),
        ("t.TSV.BZ2", "csv", "t"),
        ("t.csv.xz", None, "t.csv.xz"),
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


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("t.csv.zip", "unzip -p FILE"),
        ("t.CSV.XZ", "xz -dc FILE"),
        ("t.tar.gz", "tar -xzf FILE"),
        ("t.parquet.gz", "gzip -dc FILE > NEW.parquet"),
        ("t.xlsx", "pandas.read_excel('FILE')"),
        ("t.json", "pandas.read_json('FILE')"),
        ("t.orc", "pandas.read_orc('FILE')"),
        ("t.txt", "rename it so that it ends in .parquet, .csv or .tsv"),
    ],
)
def test_other_formats_are_refused_with_a_command(name, command, tmp_path):
    """The command writes a table that the job reads."""
    (tmp_path / name).write_bytes(b"x")

    for call in (lambda p: ArrowTables().open(p), lambda p: read_preview(Path(p), p, CsvSpec())):
        with pytest.raises(ConfigurationError, match="does not show whether") as caught:
            call(str(tmp_path / name))
        assert command in caught.value.hint
