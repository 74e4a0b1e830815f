"""`pcc-job predict` and `pcc-job explain` in real processes, on versions that real runs publish."""

import gzip
import io
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.predicting import CHANNELS, TrainedStore
from support.processes import JobProcess
from support.schemas import check
from support.versions import name_of

from job.adapters.stores.directory import DirectoryStore
from job.registry.publish import publish
from job.samples import write_sample

ROOT = Path(__file__).parents[2]
CANARY = "zqcanary"


@pytest.fixture(scope="module")
def trained(tmp_path_factory, sample):
    return TrainedStore(tmp_path_factory.mktemp("trained"), sample)


@pytest.fixture(scope="module")
def sample_csv(tmp_path_factory):
    """The same rows as `sample`."""
    path = tmp_path_factory.mktemp("sample") / "curated.csv"
    write_sample(path, n_rows=900, seed=3, is_csv=True, projection_seed=3)
    return path


def read_output(path):
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    raw = path.read_bytes()
    return pd.read_csv(io.BytesIO(gzip.decompress(raw) if path.suffix == ".gz" else raw))


def make_input(table, metadata):
    """Return the input X of a version, as a consumer makes it."""
    frame = table.to_pandas()
    matrix = np.stack(frame["embeddings"]).astype(np.float32)
    if metadata["input"]["kind"] == "text":
        return frame["text"].tolist()
    if metadata["input"]["kind"] == "embeddings":
        return matrix
    wide = pd.DataFrame(matrix, columns=[f"embeddings_{n}" for n in range(matrix.shape[1])])
    X = pd.concat([frame, wide], axis=1)[metadata["input"]["names"]]
    kinds = dict(zip(X, metadata["input"]["dtypes"], strict=True))
    return X.astype({name: kind for name, kind in kinds.items() if kind == "float32"})


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(
    ("source", "ending"), [("sample", ".parquet"), ("sample_csv", ".csv"), ("sample", ".csv.gz")]
)
def test_predictions_equal_those_of_the_pipeline(
    trained, table, channel, source, ending, request, tmp_path
):
    """Class, confidence, decision and order are those of `model.joblib`, for every format."""
    out = tmp_path / f"out{ending}"
    words = ("--dataset", request.getfixturevalue(source), "--out", out)
    done = trained.command("predict", channel, *words)
    assert 0 == done.returncode, done.stderr[-3000:]
    result, found = json.loads(done.stdout), read_output(out)
    pipeline, metadata = trained.read(channel)
    proba = pipeline.predict_proba(make_input(table, metadata))
    threshold = metadata["decision"]["threshold"]
    answered = proba.max(axis=1) >= (0 if threshold is None else threshold)
    if threshold is None and metadata["decision"]["status"] != "not_needed":
        answered[:] = False

    check("table_predictions", done.stdout)
    assert ["label", "confidence", "is_answered"] == list(found)
    assert pipeline.classes_[proba.argmax(axis=1)].tolist() == found["label"].tolist()
    assert np.abs(proba.max(axis=1) - found["confidence"]).max() <= 1e-9
    assert answered.tolist() == found["is_answered"].tolist()
    assert (900, int(answered.sum()), 0) == (
        result["n_rows"],
        result["n_answered"],
        result["n_not_predicted"],
    )
    assert found["label"].value_counts().to_dict() == {
        k: n for k, n in result["labels"].items() if n
    }
    assert metadata["model_version"] == result["version"]


def test_numbers_are_read_in_the_stated_notation(trained, sample_csv, tmp_path):
    """The predictions are those of the same table with decimal points."""
    frame = pd.read_csv(sample_csv, dtype=str)
    numbers = ["confidence", "formality_score", "urgency_score"]
    frame[numbers] = frame[numbers].apply(lambda cells: cells.str.replace(".", ","))
    frame.to_csv(tmp_path / "commas.csv", sep=";", index=False)
    found = []
    for path, decimal in ((sample_csv, "."), (tmp_path / "commas.csv", ",")):
        words = (
            "predict",
            "mixture",
            "--dataset",
            path,
            "--out",
            tmp_path / f"{path.stem}.parquet",
        )
        done = trained.command(*words, PCC_JOB_DATASET__CSV__DECIMAL=decimal)
        assert 0 == done.returncode, done.stderr[-3000:]
        assert "cells_unreadable" not in done.stderr
        found.append(pd.read_parquet(tmp_path / f"{path.stem}.parquet"))

    pd.testing.assert_frame_equal(*found)


def test_other_types_of_the_same_table_give_the_same_predictions(trained, sample, table, tmp_path):
    """Texts as bytes, embeddings as list views, ids as UUIDs, flags as 8-bit booleans."""
    ids = pa.array([uuid.UUID(int=n).bytes for n in range(len(table))], pa.binary(16))
    flags = table["has_personal_info"].combine_chunks().cast(pa.int8())
    vectors = table["embeddings"].combine_chunks()
    other = {
        **{name: table[name] for name in table.column_names},
        "text": table["text"].cast(pa.large_binary()),
        "embeddings": pa.array(vectors.to_pylist(), pa.list_view(pa.float64())),
        "has_personal_info": pa.ExtensionArray.from_storage(pa.bool8(), flags),
        "key": pa.ExtensionArray.from_storage(pa.uuid(), ids),
    }
    pq.write_table(pa.table(other), tmp_path / "other.parquet")
    found = []
    for path, words in (
        (sample, ()),
        (tmp_path / "other.parquet", ("--set", "dataset.columns.id=key")),
    ):
        out = tmp_path / f"out-{path.stem}.parquet"
        done = trained.command("predict", "mixture", "--dataset", path, "--out", out, *words)
        assert 0 == done.returncode, done.stderr[-3000:]
        found.append(pd.read_parquet(out))

    assert [str(uuid.UUID(int=n)) for n in range(len(table))] == found[1].pop("key").tolist()
    pd.testing.assert_frame_equal(*found)


@pytest.mark.parametrize(
    ("channel", "column", "array", "named"),
    [
        ("text", "text", pa.array([{CANARY: 1}]), "struct of 1 field"),
        ("embeddings", "embeddings", pa.array([[[1.0]]]), "list of lists"),
        ("mixture", "confidence", pa.array([[1.0]]), "list of double"),
        ("mixture", "has_personal_info", pa.array([b"\xff"]), "binary, with bytes"),
    ],
)
def test_predict_names_types_that_it_cannot_read(
    trained, table, channel, column, array, named, tmp_path
):
    """The error has the column, and nothing is written."""
    cells = array.take(pa.array([0] * len(table)))
    at = table.schema.get_field_index(column)
    pq.write_table(table.set_column(at, column, cells), tmp_path / "t.parquet")
    out = tmp_path / "out.parquet"
    done = trained.command("predict", channel, "--dataset", tmp_path / "t.parquet", "--out", out)

    assert 4 == done.returncode, done.stderr[-3000:]
    assert f"column '{column}' has the type {named}" in done.stderr
    assert CANARY not in done.stderr
    assert [tmp_path / "t.parquet"] == list(tmp_path.iterdir())


def test_texts_of_the_command_line_and_of_stdin(trained):
    """Both give one prediction for each text in order; a blank line has no class."""
    texts = ["please delete my data", "  ", "what time is it"]
    done = trained.command("predict", "text", *texts)
    read = run_with_stdin(trained, "\n".join(texts), "predict", "text", "-")
    pipeline, _ = trained.read("text")
    result = json.loads(done.stdout)

    check("text_predictions", done.stdout)
    assert result == json.loads(read.stdout)
    first, blank, last = result["predictions"]
    assert {"label": None, "confidence": None, "is_answered": False} == blank
    assert pipeline.predict([texts[0], texts[2]]).tolist() == [first["label"], last["label"]]
    proba = pipeline.predict_proba([texts[0], texts[2]]).max(axis=1)
    assert np.allclose(proba, [first["confidence"], last["confidence"]], rtol=0, atol=1e-9)


def run_with_stdin(trained, text, *words):
    done = subprocess.run(
        [sys.executable, "-m", "job", *words],
        cwd=trained.folder,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PCC_JOB_STORE__URI": str(trained.folder / "models"),
        },
        input=text if isinstance(text, bytes) else text.encode(),
        capture_output=True,
    )
    done.stderr = done.stderr.decode()
    return done


def test_stdin_that_is_not_utf8_is_refused(trained):
    """The message contains no byte of it."""
    done = run_with_stdin(trained, b"sch\xf6n " + CANARY.encode(), "predict", "text", "-")

    assert 2 == done.returncode
    assert "stdin is not UTF-8 text" in done.stderr
    assert CANARY not in done.stderr


def test_texts_load_no_library_of_tables(trained):
    """The first answer does not wait for pandas, scikit-learn or pyarrow."""
    code = (
        "import sys; sys.argv = ['pcc-job', 'predict', 'text', 'delete my data']\n"
        "from job.cli import main\n"
        "try: main()\n"
        "finally: print([n for n in ('pandas', 'sklearn', 'pyarrow', 'joblib') "
        "if n in sys.modules], file=sys.stderr)"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PCC_JOB_STORE__URI": str(trained.folder / "models"),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )

    assert (0, "[]") == (done.returncode, done.stderr.splitlines()[-1])


@pytest.mark.parametrize("channel", ["embeddings", "mixture"])
def test_text_for_another_input_is_refused(trained, channel):
    """The message says what the model takes, and the command for it, which works."""
    done = trained.command("predict", channel, f"delete {CANARY}")

    assert 2 == done.returncode
    assert "embeddings of 584 values (column 'embeddings')" in done.stderr
    assert "--dataset TABLE --out FILE`" in json.loads(done.stderr.splitlines()[-1])["hint"]
    assert CANARY not in done.stderr


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ((), "nothing to predict"),
        (("--dataset", "t.csv"), "--dataset needs --out"),
        (("hello", "--dataset", "t.csv", "--out", "o.csv"), "both were given"),
        (("--dataset", "t.csv", "--out", "o.txt"), "the ending of a Parquet or CSV file"),
        (("--dataset", "t.csv", "--out", "no/o.csv"), "folder 'no' does not exist"),
        (("--dataset", "t.csv", "--out", "s3://bucket/o.csv"), "--out must be a local path"),
        (("--dataset", "t.csv", "--out", "./t.csv", "--force"), "is the table of --dataset"),
        (("--dataset", "tables", "--out", "tables/t.csv", "--force"), "or is inside it"),
        (("--dataset", "t.csv", "--out", "x" * 300 + ".csv"), "too long"),
    ],
)
def test_wrong_arguments_are_refused(trained, words, problem):
    """The exit code is 2, before anything is read."""
    (trained.folder / "tables").mkdir(exist_ok=True)
    for name in ("t.csv", "tables/t.csv"):
        (trained.folder / name).write_text("text\nhello\n")
    done = trained.command("predict", "text", *words)

    assert 2 == done.returncode, done.stderr
    assert problem in json.loads(done.stderr.splitlines()[-1])["reason"]


def test_missing_table_is_refused_before_libraries_are_loaded(trained):
    """The exit code is 3."""
    done = trained.command("predict", "text", "--dataset", "no.csv", "--out", "o.csv")

    assert 3 == done.returncode, done.stderr
    assert "file 'no.csv' does not exist" in done.stderr


def test_table_without_a_needed_column(trained, table, tmp_path):
    """The exit code is 4; the hint names the setting, and the setting helps."""
    path, out = tmp_path / "t.csv", tmp_path / "o.csv"
    frame = pd.DataFrame({"texts": table["text"].to_pylist(), "secret words": f"{CANARY} 1"})
    frame.to_csv(path, index=False)
    words = ("predict", "text", "--dataset", path, "--out", out)
    done = trained.command(*words)
    hint = json.loads(done.stderr.splitlines()[-1])["hint"]
    helped = trained.command(*words, "--set", "dataset.columns.text=texts")

    assert 4 == done.returncode, done.stderr
    assert "lacks the column 'text'" in done.stderr
    assert "--set dataset.columns.text=texts" in hint
    assert "column 2" in hint
    assert "secret" not in done.stderr
    assert 0 == helped.returncode, helped.stderr
    assert 900 == len(pd.read_csv(out))


def test_version_without_plain_form_is_refused(pcc_job, tmp_path):
    """Its pickle is not read; the message is that of `models load-check`."""
    store, version = DirectoryStore(tmp_path / "models"), name_of("a", 1)
    publish(store, version, "a", {"model.joblib": b"x", "metadata.json": b"{}"})
    done = pcc_job("predict", version, "hello", "--store", store.uri)

    assert 2 == done.returncode, done.stderr
    assert f"{version} is intact, but was published by an earlier release" in done.stderr


def damage(table):
    """Return the table with rows that cannot be predicted; the words of all texts are unique."""
    frame = table.slice(0, 50).to_pandas()
    frame["text"] = [f"{CANARY}{n}x {text}" for n, text in enumerate(frame["text"])]
    frame["row_id"] = [f"r{n}" for n in range(len(frame))]
    vectors = [np.asarray(vector) for vector in frame["embeddings"]]
    vectors[1], vectors[2], vectors[3] = vectors[1][:7], None, np.zeros(584)
    vectors[4] = np.full(584, np.inf)
    frame["embeddings"] = vectors
    frame.loc[[4, 5], "text"] = [None, " \t"]
    return frame


@pytest.mark.parametrize(
    ("channel", "problems"),
    [
        ("text", {"text_missing": [4, 5]}),
        (
            "mixture",
            {
                "embeddings_wrong_width": [1],
                "embeddings_missing": [2],
                "embeddings_all_zeros": [3],
                "text_missing": [4, 5],
            },
        ),
        (
            "embeddings",
            {
                "embeddings_wrong_width": [1],
                "embeddings_missing": [2],
                "embeddings_all_zeros": [3],
                "embeddings_not_finite": [4],
            },
        ),
    ],
)
def test_rows_that_cannot_be_predicted_keep_their_place(
    trained, table, channel, problems, tmp_path
):
    """They have no class, and are counted; the other rows are predicted.  No cell is logged."""
    path, out = tmp_path / "t.parquet", tmp_path / "o.parquet"
    damage(table).to_parquet(path)
    where = ("--dataset", path, "--out", out, "--set", "dataset.columns.id=row_id")
    done = trained.command("predict", channel, *where, "--set", "logs.level=debug")
    assert 0 == done.returncode, done.stderr
    result, found = json.loads(done.stdout), pd.read_parquet(out)
    bad = sorted({row for rows in problems.values() for row in rows})

    assert ["row_id", "label", "confidence", "is_answered"] == list(found)
    assert [f"r{n}" for n in range(50)] == found["row_id"].tolist()
    assert bad == np.flatnonzero(found["label"].isna()).tolist()
    assert bad == np.flatnonzero(found["confidence"].isna()).tolist()
    assert not found["is_answered"][bad].any()
    assert {name: len(rows) for name, rows in problems.items()} == result["not_predicted"]
    assert (50, len(bad)) == (result["n_rows"], result["n_not_predicted"])
    assert "rows_not_predicted" in done.stderr
    assert CANARY not in done.stderr + done.stdout


def test_table_of_which_no_row_can_be_predicted(trained, table, tmp_path):
    """Embeddings of another width are the wrong table: exit code 4, and no file."""
    frame = table.slice(0, 20).to_pandas()
    frame["embeddings"] = [vector[:384] for vector in frame["embeddings"]]
    frame.to_parquet(tmp_path / "t.parquet")
    out = tmp_path / "o.csv"
    done = trained.command(
        "predict", "embeddings", "--dataset", tmp_path / "t.parquet", "--out", out
    )

    assert 4 == done.returncode, done.stderr
    assert "none of the 20 rows" in done.stderr
    assert "embeddings_wrong_width: 20" in done.stderr
    assert ["t.parquet"] == [path.name for path in tmp_path.iterdir()]


def test_output_is_overwritten_only_by_force(trained, sample, tmp_path):
    """The message names the option."""
    out = tmp_path / "o.csv"
    out.write_text("mine")
    words = ("predict", "text", "--dataset", sample, "--out", out)
    refused, kept = trained.command(*words), out.read_text()
    forced = trained.command(*words, "--force")

    assert 2 == refused.returncode
    assert "--force" in refused.stderr
    assert "mine" == kept
    assert 0 == forced.returncode, forced.stderr
    assert 900 == len(pd.read_csv(out))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_killed_command_leaves_no_output(trained, table, number, tmp_path):
    """The file appears complete or not at all; after SIGTERM, nothing is left beside it."""
    big = tmp_path / "in" / "t.parquet"
    big.parent.mkdir()
    with pq.ParquetWriter(big, table.select(["text"]).schema) as writer:
        for _ in range(400):
            writer.write_table(table.select(["text"]))
    folder = tmp_path / "out"
    folder.mkdir()
    words = ("predict", "text", "--dataset", big, "--out", folder / "o.parquet")
    environment = {"PCC_JOB_STORE__URI": str(trained.folder / "models")}
    process = JobProcess(words, environment, tmp_path / "streams")
    ends = time.monotonic() + 120
    while not list(folder.glob(".o.parquet.*.tmp")) and time.monotonic() < ends:
        time.sleep(0.01)
    began = bool(list(folder.iterdir()))
    os.kill(process.pid, number)
    code = process.wait()

    assert began
    assert (-9 if number == signal.SIGKILL else 143) == code
    assert not (folder / "o.parquet").exists()
    assert number == signal.SIGKILL or not list(folder.iterdir())


def test_explanation_lists_terms_and_columns(trained):
    """Weights are sorted, and their signs are those of the pipeline's coefficients."""
    done = trained.command("explain", "text", "data_deletion", "--top", "5")
    mixed = trained.command("explain", "mixture", "data_deletion", "--top", "100000")
    result, all_features = json.loads(done.stdout), json.loads(mixed.stdout)
    kinds = {f["kind"] for f in (*all_features["for_class"], *all_features["against_class"])}

    check("explanation", done.stdout)
    assert 5 == len(result["for_class"]) == len(result["against_class"])
    weights = [f["weight"] for f in result["for_class"]]
    assert sorted(weights, reverse=True) == weights
    assert weights[-1] > 0 > result["against_class"][0]["weight"]
    assert {"word", "characters", "numeric", "boolean"} == kinds
    assert 584 == all_features["n_unnamed"]
    assert "584 dimensions of embeddings" in all_features["notes"][0]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("text", "data_deletoin"), "(did you mean 'data_deletion'?)"),
        (("embeddings", "data_deletion"), "584 dimensions have no names"),
    ],
)
def test_class_that_cannot_be_explained(trained, words, problem):
    """The exit code is 2; the message says why."""
    done = trained.command("explain", *words)

    assert 2 == done.returncode, done.stderr
    assert problem in json.loads(done.stderr.splitlines()[-1])["reason"]
