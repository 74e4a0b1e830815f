"""Keys are created once, found by id, and checked; lineage files follow their version."""

from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs
from support.lineage import KEY, OTHER_KEY, describe, lineage_files, mount
from support.memory_store import MemoryStore
from support.metadata import make_metadata
from support.versions import FILES, name_of

from job.contracts.lineage_key import KeyRing
from job.errors import ConfigurationError, IntegrityError
from job.registry.channels import MoveReason, move_channel
from job.registry.lineage_check import check_lineage
from job.registry.lineage_keys import STORED_KEY, LineageKeys
from job.registry.prune import prune_versions
from job.registry.publish import publish
from job.registry.readable import N_NEWEST, list_readable
from job.registry.rollback import roll_back

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PRUNE = {"is_dry_run": False, "token": "t"}
REASON = MoveReason(at="noon", by="somebody", why="", action="promote")


def publish_with(store, run_id, day, key=KEY):
    """Publish a version whose lineage has this key; return its name."""
    name, lineage = name_of(run_id, day), f"lineage of {run_id}".encode()
    metadata = make_metadata(run_id=run_id, model_version=name, lineage=describe(lineage, key=key))
    files = {**FILES, "metadata.json": metadata.to_bytes()}
    publish(store, name, run_id, files, lineage=lineage_files(lineage))
    return name


def point_to(store, version):
    pointer = store.get("channels/production.json")
    move_channel(store, "production", version, expected=pointer, reason=REASON)


def without_key(store):
    return LineageKeys(store, KeyRing())


def test_first_run_creates_a_key_that_later_ones_use():
    store = MemoryStore()
    with capture_logs() as logs:
        first = without_key(store)
        first.create_if_none()
        later = without_key(store)
        later.create_if_none()

    assert first.current == later.current
    assert ["lineage_key_created"] == [entry["event"] for entry in logs]
    assert first.current.to_text() not in str(logs)


def test_key_that_another_run_created_first_is_used():
    """The store decides."""
    store = MemoryStore()
    late = without_key(store)
    assert late.current not in late.stored.keys  # it has looked before the other run came
    early = without_key(store)
    early.create_if_none()
    late.create_if_none()

    assert late.current == early.current


def test_mounted_key_is_current_and_the_stored_one_is_found():
    """Versions from before a key was mounted can still be compared."""
    store = MemoryStore()
    stored = without_key(store)
    stored.create_if_none()
    keys = mount(store, KEY, OTHER_KEY)
    keys.create_if_none()

    assert keys.current == KEY
    assert keys.find(stored.current.id) == stored.current
    assert keys.find(OTHER_KEY.id) == OTHER_KEY


def test_nothing_is_stored_if_a_key_is_mounted_or_only_read():
    store = MemoryStore()
    mount(store).create_if_none()
    assert without_key(store).current is not None

    assert [] == list(store.keys(""))


def test_damaged_key_is_refused():
    """A run must not go on with a new key."""
    store = MemoryStore()
    store.put_if_absent(STORED_KEY, b"not a key")

    with pytest.raises(IntegrityError, match=STORED_KEY):
        without_key(store).create_if_none()


def test_missing_key_is_named_with_the_remedy():
    with pytest.raises(ConfigurationError, match=KEY.id) as caught:
        mount(MemoryStore(), OTHER_KEY).require("v1", KEY.id, otherwise="ask for it")

    assert caught.value.hint.endswith("(lineage.key_file), or ask for it")


def test_copy_of_a_rollback_has_the_lineage_of_its_origin():
    """Later candidates are compared with the copy."""
    store = MemoryStore()
    old, new = publish_with(store, "a", 1), publish_with(store, "b", 2)
    point_to(store, old)
    point_to(store, new)
    moved = roll_back(store, "production", at=NOW, by="operator", is_republished=True)

    assert store.get(f"lineage/{moved.to}.npy") == store.get(f"lineage/{old}.npy")


def test_pruned_version_leaves_no_lineage():
    store = MemoryStore()
    old, new = publish_with(store, "a", 1), publish_with(store, "b", 2)
    prune_versions(store, before=NOW, keep=1, is_dry_run=False, token="t")

    assert {f"lineage/{new}.npy", f"lineage/{new}.profile.json"} == set(store.keys("lineage/"))
    assert not list(store.keys(old))


def test_lineage_without_a_version_is_pruned_when_it_is_old():
    """A run was killed before it stored the first file, or a removal before its last step."""
    store = MemoryStore()
    version = publish_with(store, "a", 1)
    for key in [*store.keys(version)]:
        store.delete(key)
    early = prune_versions(store, before=datetime(2020, 1, 1, tzinfo=UTC), keep=None, **PRUNE)
    assert list(store.keys("lineage/"))
    late = prune_versions(store, before=datetime(2100, 1, 1, tzinfo=UTC), keep=None, **PRUNE)

    assert ((), (version,)) == (early.removed_unfinished, late.removed_unfinished)
    assert [f"runs/a/published/{version}.json"] == list(store.keys(""))


def test_readable_versions_are_the_newest_and_those_of_channels():
    store = MemoryStore()
    names = [publish_with(store, f"r{n}", 1 + n % 31) for n in range(N_NEWEST + 2)]
    oldest = sorted(names)[0]
    newest = sorted(names)[: -(N_NEWEST + 1) : -1]

    assert list_readable(store, None) == newest
    point_to(store, oldest)
    assert list_readable(store, None) == [*newest, oldest]


def test_check_names_the_weakness_of_a_stored_key():
    store = MemoryStore()
    notes = check_lineage(store, without_key(store), "production", None).notes
    assert "no key is mounted" in notes[0]
    keys = without_key(store)
    keys.create_if_none()
    checked = check_lineage(store, keys, "production", None)

    assert ("store", True) == (checked.source, checked.is_ready)
    assert "keygen" in checked.notes[0]


def test_check_goes_on_if_a_version_is_damaged():
    """The doctor is asked when something is wrong."""
    store = MemoryStore()
    damaged, other = (publish_with(store, f"r{n}", n, KEY) for n in (1, 2))
    store.delete(f"{damaged}/metadata.json")
    checked = check_lineage(store, mount(store, KEY), "production", None)

    assert {KEY.id: (other,)} == checked.needed_by
    assert [damaged] == [
        word for word in checked.notes[0].replace("'", "").split() if word == damaged
    ]


def test_check_finds_keys_that_are_missing_or_not_needed():
    store = MemoryStore()
    champion = publish_with(store, "a", 1, OTHER_KEY)
    assert check_lineage(store, mount(store), "production", None).is_ready
    point_to(store, champion)
    missing = check_lineage(store, mount(store), "production", None)
    rotated = check_lineage(store, mount(store, KEY, OTHER_KEY), "production", None)
    newer = publish_with(store, "b", 2, KEY)
    point_to(store, newer)
    prune_versions(store, before=NOW, keep=1, is_dry_run=False, token="t")
    store.delete(f"{champion}/manifest.json")
    over = check_lineage(store, mount(store, KEY, OTHER_KEY), "production", None)

    assert (False, {OTHER_KEY.id: (champion,)}) == (missing.is_ready, missing.missing)
    assert champion in missing.notes[0]
    assert (True, {}, ()) == (rotated.is_ready, rotated.missing, rotated.not_needed)
    assert (OTHER_KEY.id,) == over.not_needed
