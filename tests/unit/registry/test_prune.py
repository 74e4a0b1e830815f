"""Unfinished and surplus versions are removed; versions in use are kept."""

from datetime import timedelta

import pytest
from support.memory_store import MemoryStore
from support.versions import FILES, publish_small

from job.errors import IntegrityError, TransientError, VersionConflictError
from job.registry.anchors import read_anchor, set_anchor
from job.registry.channels import MoveReason, move_channel, read_channel
from job.registry.list_versions import list_versions
from job.registry.prune import prune_versions
from job.registry.publish import publish
from job.registry.read_version import read_verified

RUNS = ("a", "b", "c", "d")
VERSIONS = publish_small(MemoryStore(), *RUNS)
LATER = MemoryStore.now + timedelta(days=1)


@pytest.fixture
def store():
    store = MemoryStore()
    publish_small(store, *RUNS)
    return store


def move(store, version):
    move_channel(
        store,
        "production",
        version,
        expected=store.get("channels/production.json"),
        reason=MoveReason(at="noon", by=version, why=""),
    )


def anchor(store, version):
    expected = read_anchor(store, "production")[1]
    set_anchor(
        store,
        "production",
        version,
        expected=expected,
        reason=MoveReason(at="noon", by=version, why=""),
    )


def removed(store, *, keep=None, before=LATER, is_dry_run=False):
    return prune_versions(
        store, before=before, keep=keep, is_dry_run=is_dry_run, token="t"
    ).to_json()


def test_complete_versions_stay_without_keep(store):
    removed(store)

    assert VERSIONS == list_versions(store)


@pytest.mark.parametrize("keep", [1, 2, 4, 9])
def test_newest_versions_are_kept(store, keep):
    removed(store, keep=keep)

    assert VERSIONS[-keep:] == list_versions(store)


def test_every_file_of_a_surplus_version_goes(store):
    removed(store, keep=1)

    assert {"runs", VERSIONS[-1]} == {key.partition("/")[0] for key in store.objects}


def test_manifest_goes_first(store):
    """If prune is killed, no version with a missing file is left."""
    order = []
    store.delete = order.append
    removed(store, keep=3)

    assert f"{VERSIONS[0]}/manifest.json" == order[0]


def test_champion_and_the_one_before_it_are_kept(store):
    for version in VERSIONS[:3]:
        move(store, version)
    removed(store, keep=1)

    assert VERSIONS[1:] == list_versions(store)


def test_anchor_is_kept_and_the_one_before_it_is_not(store):
    """It is kept even if the channel points elsewhere; an anchor is never rolled back."""
    for version in VERSIONS[:2]:
        anchor(store, version)
    move(store, VERSIONS[3])
    removed(store, keep=1)

    assert [VERSIONS[1], VERSIONS[3]] == list_versions(store)


def test_dry_run_does_not_name_an_anchor(store):
    """It lists only what a prune would remove."""
    anchor(store, VERSIONS[0])

    assert VERSIONS[1:3] == removed(store, keep=1, is_dry_run=True)["removed_versions"]


def test_damaged_anchor_stops_the_removal_of_versions(store):
    """It is not known which version the anchor needs."""
    store.objects["channels/production.anchor.json"] = b"{"

    with pytest.raises(IntegrityError, match=r"channels/production\.anchor\.json"):
        removed(store, keep=1)
    assert VERSIONS == list_versions(store)


def test_folder_without_a_manifest_goes(store):
    store.delete(f"{VERSIONS[0]}/manifest.json")
    result = removed(store)

    assert [VERSIONS[0]] == result["removed_unfinished"]
    assert not list(store.keys(VERSIONS[0]))


def test_folder_that_is_still_written_to_stays(store):
    """One new object is enough."""
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
    result = removed(store, keep=1, is_dry_run=True)

    assert ([VERSIONS[0]], VERSIONS[1:3]) == (
        result["removed_unfinished"],
        result["removed_versions"],
    )
    assert before == store.objects


class Interrupted(MemoryStore):
    """A store in which something happens before prune's first removal of a version."""

    meanwhile = None

    def delete(self, key):
        if self.meanwhile and key.startswith("v"):
            act, self.meanwhile = self.meanwhile, None
            act()
        super().delete(key)


@pytest.fixture
def interrupted():
    store = Interrupted()
    publish_small(store, *RUNS)
    return store


def test_run_that_resumes_a_version_being_removed_fails(interrupted):
    """It does not commit a version whose files are being removed; its next attempt does."""
    store, version = interrupted, VERSIONS[0]
    store.objects.pop(f"{version}/manifest.json")
    refused = []

    def go_on():
        with pytest.raises(TransientError, match="being removed"):
            publish(store, version, "a", FILES)
        refused.append(version)

    store.meanwhile = go_on
    removed(store)
    assert [version] == refused
    publish(store, version, "a", FILES)

    assert set(FILES) < set(read_verified(store, version))


def test_run_that_committed_before_the_mark_keeps_its_version(interrupted):
    """Prune checks again after its mark is written."""
    store, version = interrupted, VERSIONS[0]
    store.objects.pop(f"{version}/manifest.json")
    put = store.put_if_absent

    def commit_first(key, data):
        store.put_if_absent = put
        publish(store, version, "a", FILES)
        return put(key, data)

    store.put_if_absent = commit_first
    result = removed(store)

    assert ([], set(FILES)) == (
        result["removed_unfinished"],
        set(read_verified(store, version)) - {"manifest.json"},
    )


@pytest.mark.parametrize("act", [move, anchor], ids=["channel", "anchor"])
def test_version_promoted_before_the_mark_is_kept(interrupted, act):
    """Prune checks channels and anchors again after its mark is written."""
    store, put = interrupted, interrupted.put_if_absent

    def promote_first(key, data):
        store.put_if_absent = put
        act(store, VERSIONS[0])
        return put(key, data)

    store.put_if_absent = promote_first
    removed(store, keep=1)

    assert VERSIONS[0] in list_versions(store)


def test_version_promoted_after_the_mark_is_no_champion(interrupted):
    """The promotion sees the mark, and moves the channel back."""
    store = interrupted
    move(store, VERSIONS[3])

    def promote_the_oldest():
        with pytest.raises(VersionConflictError, match="being removed"):
            move(store, VERSIONS[0])

    store.meanwhile = promote_the_oldest
    removed(store, keep=1)

    assert VERSIONS[3] == read_channel(store, "production")[0]
    assert VERSIONS[0] not in list_versions(store)


def test_version_anchored_after_the_mark_is_no_anchor(interrupted):
    """The process that moves the anchor sees the mark, and moves it back."""
    store = interrupted
    anchor(store, VERSIONS[3])

    def anchor_the_oldest():
        with pytest.raises(VersionConflictError, match="being removed"):
            anchor(store, VERSIONS[0])

    store.meanwhile = anchor_the_oldest
    removed(store, keep=1)

    assert VERSIONS[3] == read_anchor(store, "production")[0]
    assert VERSIONS[0] not in list_versions(store)


def test_removal_leaves_no_mark(store):
    removed(store, keep=1)

    assert [] == list(store.keys("removals/"))


def test_mark_of_a_killed_prune_goes_once_it_is_old(store):
    key = f"removals/{VERSIONS[0]}/killed"
    store.objects[key] = b""

    assert [key] == removed(store)["removed_uploads"]


def test_young_mark_stays(store):
    key = f"removals/{VERSIONS[0]}/running"
    store.objects[key] = b""
    removed(store, before=MemoryStore.now)

    assert key in store.objects
