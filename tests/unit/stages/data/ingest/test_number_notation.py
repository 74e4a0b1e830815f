"""Numbers are read in the notation that the settings state, and other notations are named."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import structlog
from pydantic import ValidationError
from support.matrices import IN_MEMORY

from job.adapters.tables import ArrowTables
from job.contracts.settings.dataset import ColumnsSpec, CsvSpec, DatasetSpec
from job.stages.data.ingest import ingest
from job.stages.data.ingest.cells import convert
from job.stages.data.ingest.number_notation import (
    count_notations,
    read_notation,
    suggest_notation,
)

CASES = [
    (["3,15", "0,5", "-2,25"], {"decimal": ","}, [3.15, 0.5, -2.25]),
    (["1,200.5", "-12,345,678", "7"], {"thousands": ","}, [1200.5, -12345678, 7]),
    (["1.200,5", "3,15", "12.345"], {"decimal": ",", "thousands": "."}, [1200.5, 3.15, 12345]),
    (
        ["1 200", "1\u00a0200.5", "1\u202f234\u202f567"],
        {"thousands": "space"},
        [1200, 1200.5, 1234567],
    ),
    (["1 200,5", "3,15", "2 000"], {"decimal": ",", "thousands": "space"}, [1200.5, 3.15, 2000]),
    (["1'200", "1\u2019200.25", "3"], {"thousands": "apostrophe"}, [1200, 1200.25, 3]),
    (["1,5e3", "", " 2,5 "], {"decimal": ","}, [1500, np.nan, 2.5]),
]


@pytest.mark.parametrize(("cells", "setting", "expected"), CASES)
def test_stated_notation_is_read(cells, setting, expected):
    """Each cell becomes its number."""
    values, n_unreadable = convert(read_notation(pa.array(cells), CsvSpec(**setting)), "number")

    assert 0 == n_unreadable
    np.testing.assert_array_equal(np.float32(expected), values)


@pytest.mark.parametrize(("cells", "setting", "_"), CASES)
def test_suggested_setting_reads_the_column(cells, setting, _):
    """Without the setting, the notation is named with it."""
    remedy = suggest_notation(count_notations(pa.array(cells)), CsvSpec())

    for name, value in setting.items():
        assert f"--set 'dataset.csv.{name}={value}'" in remedy
    assert len(setting) == remedy.count("--set")


@pytest.mark.parametrize(
    ("cells", "notation"),
    [
        (["12%", "3.5 %"], "percent"),
        (["$5", "€ 1,200.50", "5 €", "EUR 7"], "currency"),
        (["(5.00)", "(3)"], "parentheses"),
    ],
)
def test_other_notations_are_named_with_an_export(cells, notation):
    """There is no setting for them."""
    remedy = suggest_notation(count_notations(pa.array(cells)), CsvSpec())

    assert remedy.startswith(notation)
    assert "export" in remedy
    assert "--set" not in remedy


@pytest.mark.parametrize("cells", [["a", "b"], ["1", "2.5", "nan", ""], ["1-2-3"], []])
def test_other_cells_have_no_notation(cells):
    """Words, and numbers as programs write them."""
    assert suggest_notation(count_notations(pa.array(cells, pa.string())), CsvSpec()) is None


@pytest.mark.parametrize(
    ("cell", "setting"),
    [("3,15", {"thousands": ","}), ("3.15", {"decimal": ","}), ("1,2,3", {"thousands": ","})],
)
def test_cell_of_another_notation_is_unreadable(cell, setting):
    """It is never read as another number."""
    values, n_unreadable = convert(read_notation(pa.array([cell]), CsvSpec(**setting)), "number")

    assert 1 == n_unreadable
    assert np.isnan(values).all()


@pytest.mark.parametrize("setting", [{"decimal": ",", "thousands": ","}, {"decimal": ";"}])
def test_senseless_settings_are_refused(setting):
    """One character cannot be both."""
    with pytest.raises(ValidationError):
        CsvSpec(**setting)


def read(path, **csv):
    columns = ColumnsSpec(embeddings="e*", numeric=("score",), text="text")
    spec = DatasetSpec(columns=columns, csv=CsvSpec(**csv))
    source = ArrowTables(csv=spec.csv)
    with structlog.testing.capture_logs() as logs:
        dataset = ingest(source, str(path), spec, required=frozenset(), matrices=IN_MEMORY)
    return dataset, [entry for entry in logs if entry["event"] == "cells_unreadable"]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_notation_of_a_table_is_logged_and_read(suffix, tmp_path):
    """Also in columns that are dimensions of the embedding; a cell is not shown."""
    table = pd.DataFrame(
        {"text": ["a", "b"], "intent": ["x", "y"], "score": ["3,15", "7,25"]}
        | {f"e{n}": ["0,5", "1,5"] for n in range(3)}
    )
    path = tmp_path / f"t.{suffix}"
    if suffix == "csv":
        table.to_csv(path, sep=";", index=False)
    else:
        table.to_parquet(path)
    dataset, [warning] = read(path)

    assert (2, "score") == (warning["n_cells"], warning["column"])
    assert "3,15" not in str(warning)
    assert warning["notation"] == dataset.of_role("numeric")[0].remedy
    if suffix == "parquet":
        assert "a decimal comma: export the column as numbers" == warning["notation"]
        return
    assert "a decimal comma: --set 'dataset.csv.decimal=,' reads it" == warning["notation"]
    dataset, warnings = read(path, decimal=",")
    assert [] == warnings
    np.testing.assert_allclose([3.15, 7.25], dataset.of_role("numeric")[0].values, rtol=1e-6)
    np.testing.assert_array_equal([[0.5] * 3, [1.5] * 3], dataset.embeddings.matrix)
