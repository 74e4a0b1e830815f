"""If a table differs from the champion's, the run reports it or fails, as the settings say."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest


@pytest.fixture
def moved(table, tmp_path):
    """Write the sample again with one shifted column of numbers."""
    frame = table.to_pandas()
    frame["urgency_score"] = 1 - (1 - frame["urgency_score"]) / 3
    path = tmp_path / "moved.parquet"
    changed = pa.Table.from_pandas(frame, preserve_index=False)
    pq.write_table(changed.replace_schema_metadata(table.schema.metadata), path)
    return path


def drift_of(tmp_path, version):
    return json.loads((tmp_path / "models" / version / "evaluation.json").read_text())["drift"]


def test_drift_is_told_in_log_and_report(train, result_of, sample, moved, tmp_path):
    """The first run has no champion to compare with; the same table has no drift."""
    first, same = (result_of(train(sample))["version"] for _ in range(2))
    done = train(moved)
    version = result_of(done)["version"]

    assert drift_of(tmp_path, first) is None
    told = [drift_of(tmp_path, name) for name in (same, version)]
    assert [first, same] == [drift["champion"] for drift in told]
    found = [{m["subject"] for m in drift["measures"] if m["is_drift"]} for drift in told]
    assert [set(), {"column urgency_score"}] == found
    [line] = [json.loads(x) for x in done.stderr.splitlines() if '"drift_measured"' in x]
    assert line["level"] == "warning"
    assert "column urgency_score: psi" in line["found"][0]
    assert "column urgency_score" in (tmp_path / "models" / version / "report.html").read_text()


def test_drift_that_fails_is_4_and_leaves_the_champion(train, result_of, sample, moved, tmp_path):
    """The run fails before the search; its folder contains the findings."""
    version = result_of(train(sample))["version"]
    done = train(moved, "--set", "drift.action=fail", "--run-id", "night")

    record = json.loads((tmp_path / "models/runs/night/1.json").read_text())
    report = (tmp_path / "models/runs/night/1/drift.json").read_text()
    pointer = json.loads((tmp_path / "models/channels/production.json").read_text())
    assert done.returncode == 4
    last = json.loads(done.stderr.splitlines()[-1])
    assert "(drift, " in last["reason"] and "column urgency_score: psi" in last["reason"]
    assert "drift.action=warn" in last["hint"]
    assert ("drift", False) == (record["failed_stage"], "search" in record["stages"])
    assert [version] == [p.name for p in (tmp_path / "models").glob("v*")]
    assert pointer["version"] == version
    assert any(measure["is_drift"] for measure in json.loads(report)["measures"])


def test_drift_is_not_looked_for_where_it_is_ignored(train, result_of, sample, moved, tmp_path):
    result_of(train(sample))
    done = train(moved, "--set", "drift.action=ignore")

    assert drift_of(tmp_path, result_of(done)["version"]) is None
    assert "drift_measured" not in done.stderr
