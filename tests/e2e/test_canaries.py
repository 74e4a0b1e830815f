"""Words that occur in one row only, in any column, reach no output of a run at any log level."""

import io
import pickle

import joblib
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

# whoever writes a word cuts it where it may, so the middle of each is looked for
CANARY = "zqcanary"
N_PLANTED = 40


def plant(table):
    """Insert a unique word into every text, id, group, category and date of some rows."""
    frame = table.to_pandas()
    n = len(frame)
    words = np.array([f"{CANARY}{row}x" for row in range(n)])
    is_planted = np.zeros(n, bool)
    is_planted[np.random.default_rng(0).permutation(n)[:N_PLANTED]] = True
    frame["text"] = np.where(is_planted, frame["text"] + " " + words, frame["text"])
    frame["record_id"] = words
    frame["source"] = np.where(is_planted, words, np.array(["web", "app"])[np.arange(n) % 2])
    frame["customer"] = np.where(is_planted, words, [f"c{row}" for row in range(n)])
    frame["note"] = words
    planted = pa.Table.from_pandas(frame, preserve_index=False)
    return planted.replace_schema_metadata({f"{CANARY} owner": f"{CANARY} 4711", "seed": "7"})


def spellings(word):
    return [word.encode(code) for code in ("utf-8", "utf-16-le", "utf-32-le")]


def test_no_word_of_a_single_row_reaches_an_output(train, table, tmp_path):
    """This covers logs, results, all files of the store, and the unpacked model."""
    pq.write_table(plant(table), tmp_path / "curated.parquet")
    asked = {
        "logs.level": "debug",  # the other levels log less
        "features.use": "[text, embeddings, categorical, boolean]",
        "dataset.columns.categorical": "[source]",
        "dataset.columns.id": "record_id",
        "dataset.columns.group": "customer",
    }
    settings = [part for key, value in asked.items() for part in ("--set", f"{key}={value}")]
    done = train("curated.parquet", *settings)

    assert 0 == done.returncode, done.stderr
    files = [path for path in (tmp_path / "models").rglob("*") if path.is_file()]
    outputs = {str(path.relative_to(tmp_path)): path.read_bytes() for path in files}
    outputs |= {"stdout": done.stdout.encode(), "stderr": done.stderr.encode()}
    payload = next(data for name, data in outputs.items() if name.endswith("model.joblib"))
    outputs["unpacked model"] = pickle.dumps(joblib.load(io.BytesIO(payload)))
    found = [name for name, data in outputs.items() if any(s in data for s in spellings(CANARY))]
    assert [] == found


def test_words_that_many_rows_share_are_found_where_they_stand(train, table, tmp_path):
    """The search for words works: a category of many rows is found in the model."""
    frame = plant(table).to_pandas()
    frame["source"] = np.where(np.arange(len(frame)) % 2, CANARY, "web")
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), tmp_path / "curated.parquet")
    asked = ["features.use=[embeddings, categorical]", "dataset.columns.categorical=[source]"]
    done = train("curated.parquet", *[part for one in asked for part in ("--set", one)])

    assert 0 == done.returncode, done.stderr
    payload = next((tmp_path / "models").rglob("model.joblib")).read_bytes()
    unpacked = pickle.dumps(joblib.load(io.BytesIO(payload)))
    assert any(s in unpacked for s in spellings(CANARY))
