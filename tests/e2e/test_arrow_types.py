"""Parquet files of any writer: `init` finds the roles, `validate` reads or names the types."""

import json
import uuid

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.arrow_types import LISTS, NO_CELLS, SECRET, TEXTS, TIMES, extension
from support.small_runs import write_letters

N = 60


def write(path, *, text="string", label="string", time="us", vectors="list of float64", **options):
    """Write a small table whose columns have the named types."""
    table = write_letters(N)
    moments = pd.date_range("2026-01-01", periods=N, freq="h").to_pydatetime().tolist()
    rows = np.stack(table["embeddings"])[:, :3].round(2).tolist()
    ids = [uuid.UUID(int=n).bytes for n in range(N)]
    columns = {
        "message": TEXTS[text](table["text"].tolist()),
        "category": TEXTS[label](table["intent"].tolist()),
        "created": TIMES[time](moments),
        "vec": LISTS[vectors](rows),
        "key": extension(pa.uuid(), ids, pa.binary(16)),
    }
    pq.write_table(pa.table(columns), path, **options)


WRITTEN = {
    "Impala": {"text": "binary", "label": "binary", "use_deprecated_int96_timestamps": True},
    "Spark": {"vectors": "Spark vector", "time": "Berlin", "label": "dictionary of binary"},
    "DuckDB": {"vectors": "fixed list", "text": "large string", "label": "dictionary"},
    "Polars": {"vectors": "list view", "text": "string view", "label": "binary view"},
    "Ray": {"vectors": "fixed tensor", "time": "ns"},
    "others": {"vectors": "large list view", "text": "large binary", "time": "unknown zone"},
}


@pytest.mark.parametrize("writer", WRITTEN)
def test_tables_of_other_writers_are_the_same_table(writer, pcc_job, result_of, tmp_path):
    """`init` finds the same columns, and the digest is that of the plain types."""
    found = []
    for name, kinds in (("plain", {}), (writer, WRITTEN[writer])):
        write(tmp_path / f"{name}.parquet", **kinds)
        settings = f"{name}.yaml"
        result = result_of(pcc_job("init", f"{name}.parquet", "--out", settings))
        done = pcc_job("validate", "--config", settings)
        report = result_of(done)
        digests = [json.loads(line).get("content_digest") for line in done.stderr.splitlines()]
        found.append((result["found"], report["n_rows"], [d for d in digests if d]))

    assert 1 == len(found[0][2])
    assert found[0] == found[1]
    assert "'category'" in found[0][0]
    assert "'vec'" in found[0][0]


@pytest.mark.parametrize(
    ("kind", "column", "words"),
    [
        ("struct of a Spark vector (VectorUDT)", "vec", "vector_to_array"),
        ("list of lists", "vec", "numpy.ravel"),
        ("binary, with bytes that are not UTF-8 text", "vec", "numpy.frombuffer"),
        ("binary, with bytes that are not UTF-8 text", "message", "UTF-8"),
        ("struct of 1 field", "category", "CAST"),
        ("map", "message", "CAST"),
    ],
)
def test_types_without_a_meaning_are_named(kind, column, words, pcc_job, tmp_path):
    """With the column and what helps; `init` does not fail on such a file."""
    path = tmp_path / "t.parquet"
    write(path)
    table, array = pq.read_table(path), NO_CELLS[kind]
    cells = array.take(pa.array([0] * N))
    at = table.schema.get_field_index(column)
    pq.write_table(table.set_column(at, column, cells), path)
    roles = {"target": "category", "text": "message", "embeddings": "vec", "timestamp": "created"}
    settings = [
        *(word for r, c in roles.items() for word in ("--set", f"dataset.columns.{r}={c}")),
        *("--set", "dataset.min_rows=10", "--set", "expectations.suite=labelled_text_embeddings"),
    ]

    done = pcc_job("validate", "--dataset", path.name, *settings)
    begun = pcc_job("init", path.name)

    error = json.loads(done.stderr.splitlines()[-1])
    assert 4 == done.returncode, done.stderr
    assert f"column '{column}' has the type {kind}; expected" in error["reason"]
    assert words in error["hint"]
    assert 0 == begun.returncode, begun.stderr
    for output in (done.stdout, done.stderr, begun.stdout, begun.stderr):
        assert SECRET not in output
        assert "Traceback" not in output
