"""The same rows train the same model, however the table is written."""

import gzip
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.processes import run_command
from support.small_runs import SETTINGS, write_letters

LETTERS = write_letters()


def as_csv(delimiter, codec="utf-8"):
    cells = [json.dumps(row.tolist()) for row in LETTERS["embeddings"]]
    text = LETTERS.assign(embeddings=cells).to_csv(index=False, sep=delimiter)
    return text.encode(codec)


FORMS = {
    "semicolons": ("t.csv", lambda: as_csv(";")),
    "tabs": ("t.tsv", lambda: as_csv("\t")),
    "packed tabs": ("t.tsv.gz", lambda: gzip.compress(as_csv("\t"))),
    "UTF-16": ("t.csv", lambda: as_csv("|", "utf-16")),
}


def train(folder, path, *settings):
    options = [part for one in (*SETTINGS, *settings) for part in ("--set", one)]
    done = run_command(
        ["run", "--dataset", path, "--store", folder / "models", *options], folder, {}
    )
    assert 0 == done.returncode, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def digest(tmp_path_factory):
    """Return the digest of the table with commas."""
    folder = tmp_path_factory.mktemp("commas")
    (folder / "t.csv").write_bytes(as_csv(","))
    return train(folder, folder / "t.csv")["dataset"]["content_digest"]


@pytest.mark.parametrize("form", FORMS)
def test_csv_of_any_form_is_trained_on(form, digest, tmp_path):
    """Nothing has to be set."""
    name, content = FORMS[form]
    (tmp_path / name).write_bytes(content())
    result = train(tmp_path, tmp_path / name)

    assert ("published", digest) == (result["outcome"], result["dataset"]["content_digest"])


def test_form_can_be_set(digest, tmp_path):
    """The settings say what cannot be found."""
    (tmp_path / "t.csv").write_bytes(as_csv("|", "utf-16-be"))
    result = train(
        tmp_path, tmp_path / "t.csv", "dataset.csv.delimiter=|", "dataset.csv.encoding=utf-16"
    )

    assert digest == result["dataset"]["content_digest"]
    record = json.loads(next((tmp_path / "models").glob("runs/*/1.json")).read_text())
    stated = {"delimiter": "|", "encoding": "utf-16"}
    assert stated.items() <= record["settings"]["dataset"]["csv"].items()


@pytest.mark.parametrize("kind", ["large_list", "fixed_size_list"])
def test_parquet_of_another_writer_is_trained_on(kind, digest, tmp_path):
    """Large strings, dictionaries, and lists of another kind."""
    lists = pa.list_(pa.float32(), 8) if kind == "fixed_size_list" else pa.large_list(pa.float32())
    columns = {
        "text": pa.array(LETTERS["text"], pa.large_string()),
        "intent": pa.array(LETTERS["intent"]).dictionary_encode(),
        "embeddings": pa.array(np.stack(LETTERS["embeddings"]).tolist(), lists),
    }
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")

    assert digest == train(tmp_path, tmp_path / "t.parquet")["dataset"]["content_digest"]
