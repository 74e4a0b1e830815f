"""Out-of-scope requests in a real process: checked, predicted by the published model, reported."""

import json

import numpy as np
import pandas as pd
import pytest
from support.request_sets import LABELS, make_texts, read, start_with


def make_rows(n_rows, seed, centers):
    """Generate texts of random words, and embeddings around the center of each row."""
    rng = np.random.default_rng(seed)
    X = np.asarray(centers) + 0.4 * rng.standard_normal((n_rows, 12))
    return pd.DataFrame({"text": make_texts(n_rows, rng), "embedding": list(X.astype(np.float32))})


@pytest.fixture
def nowhere():
    """Return requests: half of them between all classes, and half of them in class `drop`."""
    centers = np.vstack([np.tile(np.eye(3, 12).mean(axis=0), (30, 1)), np.eye(3, 12)[[1] * 30]])
    return make_rows(60, 1, centers)


@pytest.fixture
def run(pcc_job, tmp_path):
    y = np.arange(900) % 3
    table = make_rows(900, 0, np.eye(3, 12)[y]).assign(intent=LABELS[y])
    table.to_parquet(tmp_path / "table.parquet")

    def start(requests, *settings, command="run", options=()):
        return start_with(
            pcc_job,
            tmp_path,
            requests,
            settings,
            name="nowhere.parquet",
            setting="evaluation.out_of_scope_uri",
            command=command,
            options=options,
        )

    return start


def test_requests_are_counted_by_the_threshold_of_the_version(run, result_of, tmp_path, nowhere):
    """They have no labels; digest, share and interval are published."""
    done = run(nowhere, "decision.target_precision=0.97")
    result = result_of(done)
    evaluation, metadata = (
        read(tmp_path, result, f"{name}.json") for name in ("evaluation", "metadata")
    )
    found = evaluation["out_of_scope"]
    requests, answered = found["requests"], found["requests"]["answered"]
    card = (tmp_path / "models" / result["version"] / "model_card.md").read_text()

    assert 0.3 < found["threshold"] == metadata["decision"]["threshold"]
    assert (60, 60) == (requests["n_rows"], requests["n_groups"])
    assert 20 < requests["n_answered"] < 60
    assert answered["lower"] < requests["n_answered"] / 60 < answered["upper"]
    assert 60 == sum(requests["predicted"].values())
    assert requests["predicted"]["drop"] >= 30
    assert found["empty"]["predicted"] in LABELS
    assert metadata["out_of_scope_data_digest"].startswith("sha256:")
    assert '"out_of_scope_judged"' in done.stderr
    assert f"{100 * requests['n_answered'] / 60:.1f}% of 60 are answered" in card
    assert any("Requests of no class" in text for text in metadata["limitations"])


def test_run_without_a_set_judges_the_empty_request_and_says_so(run, result_of, tmp_path):
    result = result_of(run(None))
    metadata = read(tmp_path, result, "metadata.json")
    found = read(tmp_path, result, "evaluation.json")["out_of_scope"]

    assert found["requests"] is None
    assert 1 / 3 <= found["empty"]["confidence"] <= 1
    assert "out_of_scope_data_digest" not in metadata
    assert any("belong to no class was not measured" in text for text in metadata["limitations"])


def test_model_of_texts_and_numbers_judges_the_empty_request(run, result_of, tmp_path, nowhere):
    """It is a text without characters; numbers that the set lacks are missing."""
    table = pd.read_parquet(tmp_path / "table.parquet")
    table.assign(length=np.arange(900.0)).to_parquet(tmp_path / "table.parquet")
    requests = nowhere.assign(length=[None, 3.0] * 30, intent="canary")
    settings = (
        "features.use=[text, embeddings, numeric]",
        "dataset.columns.numeric=[length]",
    )
    done = run(requests, *settings)
    found = read(tmp_path, result_of(done), "evaluation.json")["out_of_scope"]

    assert 60 == found["requests"]["n_rows"]
    assert found["empty"]["confidence"] < 1
    assert "canary" not in json.dumps(found)


def test_set_that_lacks_what_a_candidate_takes_is_2(run, tmp_path, nowhere):
    """The error comes before the search and names column and setting; so does `validate`."""
    for command in ("run", "validate"):
        done = run(nowhere.drop(columns="embedding"), command=command)

        assert 2 == done.returncode
        assert "out-of-scope set 'nowhere.parquet' lacks 'embedding'" in done.stderr
        assert "evaluation.out_of_scope_uri" in done.stderr
    assert not list((tmp_path / "models").glob("v*"))


def test_unsound_embedding_is_4(run, nowhere):
    nowhere.at[7, "embedding"] = np.full(12, np.nan, np.float32)
    done = run(nowhere, command="validate")

    assert 4 == done.returncode
    assert "1 of 60 rows violates 'out_of_scope_embeddings_not_finite'" in done.stderr


def test_another_set_is_another_run(run, result_of, tmp_path, nowhere):
    """A run id stands for one set, wherever it is stored: the report contains its results."""
    nowhere.to_parquet(tmp_path / "moved.parquet")
    first, same, other, none = (
        run(requests, options=("--run-id", "one"))
        for requests in (nowhere, nowhere, nowhere[:50], None)
    )

    moved = run(None, "evaluation.out_of_scope_uri=moved.parquet", options=("--run-id", "one"))

    assert "published" == result_of(first)["outcome"]
    assert ["already_published"] * 2 == [result_of(some)["outcome"] for some in (same, moved)]
    assert (2, 2) == (other.returncode, none.returncode)
    assert "run id 'one' was used" in other.stderr


def test_set_changes_nothing_but_its_own_part(run, result_of, tmp_path, nowhere):
    """It affects no training, choice or decision."""
    results = [result_of(run(requests, "publish.channel=null")) for requests in (nowhere, None)]
    folders = [tmp_path / "models" / result["version"] for result in results]
    parts = [read(tmp_path, result, "evaluation.json") for result in results]
    for part in parts:
        del part["out_of_scope"], part["latency"], part["gate"]

    assert 1 == len({(folder / "model.joblib").read_bytes() for folder in folders})
    assert parts[0] == parts[1]


def test_no_word_of_a_request_reaches_an_output(run, tmp_path, nowhere):
    """This covers logs and all files of the store."""
    nowhere["text"] += [f" zqcanary{n}x" for n in range(60)]
    done = run(nowhere, "features.use=[text, embeddings]", "logs.level=debug")
    files = [path for path in (tmp_path / "models").rglob("*") if path.is_file()]

    assert 0 == done.returncode, done.stderr
    assert len(files) > 8
    assert "zqcanary" not in done.stdout + done.stderr
    assert [] == [path.name for path in files if b"zqcanary" in path.read_bytes()]
