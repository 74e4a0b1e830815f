"""Rows with suspected labels are listed only if the settings enable it."""

import json

import numpy as np
import pytest

CANARY = "zq-canary-"
PERSON = "person-zq-"


@pytest.fixture
def flipped(table, tmp_path):
    """One label in ten is wrong; each text has a unique word, and each row an id."""
    frame = table.to_pandas()
    rng = np.random.default_rng(0)
    classes = np.unique(frame.intent)
    is_wrong = rng.random(len(frame)) < 0.1
    codes = np.searchsorted(classes, frame.intent) + is_wrong * rng.integers(
        1, len(classes), len(frame)
    )
    frame["intent"] = classes[codes % len(classes)]
    frame["text"] = [f"{text} {CANARY}{n:05}" for n, text in enumerate(frame.text)]
    frame["record_id"] = [f"{PERSON}{n:05}" for n in range(len(frame))]
    path = tmp_path / "flipped.parquet"
    frame.to_parquet(path)
    return path, is_wrong


def _holding(folder, word):
    return [p for p in folder.rglob("*") if p.is_file() and word.encode() in p.read_bytes()]


@pytest.mark.parametrize("is_allowed", [False, True])
def test_label_issues(flipped, train, result_of, tmp_path, is_allowed):
    """The list belongs to the run, not to the version, and contains ids, positions and labels."""
    path, is_wrong = flipped
    done = train(
        path,
        "--set",
        "dataset.columns.id=record_id",
        "--set",
        f"evaluation.label_issues={str(is_allowed).lower()}",
    )
    result = result_of(done)
    models = tmp_path / "models"
    attempt = models / "runs" / result["run_id"] / "1" / "label_issues.json"
    evaluation = json.loads((models / result["version"] / "evaluation.json").read_text())

    assert 0.03 < evaluation["label_noise"]["share"]["value"] < 0.3
    assert PERSON not in done.stdout + done.stderr
    assert CANARY not in done.stdout + done.stderr
    assert [] == _holding(models, CANARY)
    assert ([attempt] if is_allowed else []) == _holding(models, PERSON)
    if is_allowed:
        issues = json.loads(attempt.read_text())["issues"]
        assert {"id", "row", "given", "likely", "label_quality"} == set(issues[0])
        assert all(issue["id"] == f"{PERSON}{issue['row']:05}" for issue in issues)
        assert is_wrong[[issue["row"] for issue in issues]].mean() > 0.5
