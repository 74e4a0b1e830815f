"""What nobody will read goes; what somebody may need stays."""

from datetime import timedelta

import pytest
from support.memory_store import MemoryStore

from job.stages.channels import promote
from job.stages.prune import prune
from job.stages.publish import publish
from job.stages.versions import list_versions

VERSIONS = [f"v2026010{n}_000000_0000000{n}" for n in (1, 2, 3, 4)]
FILES = {"model.joblib": b"m", "metadata.json": b"{}"}
LATER = MemoryStore.now + timedelta(days=1)


@pytest.fixture
def store():
    store = MemoryStore()
    for version in VERSIONS:
        publish(store, version, "r", FILES)
    return store


def move(store, version):
    promote(
        store,
        "production",
        version,
        expected=store.get("channels/production.json"),
        at="noon",
        by=version,
        why="",
    )


def removed(store, *, keep=None, before=LATER, is_dry_run=False):
    return prune(store, before=before, keep=keep, is_dry_run=is_dry_run)


def test_complete_versions_stay_without_keep(store):
    removed(store)

    assert VERSIONS == list_versions(store)


@pytest.mark.parametrize("keep", [1, 2, 4, 9])
def test_newest_versions_are_kept(store, keep):
    removed(store, keep=keep)

    assert VERSIONS[-keep:] == list_versions(store)


def test_every_file_of_a_surplus_version_goes(store):
    removed(store, keep=1)

    assert {VERSIONS[-1]} == {key.partition("/")[0] for key in store.objects}


def test_manifest_goes_first(store):
    """A prune that is killed leaves no version that lacks a file."""
    order = []
    store.delete = order.append
    removed(store, keep=3)

    assert f"{VERSIONS[0]}/manifest.json" == order[0]


def test_champion_and_the_one_before_it_are_kept(store):
    for version in VERSIONS[:3]:
        move(store, version)
    removed(store, keep=1)

    assert VERSIONS[1:] == list_versions(store)


def test_folder_without_a_manifest_goes(store):
    store.delete(f"{VERSIONS[0]}/manifest.json")
    found = removed(store)

    assert [VERSIONS[0]] == found["removed_unfinished"]
    assert not list(store.keys(VERSIONS[0]))


def test_folder_that_is_still_written_to_stays(store):
    """One young object is enough."""
    store.delete(f"{VERSIONS[0]}/manifest.json")
    removed(store, before=MemoryStore.now)

    assert list(store.keys(VERSIONS[0]))


def test_other_keys_stay(store):
    for key in ("vacation/photo", "runs/r/1.json", "channels/production.json.bak/x"):
        store.objects[key] = b"x"
    removed(store, keep=1)

    assert {"vacation/photo", "runs/r/1.json"} < set(store.objects)


def test_old_probes_go(store):
    store.objects["probe/killed"] = b"1"

    assert ["probe/killed"] == removed(store)["removed_uploads"]
    assert "probe/killed" not in store.objects


def test_dry_run_names_and_keeps(store):
    store.delete(f"{VERSIONS[0]}/manifest.json")
    before = dict(store.objects)
    found = removed(store, keep=1, is_dry_run=True)

    assert ([VERSIONS[0]], VERSIONS[1:3]) == (
        found["removed_unfinished"],
        found["removed_versions"],
    )
    assert before == store.objects
