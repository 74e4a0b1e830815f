"""Versions are found by name, and verified by their manifest."""

import json

import pytest
from support.memory_store import MemoryStore
from support.metadata import make_metadata
from support.versions import FILES, name_of, publish_small

from job.contracts.identity import canonical_json
from job.errors import ConfigurationError, IntegrityError
from job.registry import (
    list_anchor_history,
    list_channels,
    list_history,
    list_versions,
    read_metadata,
    read_verified,
    resolve_version,
    verify_files,
)
from job.registry.publish import publish

OLD, NEW = publish_small(MemoryStore(), "r1", "r2")
ABSENT = name_of("r3", 3)


def make_manifest(**changes):
    return canonical_json({"version": NEW, "run_id": "r2", **changes})


@pytest.fixture
def store():
    """Return a store of two versions, with the channel at the older one."""
    store = MemoryStore()
    publish_small(store, "r1", "r2")
    store.objects["channels/production.json"] = canonical_json({"version": OLD})
    store.objects["channels/production.anchor.json"] = canonical_json({"version": OLD})
    return store


def test_versions_are_listed_oldest_first(store):
    """Their names sort by time."""
    assert [OLD, NEW] == list_versions(store)


@pytest.mark.parametrize("key", ["vacation/manifest.json", "v1/manifest.json", f"{NEW}x/a"])
def test_other_keys_are_not_versions(store, key):
    """A version has a name of the right form, and a manifest."""
    store.objects[key] = b"{}"

    assert [OLD, NEW] == list_versions(store)


@pytest.mark.parametrize(
    ("name", "version"), [(OLD, OLD), (NEW, NEW), ("latest", NEW), ("production", OLD)]
)
def test_version_is_found_by_its_name_as_latest_or_by_channel(store, name, version):
    """These are the names of the command line."""
    assert version == resolve_version(store, name)


@pytest.mark.parametrize("name", ["staging", ABSENT, "production.anchor", "../production", ""])
def test_unknown_name_is_refused_with_the_versions_there_are(store, name):
    """The newest version comes first."""
    with pytest.raises(ConfigurationError) as caught:
        resolve_version(store, name)

    assert f"use a version or a channel; the newest versions: '{NEW}', '{OLD}'" == caught.value.hint


def test_latest_of_an_empty_store_is_refused():
    """There is no version yet."""
    with pytest.raises(ConfigurationError) as caught:
        resolve_version(MemoryStore(), "latest")

    assert "use a version or a channel; the newest versions: none yet" == caught.value.hint


def test_ten_of_many_versions_are_shown():
    """A newer version is more likely to be meant."""
    store = MemoryStore()
    versions = publish_small(store, *(f"r{n}" for n in range(12)))
    with pytest.raises(ConfigurationError) as caught:
        resolve_version(store, "staging")

    assert versions[2:] == [version for version in versions if version in caught.value.hint]


def test_latest_is_complete():
    """Folders that are newer, but have no manifest, are passed over."""
    store = MemoryStore()
    versions = publish_small(store, *(f"r{n}" for n in range(12)))
    for version in versions[1:]:
        store.delete(f"{version}/manifest.json")

    assert versions[0] == resolve_version(store, "latest")


def test_version_without_a_manifest_is_unknown(store):
    """It is not complete yet."""
    store.delete(f"{NEW}/manifest.json")

    with pytest.raises(ConfigurationError, match=NEW):
        resolve_version(store, NEW)


def test_channels_are_listed_with_their_versions(store):
    """Each channel has one pointer."""
    assert {"production": OLD} == list_channels(store)


def test_history_of_a_channel_that_never_moved_is_refused(store):
    """The name is probably misspelt."""
    with pytest.raises(ConfigurationError, match="channel 'prodction' does not exist") as caught:
        list_history(store, "prodction")

    assert "use an existing channel; channels: 'production'" == caught.value.hint


def test_history_of_an_anchor_that_was_never_set_is_refused(store):
    """The hint names the channels with an anchor, and the command that sets one."""
    with pytest.raises(ConfigurationError, match="'staging' has no anchor") as caught:
        list_anchor_history(store, "staging")

    assert (
        "channels with an anchor: 'production'; "
        "`pcc-job models promote VERSION --channel staging --anchor` sets one"
    ) == caught.value.hint


def test_verified_files_are_all_of_the_bundle_and_the_manifest(store):
    """The files are those that were published."""
    manifest = store.objects[f"{NEW}/manifest.json"]

    assert FILES | {"manifest.json": manifest} == read_verified(store, NEW)


def test_missing_file_is_found_if_it_was_empty(store):
    """An empty file differs from a missing one."""
    version = name_of("r3", 3)
    publish(store, version, "r3", {**FILES, "empty": b""})
    assert b"" == read_verified(store, version)["empty"]
    store.delete(f"{version}/empty")

    with pytest.raises(IntegrityError, match="different from the manifest: 'empty'"):
        read_verified(store, version)


def test_metadata_is_read(store):
    """It is the content of metadata.json."""
    version = name_of("r3", 3)
    publish(store, version, "r3", {**FILES, "metadata.json": make_metadata(run_id="r3").to_bytes()})

    assert make_metadata(run_id="r3") == read_metadata(store, version)


def test_metadata_of_a_later_release_is_read(store):
    """Keys that this release does not know are left out, also in a part."""
    version, known = name_of("r3", 3), make_metadata(run_id="r3").to_json()
    later = {**known, "later": 1, "input": {**known["input"], "later": 1}}
    publish(store, version, "r3", {**FILES, "metadata.json": canonical_json(later)})

    assert make_metadata(run_id="r3") == read_metadata(store, version)


def test_metadata_without_a_needed_key_are_refused(store):
    """The message names the key."""
    version = name_of("r3", 3)
    publish(store, version, "r3", {**FILES, "metadata.json": b'{"run_id": "r3"}'})

    with pytest.raises(IntegrityError, match=f"{version}/metadata.json: model_version"):
        read_metadata(store, version)


@pytest.mark.parametrize("name", FILES)
def test_changed_bytes_are_found(store, name):
    """The message names the file."""
    store.objects[f"{NEW}/{name}"] += b" "

    with pytest.raises(IntegrityError, match=name):
        read_verified(store, NEW)


@pytest.mark.parametrize("name", FILES)
def test_missing_file_is_found(store, name):
    """The manifest lists it."""
    store.delete(f"{NEW}/{name}")

    with pytest.raises(IntegrityError, match=name):
        read_verified(store, NEW)


def test_damage_of_one_version_leaves_the_other(store):
    """Versions are verified separately."""
    store.delete(f"{NEW}/model.joblib")

    assert set(FILES) < set(read_verified(store, OLD))


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (None, "is missing or empty"),
        (b"", "is missing or empty"),
        (b"{", "is damaged: it is not JSON"),
        (b"\xff", "is damaged: it is not UTF-8"),
        (b"null", "is damaged"),
        (b"[]", "is damaged"),
        (b"{}", "is damaged: it has no `version`"),
        (make_manifest(), "is damaged: it has no `files`"),
        (make_manifest(files=1), "is damaged: files"),
        (make_manifest(files=[1]), "is damaged: files.0"),
        (make_manifest(files=[{"name": "x"}]), "it has no `files.0.n_bytes`"),
        (make_manifest(files={"name": "digest"}), "is damaged: files"),
        (b" " + make_manifest(files=[]), "does not have the bytes"),
        (make_manifest(files=[]), "does not list 'metadata.json', 'model.joblib'"),
    ],
)
def test_damaged_manifest_is_found(store, raw, problem):
    """A version cannot be verified without its manifest."""
    store.delete(f"{NEW}/manifest.json")
    if raw is not None:
        store.objects[f"{NEW}/manifest.json"] = raw

    with pytest.raises(IntegrityError, match=f"manifest.*{problem}"):
        read_verified(store, NEW)


def test_metadata_of_a_damaged_version_is_not_read(store):
    """This holds even if another file is damaged."""
    store.objects[f"{NEW}/model.joblib"] = b""

    with pytest.raises(IntegrityError):
        read_metadata(store, NEW)


def test_number_of_verified_files_counts_the_manifest(store):
    """It is the number that the command line prints."""
    assert len(FILES) + 1 == verify_files(store, NEW)


@pytest.mark.parametrize("is_copy", [False, True], ids=["version", "copy"])
def test_every_bit_of_the_manifest_counts(store, is_copy):
    """A flip of any bit is detected: run id and sizes have no digest themselves."""
    version = NEW
    if is_copy:
        version = name_of(f"by hand {OLD}", 3)
        publish(store, version, "by hand", FILES, copied_from=OLD)
    key = f"{version}/manifest.json"
    raw, passed = store.objects[key], []
    for position in range(len(raw)):
        for bit in range(8):
            changed = bytearray(raw)
            changed[position] ^= 1 << bit
            store.objects[key] = bytes(changed)
            try:
                verify_files(store, version)
                passed.append((position, bit))
            except IntegrityError:
                pass

    assert [] == passed


def test_manifest_of_the_same_content_in_other_bytes_is_refused(store):
    """A manifest has exactly one valid form."""
    key = f"{NEW}/manifest.json"
    store.objects[key] = json.dumps(json.loads(store.objects[key])).encode()

    with pytest.raises(IntegrityError, match="manifest"):
        verify_files(store, NEW)
