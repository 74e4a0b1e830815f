"""Attempts of one run publish one version, of the model and scores that one of them judged."""

import hashlib
import json
import os
import shutil
import subprocess
import sys

import pytest
from support.golden_runs import BASELINE
from support.small_runs import SETTINGS, SmallRuns, list_events, write_letters

from job.adapters.stores.directory import DirectoryStore
from job.contracts.reports.manifest import FileEntry, Manifest
from job.registry import verify_files

NAME = ("--run-id", "night")


class OldTable:
    """A table that is not exported again between the attempts."""

    def to_parquet(self, path):
        write_letters().to_parquet(path)
        os.utime(path, (10**9, 10**9))


TABLE = OldTable()


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """Return runs whose attempt `night` was killed before its manifest, and the version's name."""
    runs = SmallRuns(tmp_path_factory.mktemp("retries"))
    version = runs.publish(TABLE, *NAME)["version"]
    undo(runs, version)
    return runs, version


def undo(runs, version):
    """Remove what an attempt stores from its manifest on."""
    (runs.store / version / "manifest.json").unlink()
    shutil.rmtree(runs.store / "channels")


def read_folder(runs, version):
    folder = runs.store / version
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def run_on_another_machine(runs):
    """Run in a new process, whose libraries choose the kernels of another CPU."""
    options = [word for value in SETTINGS for word in ("--set", value)]
    where = ("--dataset", runs.folder / "table.parquet", "--store", runs.store)
    return subprocess.run(
        [sys.executable, "-m", "job", "run", *map(str, where), *options, *NAME],
        cwd=runs.folder,
        env={**os.environ, **BASELINE, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_retry_on_the_same_machine_publishes_under_the_same_name(killed):
    """Nothing in the files differs between attempts, not even the measured latency."""
    runs, version = killed
    before = read_folder(runs, version)
    result = runs.publish(TABLE, *NAME)
    after = read_folder(runs, version)
    undo(runs, version)

    assert version == result["version"]
    assert before == {name: data for name, data in after.items() if name != "manifest.json"}


def test_retry_does_not_promote_a_version_of_somebody_else(killed, tmp_path):
    """The first attempt was killed; somebody who can only create objects below `v*/` completes it."""
    runs, version = killed
    backup = shutil.copytree(runs.store, tmp_path / "backup")
    folder = runs.store / version
    shutil.rmtree(runs.store / "runs" / "night" / "published")
    shutil.rmtree(folder / "figures", ignore_errors=True)
    (folder / "report.html").write_text("foreign")
    files = [path for path in folder.rglob("*") if path.is_file()]
    entries = [FileEntry.of(p.relative_to(folder).as_posix(), p.read_bytes()) for p in files]
    manifest = Manifest.of(version, "night", entries, copied_from=None).to_bytes()
    (folder / "manifest.json").write_bytes(manifest)
    assert verify_files(DirectoryStore(runs.store), version) == len(files) + 1
    later = runs.publish(TABLE, *NAME)["version"]
    pointer = runs.read_json("channels/production.json")
    again = json.loads(runs.run(TABLE, *NAME).stdout)
    shutil.rmtree(runs.store)
    shutil.copytree(backup, runs.store)

    assert version < later == pointer["version"]
    assert ("already_published", later) == (again["outcome"], again["version"])


def test_retry_on_another_machine_publishes_its_own_model_under_another_name(killed):
    """The kernels of another CPU give other bytes, which are never mixed with the first ones."""
    runs, version = killed
    before = read_folder(runs, version)
    done = run_on_another_machine(runs)
    assert 0 == done.returncode, done.stderr[-3000:]
    later = json.loads(done.stdout)["version"]
    metadata = runs.read_json(f"{later}/metadata.json")
    model = (runs.store / later / "model.joblib").read_bytes()

    assert version < later
    first = json.loads(before["metadata.json"])
    assert first["environment"]["cpu"] != metadata["environment"]["cpu"]
    assert f"sha256:{hashlib.sha256(model).hexdigest()}" == metadata["model_files"][0]["digest"]
    assert later == metadata["model_version"]
    assert later in (runs.store / later / "report.html").read_text()
    assert version == list_events(done)["version_name_abandoned"]["version"]
    assert before == read_folder(runs, version)
    assert verify_files(DirectoryStore(runs.store), later) > 5
    again = json.loads(runs.run(TABLE, *NAME).stdout)
    assert ("already_published", later) == (again["outcome"], again["version"])
