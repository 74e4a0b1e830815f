"""A manifest lists a model and its metadata, and agrees with metadata.json on model and origin."""

from datetime import UTC, datetime

import pytest
from support.memory_store import MemoryStore

from job.adapters.stores.directory import DirectoryStore
from job.contracts.identity import canonical_json
from job.contracts.reports.manifest import FileEntry, Manifest
from job.errors import IntegrityError
from job.registry.fetch import fetch_version
from job.registry.promotion import ManualMove, promote, promote_anchor
from job.registry.publish import name_version, publish
from job.registry.read_manifest import copied_from
from job.registry.read_version import read_files, read_metadata, read_verified, verify_files
from job.registry.rollback import roll_back

AT = datetime(2026, 1, 1, tzinfo=UTC)
VERSION = name_version("a", AT)
MODEL = FileEntry.of("model.joblib", b"model")
PLAIN = FileEntry.of("model.safetensors", b"numbers")


def metadata_of(*entries, version=VERSION, run_id="a"):
    origin = {"model_version": version, "run_id": run_id}
    return canonical_json({**origin, "model_files": [entry.to_json() for entry in entries]})


INTACT = {
    "model.joblib": b"model",
    "model.safetensors": b"numbers",
    "metadata.json": metadata_of(MODEL, PLAIN),
    "report.html": b"report",
}
DAMAGED = {
    "no files": {},
    "no model": {"metadata.json": b"{}"},
    "no model, but named": {"metadata.json": metadata_of(MODEL)},
    "no metadata": {"model.joblib": b"model"},
    "another model": {**INTACT, "model.joblib": b"other"},
    "another model of the same size": {**INTACT, "model.joblib": b"lemod"},
    "another form": {**INTACT, "model.safetensors": b"other"},
    "form is missing": {k: v for k, v in INTACT.items() if k != "model.safetensors"},
    "form is not named": {**INTACT, "metadata.json": metadata_of(MODEL)},
    "model is not named": {**INTACT, "metadata.json": metadata_of(PLAIN)},
    "metadata is no JSON": {**INTACT, "metadata.json": b"{"},
    "another version": {
        **INTACT,
        "metadata.json": metadata_of(MODEL, PLAIN, version=name_version("a", AT.replace(day=9))),
    },
    "no version": {**INTACT, "metadata.json": metadata_of(MODEL, PLAIN, version=None)},
    "another run": {**INTACT, "metadata.json": metadata_of(MODEL, PLAIN, run_id="b")},
    "no run": {**INTACT, "metadata.json": metadata_of(MODEL, PLAIN, run_id=None)},
}


def forge(store, files, version=VERSION, run_id="a"):
    """Store files with a manifest that agrees with them, as `publish` would write it."""
    entries = [FileEntry.of(*item) for item in files.items()]
    for name, data in files.items():
        store.put_if_absent(f"{version}/{name}", data)
    manifest = Manifest.of(version, run_id, entries, copied_from=None)
    store.put_if_absent(f"{version}/manifest.json", manifest.to_bytes())


def promote_it(store):
    promote(store, "production", VERSION, ManualMove(at=AT, by="x", expect=None))


def anchor_it(store):
    promote_anchor(store, "production", VERSION, ManualMove(at=AT, by="x", expect=None))


READS = {
    "verify": lambda store: verify_files(store, VERSION),
    "show": lambda store: read_verified(store, VERSION),
    "metadata": lambda store: read_metadata(store, VERSION),
    "promote": promote_it,
    "anchor": anchor_it,
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
@pytest.mark.parametrize("files", DAMAGED.values(), ids=DAMAGED)
def test_version_without_the_judged_model_is_refused(files, read):
    """Its manifest agrees with its files, so digests alone do not show it."""
    store = MemoryStore()
    forge(store, files)

    with pytest.raises(IntegrityError, match=VERSION):
        read(store)
    assert store.get("channels/production.json") is None


@pytest.mark.parametrize("name", ["verify", "show", "promote", "anchor"])
@pytest.mark.parametrize("metadata", [INTACT["metadata.json"], b"{}"], ids=["named", "earlier"])
def test_intact_version_is_accepted(metadata, name):
    """So is one of an earlier release, whose metadata.json does not name the model's files."""
    store = MemoryStore()
    forge(store, {**INTACT, "metadata.json": metadata})

    READS[name](store)


@pytest.mark.parametrize("files", [DAMAGED["no files"], DAMAGED["no model"]])
def test_manifest_is_checked_if_metadata_is_not_read(files):
    """Its list of files is enough."""
    store = MemoryStore()
    forge(store, files)

    with pytest.raises(IntegrityError, match="does not list"):
        read_files(store, VERSION, ("report.html",))


@pytest.mark.parametrize("files", DAMAGED.values(), ids=DAMAGED)
def test_nothing_is_fetched(files, tmp_path):
    """The staging folder is removed."""
    store = MemoryStore()
    forge(store, files)
    with pytest.raises(IntegrityError):
        fetch_version(store, VERSION, tmp_path / "models")

    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize("is_republished", [False, True])
@pytest.mark.parametrize("is_intact", [False, True])
def test_rollback_goes_to_an_intact_version_only(is_intact, is_republished, tmp_path):
    """A copy has the files of its original, and its metadata names the same model."""
    store = DirectoryStore(tmp_path)
    later = name_version("b", AT.replace(day=2))
    publish(store, VERSION, "a", INTACT)
    metadata = metadata_of(MODEL, PLAIN, version=later, run_id="b")
    publish(store, later, "b", {**INTACT, "metadata.json": metadata})
    promote_it(store)
    promote(store, "production", later, ManualMove(at=AT, by="x", expect=None))
    if not is_intact:
        for path in (tmp_path / VERSION).iterdir():
            path.unlink()
        forge(store, DAMAGED["another model"])
    arguments = {"at": AT.replace(day=3), "by": "operator", "is_republished": is_republished}
    if not is_intact:
        with pytest.raises(IntegrityError):
            roll_back(store, "production", **arguments)
        return
    target = roll_back(store, "production", **arguments).to

    assert (target == VERSION) != is_republished
    assert 5 == verify_files(store, target)


def republish(store, day):
    """Roll back, and publish a copy as the newest version; return the name of the copy."""
    at = AT.replace(day=day)
    return roll_back(store, "production", at=at, by="operator", is_republished=True).to


def test_copy_of_a_copy_is_accepted(tmp_path):
    """Its manifest names the version that its metadata are those of."""
    store = DirectoryStore(tmp_path)
    publish(store, VERSION, "a", INTACT)
    promote_it(store)
    copies = []
    for day, run_id in ((2, "b"), (4, "c")):
        later = name_version(run_id, AT.replace(day=day))
        metadata = metadata_of(MODEL, PLAIN, version=later, run_id=run_id)
        publish(store, later, run_id, {**INTACT, "metadata.json": metadata})
        promote(store, "production", later, ManualMove(at=AT, by="x", expect=None))
        copies.append(republish(store, day + 1))

    assert VERSION < copies[0] < copies[1]
    assert [5, 5] == [verify_files(store, copy) for copy in copies]
    assert [VERSION, VERSION] == [copied_from(store, copy) for copy in copies]


def test_copy_of_another_version_than_its_metadata_name_is_refused():
    """A copied folder whose new manifest says that it is a copy of something else."""
    store, other = MemoryStore(), name_version("b", AT)
    copy = name_version("x", AT, copied_from=other)
    publish(store, copy, "x", INTACT, copied_from=other)

    with pytest.raises(IntegrityError, match=copy):
        verify_files(store, copy)
