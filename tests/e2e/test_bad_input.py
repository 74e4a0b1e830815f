"""Bad input in a real process: exit code and clear error, nothing published, no cell disclosed."""

import gzip
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

SECRET = "zq-secret-cell"


def _frame(table):
    return table.to_pandas()


def _write(frame, path):
    frame.to_parquet(path)
    return path


def _broken(kind, table, path):
    frame = _frame(table)
    n = len(frame)
    if kind == "missing_column":
        frame = frame.drop(columns=["intent", "embeddings"])
    elif kind == "unknown_label":
        frame.loc[: n // 2, "intent"] = SECRET
    elif kind == "null_labels":
        frame.loc[: n // 2, "intent"] = None
    elif kind == "unequal_width":
        frame["embeddings"] = [e[: 100 + 484 * (i % 2)] for i, e in enumerate(frame["embeddings"])]
    elif kind == "nan":
        frame["embeddings"] = [
            np.full(584, np.nan) if i % 2 else e for i, e in enumerate(frame["embeddings"])
        ]
    elif kind == "infinite":
        frame["embeddings"] = [
            np.full(584, np.inf) if i % 2 else e for i, e in enumerate(frame["embeddings"])
        ]
    elif kind == "one_class":
        frame["intent"] = "other"
    elif kind == "few_rows":
        frame = frame.head(20)
    elif kind == "tiny_class":
        frame = frame[(frame["intent"] != "opt_out") | (frame.index < 3)].reset_index(drop=True)
        frame.loc[0, "intent"] = "opt_out"
    return _write(frame, path)


@pytest.mark.parametrize(
    ("kind", "code", "words"),
    [
        ("missing_column", 4, ["'embeddings', 'intent'"]),
        ("unknown_label", 4, ["target", "expect_column_values_to_be_in_set"]),
        ("null_labels", 4, ["target", "not_be_null"]),
        ("unequal_width", 4, ["embeddings"]),
        ("nan", 4, ["embeddings_is_finite", "450 of 900"]),
        ("infinite", 4, ["embeddings_is_finite"]),
        ("one_class", 4, ["unique_value_count"]),
        ("few_rows", 4, ["row_count", "20"]),
        ("tiny_class", 5, ["opt_out"]),
    ],
)
def test_broken_table(kind, code, words, train, table, tmp_path):
    done = train(_broken(kind, table, tmp_path / "t.parquet"))

    assert code == done.returncode, done.stderr[-1500:]
    for word in words:
        assert word in done.stderr
    assert SECRET not in done.stderr + done.stdout
    assert not list((tmp_path / "models").glob("v*"))
    record = json.loads(next((tmp_path / "models/runs").glob("*/1.json")).read_text())
    assert code == record["exit_code"]
    assert SECRET not in json.dumps(record)


def test_broken_json_cells(train, table, tmp_path):
    frame = _frame(table)
    frame["embeddings"] = [
        f"[{SECRET}" if i % 2 else json.dumps(list(e)) for i, e in enumerate(frame["embeddings"])
    ]
    frame.to_csv(tmp_path / "t.csv", index=False)
    done = train(tmp_path / "t.csv")

    assert done.returncode == 4
    assert "embeddings" in done.stderr
    assert SECRET not in done.stderr


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("absent.parquet", None, "does not exist"),
        ("empty.csv", b"", "empty"),
        ("empty.parquet", b"", "empty"),
        ("header.csv", b"text,intent,embeddings\n", "no rows"),
        ("not.parquet", SECRET.encode() * 50, "not a readable Parquet"),
        (
            "utf8.csv",
            b"text,intent,embeddings\n\xff\xfe"
            + SECRET.encode()
            + b",a,[1]\nx,\xe9,[2]\n\xe9,b,[3]",
            "is not UTF-8 text: 1 cell of 'intent', 2 cells of 'text'",
        ),
        (
            "latin.csv",
            b"text,intent,embeddings\n\xe9,a\n" + SECRET.encode() + b",\xe9,[1],more\n",
            "is not UTF-8 text: 1 cell of 'intent', 1 cell of 'text'",
        ),
        (
            "late.csv.gz",
            gzip.compress(b"text,intent,embeddings\n" + b"a,b,[1]\n" * 3_000_000 + b"\xe9\n"),
            "is not UTF-8 text: 1 cell of 'text'",
        ),
        ("header.csv", b"text,int\xe9nt\n" + SECRET.encode(), "is not UTF-8 text: the header"),
        ("cut.csv", f"text,intent\n{SECRET},a".encode("utf-16")[:-1], "is not UTF-16 text"),
        ("wide.csv", f"text,intent\n{SECRET},a".encode("utf-32"), "is UTF-32"),
        (
            "packed.csv",
            gzip.compress(SECRET.encode()),
            "is compressed with gzip, but its name does not end in .gz",
        ),
        (
            "ragged.csv",
            b"text,intent,embeddings\n" + SECRET.encode() + b",a\n",
            "1 row has a different number of cells than the header, which has 3",
        ),
        (
            "ragged2.csv",
            b"text,intent,embeddings\n" + SECRET.encode() + b",a\n1,2,3,4\n",
            "2 rows have a different number of cells than the header, which has 3",
        ),
        ("bad.csv.gz", SECRET.encode(), "is not compressed with gzip"),
    ],
)
def test_unreadable_file(name, content, words, train, tmp_path):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    done = train(tmp_path / name)

    assert done.returncode == 3, done.stderr[-1500:]
    assert words in done.stderr
    assert name in done.stderr
    assert SECRET not in done.stderr
    assert all(line.startswith("{") for line in done.stderr.splitlines())


def test_bad_utf8_in_parquet(train, table, tmp_path):
    """Parquet writers do not check their input."""
    broken = pa.array([b"\xe9"] * 2 + [b"fine"] * (len(table) - 2)).view(pa.string())
    pq.write_table(table.set_column(0, "text", broken), tmp_path / "t.parquet")
    done = train(tmp_path / "t.parquet")

    assert 3 == done.returncode
    assert "column 'text' has text that is not UTF-8 (in 2 cells or more)" in done.stderr


def test_truncated_parquet(train, sample, tmp_path):
    path = tmp_path / "cut.parquet"
    path.write_bytes(sample.read_bytes()[:-2000])

    assert train(path).returncode == 3


def test_duplicate_columns(train, table, tmp_path):
    path = tmp_path / "twice.parquet"
    pq.write_table(table.append_column("text", table["text"]), path)
    done = train(path)

    assert done.returncode == 4
    assert "more than one column named 'text'" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--set", "search.metrik=accuracy"], "did you mean 'search.metric'"),
        (["--set", "search.metric=acuracy"], "search.metric"),
        (["--set", "search.estimators={linear_svm: {}}"], "did you mean 'linear_svc'"),
        (["--set", "search.estimators={linear_svc: {c: [1]}}"], "did you mean 'C'"),
        (["--set", "search.estimators={logistic_regression: {C: [-1]}}"], "'C' parameter"),
        (["--set", "split.test_fraction=2"], "split.test_fraction"),
        (
            ["--set", "dataset.columns.numeric=[intent]"],
            "columns with more than one role: 'intent'",
        ),
        (["--set", "expectations.suite=curated"], "suite 'curated' does not exist"),
        (["--set", "expectations.parameters={validty: 1}"], "did you mean 'validity'"),
        (
            ["--set", "features.use=[text]", "--set", "dataset.columns.text=null"],
            "does not name a column",
        ),
        (["--datset", "x"], "--dataset"),
        (["--dataset", ""], "dataset.uri"),
        (["--store", ""], "store.uri"),
        (["--store", "/proc/models"], "/proc/models"),
        (["--config", "absent.yaml"], "absent.yaml"),
    ],
)
def test_impossible_request(arguments, words, train, sample, tmp_path):
    done = train(sample, *arguments)

    assert done.returncode == 2, done.stderr[-1500:]
    assert words in done.stderr
    assert not list((tmp_path / "models").glob("v*"))


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("search.estimators={logistic_regression: {CC: [1]}}", "did you mean 'C'"),
        ("expectations.parameters={validty: 1}", "did you mean 'validity'"),
        ("dataset.columns.embeddings=null", "does not name a column"),
        (
            "expectations.suite=own.json",
            "'nothing', which is not a column that dataset.columns names",
        ),
    ],
)
def test_config_check_finds_what_a_run_would_refuse(setting, words, pcc_job, tmp_path):
    """An operator finds out before the night in which it matters."""
    expectation = {"type": "expect_column_to_exist", "kwargs": {"column": "nothing"}}
    (tmp_path / "own.json").write_text(json.dumps({"expectations": [expectation]}))
    done = pcc_job("config", "check", "--set", setting)

    assert 2 == done.returncode
    assert words in done.stderr


def test_config_check_accepts_every_suite(pcc_job):
    """Parameters that are taken from the table need no value in advance."""
    suites = ["labelled_text", "labelled_embeddings", "curated_training_data"]
    done = [pcc_job("config", "check", "--set", f"expectations.suite={name}") for name in suites]

    assert [0, 0, 0] == [process.returncode for process in done], done[0].stderr


def test_misspelt_variable(train, sample):
    done = train(sample, PCC_JOB_SEARCH__FOLD="3")

    assert done.returncode == 2
    assert "PCC_JOB_SEARCH__FOLDS" in done.stderr


def test_no_such_version_or_channel(pcc_job):
    assert pcc_job("models", "show", "v20260101_000000_00000000").returncode == 2
    assert pcc_job("models", "fetch", "staging", "out").returncode == 2


@pytest.mark.parametrize("command", ["list", "prune", "history"])
def test_store_that_is_not_there_is_no_empty_store(command, pcc_job, tmp_path):
    """A misspelled folder would look like a store without versions."""
    done = pcc_job("models", command, "--store", "modles")

    assert (2, []) == (done.returncode, list(tmp_path.iterdir()))
    assert "store 'modles' does not exist" in done.stderr


def test_store_of_no_version_yet_is_empty(pcc_job, result_of, tmp_path):
    """A run that was rejected leaves such a store."""
    (tmp_path / "models").mkdir()

    assert [] == result_of(pcc_job("models", "list"))["versions"]


def test_rows_broken_within_tolerance_are_dropped_and_counted(train, result_of, table, tmp_path):
    frame = _frame(table)
    cells = list(frame["embeddings"])
    cells[3], cells[5] = np.full(584, np.nan), cells[5][:100]
    frame["embeddings"] = cells
    frame.loc[7, "intent"] = None
    result = result_of(train(_write(frame, tmp_path / "t.parquet")))

    report = json.loads((tmp_path / "models" / result["version"] / "validation.json").read_text())
    assert report["n_dropped"] == 3
    assert sum(report["dropped_by_rule"].values()) == 3


def test_schema_evolution(train, result_of, table, sample, tmp_path):
    """New, missing or renamed columns and other encodings give equal content or a clear error."""
    baseline = result_of(train(sample, store=tmp_path / "a"))["dataset"]["content_digest"]
    frame = _frame(table)
    encoded = pa.table(
        {
            **{name: table[name] for name in table.column_names},
            "text": table["text"].cast(pa.large_string()),
            "intent": table["intent"].dictionary_encode(),
            "timestamp": table["timestamp"].cast(pa.timestamp("ns", "UTC")),
            "embeddings": pa.array(list(frame["embeddings"]), pa.list_(pa.float32(), 584)),
            "extra": pa.array([SECRET] * len(frame)),
        }
    )
    pq.write_table(encoded, tmp_path / "e.parquet", row_group_size=100)
    done = train(tmp_path / "e.parquet", store=tmp_path / "b")
    assert baseline == result_of(done)["dataset"]["content_digest"]
    assert '"columns": ["extra"]' in done.stderr
    assert SECRET not in done.stderr

    renamed = table.drop_columns(["urgency_score"]).rename_columns(
        {"text": "message", "intent": "label"}
    )
    pq.write_table(renamed, tmp_path / "r.parquet")
    aliases = ["--set", "dataset.aliases={message: text, label: intent}"]
    assert (
        result_of(train(tmp_path / "r.parquet", *aliases, store=tmp_path / "c"))["outcome"]
        == "published"
    )


def test_gzip_csv_and_wide_columns(train, result_of, table, tmp_path):
    frame = _frame(table)
    wide = pd.DataFrame(np.stack(frame["embeddings"]), columns=[f"dim_{i}" for i in range(584)])
    both = pd.concat([frame.drop(columns=["embeddings"]), wide], axis=1)
    (tmp_path / "w.csv.gz").write_bytes(gzip.compress(both.to_csv(index=False).encode()))
    done = train(tmp_path / "w.csv.gz", "--set", "dataset.columns.embeddings='dim_*'")

    assert result_of(done)["outcome"] == "published"
