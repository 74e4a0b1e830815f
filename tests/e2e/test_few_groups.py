"""Several nights on a table of few groups, in real processes with a real folder."""

import json

import numpy as np
import pandas as pd
import pytest
from support.settings import OPEN

SETTINGS = (
    "expectations.suite=labelled_embeddings",
    "dataset.columns.embeddings=embedding",
    "search.estimators={logistic_regression: {C: [10]}}",
    "evaluation.slices=[]",
)


def write_table(path, seed, *, n_groups=90, wrong=0.0):
    """Write about 900 rows in groups of different sizes; a group's texts are near-duplicates."""
    rng = np.random.default_rng(0)
    centers = rng.standard_normal((120, 16)) + 4 * np.eye(16)[np.arange(120) % 3]
    words = np.array([f"w{chr(97 + n % 26)}{chr(97 + n // 26)}x" for n in range(400)])
    openings = [" ".join(rng.choice(words, 14)) for _ in range(120)]
    sizes = rng.geometric(0.1, 120)
    rng = np.random.default_rng(seed)
    present = np.sort(rng.permutation(120)[:n_groups])
    groups = np.repeat(present, sizes[present])
    labels = groups % 3
    spoilt = np.isin(groups, rng.permutation(present)[: round(wrong * n_groups)])
    X = centers[groups] + 0.1 * rng.standard_normal((len(groups), 16))
    pd.DataFrame(
        {
            # a third of the texts stand in every night's table
            "text": [
                f"{openings[g]} {words[n % 9 if n % 3 == 0 else rng.integers(400)]}"
                for g, size in zip(present, sizes[present], strict=True)
                for n in range(size)
            ],
            "intent": np.array(["ask", "drop", "stop"])[np.where(spoilt, (labels + 1) % 3, labels)],
            "embedding": list(X.astype(np.float32)),
        }
    ).to_parquet(path)
    return path


@pytest.fixture
def night(pcc_job, tmp_path):
    def run(seed, *arguments, **table):
        path = write_table(tmp_path / f"night{seed}.parquet", seed, **table)
        options = [word for value in SETTINGS for word in ("--set", value)]
        return pcc_job(
            *("run", "--dataset", path, "--store", "models", "--set", "dataset.min_rows=100"),
            *options,
            *arguments,
        )

    return run


def evaluation_of(folder, result):
    return json.loads((folder / "models" / result["version"] / "evaluation.json").read_text())


def test_second_night_is_promoted_and_compared_on_all_shared_groups(
    night, pcc_job, result_of, tmp_path
):
    """By default, the table cannot show the margin, and the first champion becomes the anchor."""
    first, second = result_of(night(1)), result_of(night(2))
    third = result_of(night(3))
    found = evaluation_of(tmp_path, second)
    comparison, models = found["gate"]["comparisons"]
    listed = result_of(pcc_job("models", "list", "--store", "models"))

    assert ("cross_fit", "shared_groups") == (found["method"], comparison["basis"])
    assert 40 < comparison["n_groups"] < 90
    assert found["holdout"]["n_rows"] < found["n_test"] == sum(map(sum, found["confusion"]))
    assert {"production": first["version"]} == listed["anchors"]
    assert third["version"] == listed["channels"]["production"]
    assert ("champion_model", "new_rows") == (models["role"], models["basis"])
    roles = [c["role"] for c in evaluation_of(tmp_path, third)["gate"]["comparisons"]]
    assert ["champion", "champion_model", "anchor"] == roles


def test_night_with_many_wrong_groups_is_rejected(night, result_of):
    """Nothing is published, and the reason states the finding."""
    result_of(night(1))
    done = night(2, "--set", OPEN, wrong=0.3)

    assert 6 == done.returncode
    assert "shared with its table" in done.stderr


def test_what_a_run_keeps_of_its_groups_holds_no_text(night, result_of, tmp_path):
    """The file contains counts by digest; the version refers to it by the file's own digest."""
    result = result_of(night(1))
    (path,) = (tmp_path / "models/runs" / result["run_id"] / "group_errors").iterdir()
    metadata = json.loads((tmp_path / "models" / result["version"] / "metadata.json").read_text())
    content = json.loads(path.read_text())

    assert f"sha256:{path.stem}" == metadata["cross_fit"]["group_errors_digest"]
    counts = {"classes", "key_groups", "groups", "y_true", "y_pred", "n_rows"}
    assert {*counts, "keys", "key_id"} == set(content)
    assert sum(content["n_rows"]) == metadata["cross_fit"]["n_rows"]


def test_lost_record_of_the_champion_leaves_the_hold_out(night, result_of, tmp_path):
    """The record may have been removed; the log says so."""
    first = result_of(night(1))
    for path in (tmp_path / "models/runs" / first["run_id"] / "group_errors").iterdir():
        path.unlink()
    done = night(2, "--set", "gate.incomparable_champion=warn")
    (comparison,) = evaluation_of(tmp_path, result_of(done))["gate"]["comparisons"]

    assert "new_rows" == comparison["basis"]
    assert '"group_errors_not_read"' in done.stderr


def test_dry_run_sets_no_anchor(night, pcc_job, result_of):
    """A dry run moves no pointer."""
    result_of(night(1))
    result_of(night(2, "--dry-run"))

    assert {} == result_of(pcc_job("models", "list", "--store", "models"))["anchors"]
