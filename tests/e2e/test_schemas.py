"""Every JSON file that a run writes, and its output, match their published schemas."""

import jsonschema
import pytest
from support.schemas import check

VERSION_FILES = {"evaluation", "manifest", "metadata", "profile", "validation"}


def schema_of(path):
    """Return the schema of a file of a store, by its path below the store."""
    parts = path.split("/")
    if parts[0] == "channels":
        return "channel_move" if "history" in parts else "channel_pointer"
    if parts[0] == "runs" and len(parts) == 3:
        return None if parts[-1] == "claim.json" else "run_record"
    if parts[0] == "runs" and parts[2] in ("seen", "group_errors", "latency", "published"):
        return None  # of the job's later runs alone
    return parts[-1].removesuffix(".json").rpartition(".")[2]


def check_store(folder):
    """Check all JSON files of a store; return the schemas that they match."""
    paths = [path.relative_to(folder).as_posix() for path in folder.rglob("*.json")]
    schemas = {path: schema_of(path) for path in paths}
    for path, schema in schemas.items():
        if schema is not None:
            check(schema, (folder / path).read_bytes())
    return set(schemas.values()) - {None}


@pytest.fixture
def store(tmp_path):
    return tmp_path / "models"


@pytest.fixture
def mislabelled(table, tmp_path):
    """Every tenth label is wrong; each row has an id."""
    frame = table.to_pandas()
    frame.loc[::10, "intent"] = frame["intent"].to_numpy()[::-10]
    frame["record_id"] = [f"id-{n}" for n in range(len(frame))]
    path = tmp_path / "mislabelled.parquet"
    frame.to_parquet(path)
    return path


def test_files_of_published_versions(train, sample, mislabelled, store):
    """Two versions are compared and promoted; the second run lists suspected labels."""
    listed = ("dataset.columns.id=record_id", "evaluation.label_issues=true", "gate.margin=1")
    first = train(sample)
    second = train(mislabelled, *(flag for item in listed for flag in ("--set", item)))

    for done in (first, second):
        assert 0 == done.returncode, done.stderr
        check("run_result", done.stdout)
    assert {
        *VERSION_FILES,
        "channel_move",
        "channel_pointer",
        "label_issues",
        "run_record",
    } == check_store(store)


def test_files_of_runs_that_publish_nothing(train, pcc_job, sample, table, store, tmp_path):
    """These runs are rejected, drifted, invalid, or failed before anything was read."""
    rejected = train(sample, "--set", "gate.floors.accuracy=1.0")
    assert 6 == rejected.returncode
    check("run_result", rejected.stdout)
    dry = train(sample, "--dry-run")
    check("run_result", dry.stdout)
    assert {"run_record", "evaluation", "metadata", "validation"} == check_store(store)

    frame = table.to_pandas()
    assert 0 == train(sample).returncode
    is_rare = frame["intent"].isin(["other", "opt_out"])
    frame[~is_rare | (frame.index % 3 == 0)].to_parquet(tmp_path / "shifted.parquet")
    drifted = train(tmp_path / "shifted.parquet", "--set", "drift.action=fail")
    assert 4 == drifted.returncode, drifted.stderr
    frame["intent"] = "nonsense"
    frame.to_parquet(tmp_path / "invalid.parquet")
    assert 4 == train(tmp_path / "invalid.parquet").returncode
    enough = ("--set", "dataset.min_rows=100")
    for name, code in (("shifted", 0), ("invalid", 4)):
        validated = pcc_job("validate", "--dataset", tmp_path / f"{name}.parquet", *enough)
        assert code == validated.returncode
        check("validation", validated.stdout)
    assert 3 == train(tmp_path / "absent.parquet").returncode
    assert "drift" in check_store(store)


def test_unknown_property_is_refused_of_our_own_files():
    """Consumers accept it; the check of the job's own files does not."""
    with pytest.raises(jsonschema.ValidationError, match="later"):
        check("channel_pointer", '{"version": "v20260101_000000_aaaaaaaa", "later": 1}')
