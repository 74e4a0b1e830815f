"""The sample has the requested format, and is called synthetic in all outputs."""

import gzip
import hashlib
import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

DIGEST = "4741fd331d0e50623f91f73f3f71ccc314edd5d6d015e1905cf652d3aa289e33"


def make(pcc_job, path):
    done = pcc_job("sample-data", path, "--rows", "900")
    assert 0 == done.returncode, done.stderr
    return path


def test_packed_csv_is_packed_and_repeats(pcc_job, tmp_path):
    """The file does not contain the time of writing."""
    paths = [make(pcc_job, tmp_path / name) for name in ("a.csv.gz", "b.csv.gz")]

    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert gzip.decompress(paths[0].read_bytes()).startswith(b'"text","intent"')


def test_name_of_tabs_gives_tabs(pcc_job, tmp_path):
    """The job reads `.tsv` files with tabs."""
    path = make(pcc_job, tmp_path / "s.tsv")

    assert path.read_bytes().startswith(b'"text"\t"intent"\t')


@pytest.mark.parametrize("name", ["s.csv.gz", "s.parquet"])
def test_models_of_the_sample_are_called_synthetic(name, pcc_job, train, result_of, tmp_path):
    """Card, report and metadata say so; the embeddings are not attributed to a language model."""
    path = make(pcc_job, tmp_path / name)
    version = tmp_path / "models" / result_of(train(path))["version"]
    metadata = json.loads((version / "metadata.json").read_text())

    assert "synthetic" in (version / "model_card.md").read_text()
    assert "synthetic" in (version / "report.html").read_text()
    assert "synthetic: seeded projection of hashed n-grams, seed 7" == metadata["embedding_model"]


def test_table_that_names_no_embedding_model_takes_that_of_the_settings(
    train, result_of, table, tmp_path
):
    """The upstream's table does not name one."""
    table.to_pandas().to_parquet(tmp_path / "t.parquet")
    named = ["--set", "publish.embedding_model=ours"]
    result = result_of(train(tmp_path / "t.parquet", *named))
    metadata = json.loads((tmp_path / "models" / result["version"] / "metadata.json").read_text())

    assert ("ours", None) == (metadata["embedding_model"], metadata["dataset"]["description"])


@pytest.mark.parametrize(
    "arguments", [["s.xlsx"], ["s"], ["s.parquet", "--format", "csv"], ["s.csv", "--format", "x"]]
)
def test_name_that_would_lie_is_refused(arguments, pcc_job, tmp_path):
    """Tables are recognized by their file name extension."""
    done = pcc_job("sample-data", *arguments)

    assert (2, []) == (done.returncode, list(tmp_path.iterdir()))


def test_another_seed_changes_the_rows_only(pcc_job, tmp_path):
    """Models of two samples can be compared: equal texts have equal embeddings."""
    tables = []
    for seed in ("7", "8"):
        path = tmp_path / f"{seed}.parquet"
        assert 0 == pcc_job("sample-data", path, "--rows", "900", "--seed", seed).returncode
        tables.append(pd.read_parquet(path))
    models = [pq.read_metadata(tmp_path / f"{seed}.parquet").metadata for seed in (7, 8)]
    first, second = (table.drop_duplicates("text").set_index("text") for table in tables)
    shared = first.index.intersection(second.index)

    assert 0 < len(shared) < 500
    np.testing.assert_allclose(
        np.stack(first.loc[shared, "embeddings"]), np.stack(second.loc[shared, "embeddings"])
    )
    assert models[0][b"embedding_model"] == models[1][b"embedding_model"]
    assert [b"7", b"8"] == [model[b"seed"] for model in models]


def test_sample_of_the_default_seed_stays(pcc_job, tmp_path):
    """The README shows the digest of its rows."""
    text = make(pcc_job, tmp_path / "s.csv.gz").read_bytes()

    assert DIGEST == hashlib.sha256(gzip.decompress(text)).hexdigest()
