"""Lineage keys of real runs: mounted, rotated, lost, another one, and the store's own."""

import json
import shutil
import stat

import pandas as pd
import pytest
from support.lineage import find_key
from support.small_runs import SmallRuns, list_events, write_letters

from job.contracts.lineage_key import LineageKey

KEY, NEW_KEY = (LineageKey(bytes(range(n, n + 32))) for n in (100, 170))
TABLE = write_letters()
# half of its letters are new to the first version
NEXT = pd.concat([TABLE, write_letters(240, seed=1)], ignore_index=True)


def write_key_file(folder, *keys):
    """Write a key file as an operator does; return the setting that mounts it."""
    lines = [f"{key.to_text()}  # {place}" for place, key in enumerate(keys)]
    (folder / "keys").write_text("\n".join(lines))
    return f"lineage.key_file={folder / 'keys'}"


def check(runs, *, sets=(), key=None):
    """Return exit code and `lineage` of `pcc-job doctor`."""
    options = [word for value in sets for word in ("--set", value)]
    done = runs.command("doctor", "--store", runs.store, *options, key=key)
    return done.returncode, json.loads(done.stdout)["lineage"]


def copy(runs, folder):
    """Return runs on a copy of a store."""
    shutil.copytree(runs.store, folder / "models")
    return SmallRuns(folder)


@pytest.fixture(scope="module", params=["holdout", "cross_fit"])
def method(request):
    return f"evaluation.method={request.param}"


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory, method):
    """A store with one version of KEY, evaluated by each method."""
    runs = SmallRuns(tmp_path_factory.mktemp("evaluated"))
    return runs, runs.publish(TABLE, key=KEY.to_text(), sets=(method,))["version"]


@pytest.fixture(scope="module")
def mounted(tmp_path_factory):
    """A store with one version of KEY."""
    runs = SmallRuns(tmp_path_factory.mktemp("mounted"))
    return runs, runs.publish(TABLE, key=KEY.to_text())["version"]


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A store whose first run had no key."""
    runs = SmallRuns(tmp_path_factory.mktemp("own"))
    done = runs.run(TABLE, "--set", "logs.level=debug")
    return runs, json.loads(done.stdout)["version"], done


def test_comparisons_are_the_same_after_a_rotation(evaluated, method, tmp_path):
    """The new key stands first, and the earlier one reads what the champion's run stored."""
    found = {}
    for name, keys in (("same", (KEY,)), ("rotated", (NEW_KEY, KEY))):
        (tmp_path / name).mkdir()
        runs = copy(evaluated[0], tmp_path / name)
        mount = write_key_file(tmp_path / name, *keys)
        result = runs.publish(NEXT, "--run-id", "next", sets=(method, mount))
        metadata, evaluation = (
            runs.read_json(f"{result['version']}/{file}.json")
            for file in ("metadata", "evaluation")
        )
        found[name] = evaluation["gate"]["comparisons"], evaluation["drift"]
        assert keys[0].id == metadata["lineage"]["key_id"]
        for path in runs.store.glob("runs/next/group_errors/*.json"):
            assert keys[0].id == json.loads(path.read_text())["key_id"]
    comparisons, drift = found["same"]

    assert found["rotated"] == found["same"]
    assert comparisons[0]["difference"] is not None
    assert comparisons[0]["n_groups"] > 40
    if method.endswith("cross_fit"):
        assert "shared_groups" == comparisons[0]["basis"]
    assert "unseen_words" in json.dumps(drift)


@pytest.mark.parametrize("key", [None, NEW_KEY.to_text()], ids=["lost", "another key"])
def test_run_ends_before_the_search_if_the_champions_key_is_missing(mounted, tmp_path, key):
    """Nothing is stored except the run's record, and no key is created."""
    runs = copy(mounted[0], tmp_path)
    before = runs.list_files()
    done = runs.run(NEXT, "--run-id", "lost", key=key)
    record, event = runs.read_record("lost"), list_events(done)["run_failed"]

    assert (2, "") == (done.returncode, done.stdout)
    assert f"lineage key {KEY.id} of {mounted[1]} is missing" == event["reason"]
    assert "mount it as an earlier key (lineage.key_file)" in event["hint"]
    assert "`pcc-job run --override REASON`" in event["hint"]
    assert ("failed", "lineage", 2) == tuple(
        record[name] for name in ("outcome", "failed_stage", "exit_code")
    )
    assert {*before, "runs/lost/1.json"} == {*runs.list_files()}


def test_override_accepts_one_promotion_without_the_earlier_key(mounted, tmp_path):
    """The next run is as ever: the new champion has the new key."""
    runs, key = copy(mounted[0], tmp_path), NEW_KEY.to_text()
    before, report = check(runs, key=key)
    result = runs.publish(NEXT, "--override", "the key is lost", key=key)
    done = runs.run(NEXT, key=key, sets=("random_state=1",))
    metadata = runs.read_json(f"{result['version']}/metadata.json")
    comparison = runs.read_json(f"{json.loads(done.stdout)['version']}/evaluation.json")["gate"]

    assert (2, False) == (before, report["is_ready"])
    assert {KEY.id: [mounted[1]]} == report["missing"]
    assert [f"lineage key {KEY.id} is missing"] == [
        text.rpartition(": ")[2] for text in metadata["override"]["rejected_for"]
    ]
    assert result["version"] == comparison["comparisons"][0]["version"]
    assert not comparison["override"]
    assert comparison["comparisons"][0]["difference"] is not None
    assert 1 == list_events(done)["changes_not_counted"]["n_versions"]
    code, report = check(runs, key=key)
    assert (0, True, [KEY.id]) == (code, report["is_ready"], [*report["missing"]])


def test_named_anchor_without_its_key_needs_another_anchor(mounted, tmp_path):
    """An override would have to be repeated each night."""
    runs, key = copy(mounted[0], tmp_path), NEW_KEY.to_text()
    runs.publish(NEXT, "--override", "the key is lost", key=key)
    done = runs.run(NEXT, key=key, sets=(f"gate.anchor={mounted[1]}",))
    hint = list_events(done)["run_failed"]["hint"]

    assert 2 == done.returncode
    assert "gate.anchor" in hint
    assert "--override" not in hint


def test_first_run_without_a_key_creates_one_that_others_may_not_read(own):
    """The log and the doctor say that a mounted key protects better."""
    runs, version, done = own
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in runs.store.rglob("*")}
    event = list_events(done)["lineage_key_created"]
    code, report = check(runs)

    assert {"key", f"{version}.npy", f"{version}.profile.json"} == {
        path.name for path in (runs.store / "lineage").iterdir()
    }
    assert {0o600} == {modes[path.name] for path in (runs.store / "lineage").iterdir()}
    assert 0o644 == modes["model.joblib"] == modes["metadata.json"]
    assert ("warning", report["key_id"]) == (event["level"], event["key_id"])
    assert (0, "store", True) == (code, report["source"], report["is_ready"])
    assert "everyone who can read the whole store can read it" in report["notes"][0]
    assert "the same for all jobs on this store" in report["notes"][0]


def test_mounted_key_takes_the_place_of_the_stores_own(own, tmp_path):
    """The store's own key still reads the first version, so that the versions are compared."""
    runs, key = copy(own[0], tmp_path), KEY.to_text()
    result = runs.publish(NEXT, key=key)
    evaluation = runs.read_json(f"{result['version']}/evaluation.json")
    code, report = check(runs, key=key)
    lost, _ = check(runs)

    assert evaluation["gate"]["comparisons"][0]["difference"] is not None
    assert KEY.id == runs.read_json(f"{result['version']}/metadata.json")["lineage"]["key_id"]
    assert (0, "mounted", KEY.id) == (code, report["source"], report["key_id"])
    assert {own[1], result["version"]} == {v for vs in report["needed_by"].values() for v in vs}
    assert [] == report["not_needed"]
    assert "is used only for versions from before a key was mounted" in report["notes"][0]
    assert 2 == lost


def test_doctor_says_when_an_earlier_key_is_no_longer_needed(mounted, tmp_path):
    """No version that can be read has its digests."""
    code, report = check(mounted[0], sets=(write_key_file(tmp_path, KEY, NEW_KEY),))

    assert (0, [NEW_KEY.id], []) == (code, report["not_needed"], report["notes"])


def test_doctor_and_a_dry_run_create_no_key(tmp_path):
    """Neither does `pcc-job validate`, which has no store."""
    runs = SmallRuns(tmp_path)
    code, report = check(runs)
    dry = runs.run(TABLE, "--dry-run")
    suite = ("--set", "expectations.suite=labelled_embeddings", "--set", "dataset.min_rows=100")
    validated = runs.command("validate", "--dataset", runs.folder / "table.parquet", *suite)

    assert (0, 0, 0) == (code, dry.returncode, validated.returncode), validated.stderr
    assert (None, None, True) == tuple(report[k] for k in ("key_id", "source", "is_ready"))
    assert "the first run that is not a dry run creates 'lineage/key'" in report["notes"][0]
    assert [] == list(runs.folder.rglob("lineage*"))


def test_key_changes_no_byte_of_the_model(mounted, own):
    """Two versions of one table, with different keys."""
    runs = [mounted[:2], own[:2]]
    models = {(runs.store / version / "model.joblib").read_bytes() for runs, version in runs}
    lineages = {(runs.store / f"lineage/{version}.npy").read_bytes() for runs, version in runs}

    assert (1, 2) == (len(models), len(lineages))


def read_outputs(runs, *commands):
    """Return everything that these finished commands wrote, by name."""
    paths = [path for path in runs.store.rglob("*") if path.is_file()]
    outputs = {str(path.relative_to(runs.store)): path.read_bytes() for path in paths}
    streams = "\n".join(done.stdout + done.stderr for done in commands)
    return {**outputs, "streams": streams.encode()}


def test_no_output_contains_a_key(own, mounted, tmp_path):
    """At debug level, with successful and failed runs; the store's own key is one object."""
    runs, debug = copy(mounted[0], tmp_path), ("--set", "logs.level=debug")
    mount = write_key_file(tmp_path, NEW_KEY, KEY)
    commands = [
        runs.run(NEXT, *debug, key=NEW_KEY.to_text()),
        runs.run(NEXT, *debug, sets=(mount,)),
        runs.run(NEXT, *debug, key=KEY.to_text(), sets=(mount,)),
        runs.run(NEXT, *debug, key=f"{KEY.to_text()} {NEW_KEY.to_text()}00"),
        runs.command("doctor", "--store", runs.store, "--set", mount),
        runs.command("config", "show", "--set", mount, key=KEY.to_text()),
    ]
    outputs = read_outputs(runs, *commands)
    generated = LineageKey.parse((own[0].store / "lineage/key").read_text().strip())

    assert [2, 0, 2, 2, 0] == [done.returncode for done in commands][:5]
    assert "PCC_JOB_LINEAGE_KEY is invalid" in commands[3].stderr
    assert "PCC_JOB_LINEAGE_KEY are both set" in commands[2].stderr
    assert [] == find_key(KEY, outputs) == find_key(NEW_KEY, outputs)
    assert ["lineage/key"] == find_key(generated, read_outputs(own[0], own[2]))
    assert ["keys"] == find_key(KEY, {"keys": (tmp_path / "keys").read_bytes()})


def test_generated_key_can_be_mounted(tmp_path):
    """The printed text is a key file."""
    runs = SmallRuns(tmp_path)
    keys = [runs.command("lineage", "keygen").stdout for _ in range(2)]
    code, report = check(runs, key=keys[0])

    assert keys[0] != keys[1]
    assert (0, LineageKey.parse(keys[0].strip()).id) == (code, report["key_id"])
