"""Versions are found by name, read against their manifest, and fetched whole."""

import pytest
from support.memory_store import MemoryStore

from job.contracts.digest import canonical_json
from job.errors import ConfigurationError, IntegrityError
from job.registry import (
    fetch,
    list_channels,
    list_versions,
    read_metadata,
    read_verified,
    resolve,
)
from job.stages.publish import publish

OLD, NEW = "v20260101_000000_aaaaaaaa", "v20260102_000000_bbbbbbbb"
FILES = {
    "model.joblib": b"model",
    "metadata.json": b'{"run_id": "r1"}',
    "figures/roc.svg": b"<svg/>",
}


@pytest.fixture
def store():
    """Two versions; the channel stands at the older one."""
    store = MemoryStore()
    for version in (NEW, OLD):
        publish(store, version, "r1", FILES)
    store.objects["channels/production.json"] = canonical_json({"version": OLD})
    store.objects["channels/production/history/000001.json"] = b"{}"
    return store


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_versions_are_listed_oldest_first(store):
    """Their names sort by time."""
    assert [OLD, NEW] == list_versions(store)


@pytest.mark.parametrize("key", ["vacation/manifest.json", "v1/manifest.json", f"{NEW}x/a"])
def test_other_keys_are_not_versions(store, key):
    """Only the name's form and a manifest make a version."""
    store.objects[key] = b"{}"

    assert [OLD, NEW] == list_versions(store)


@pytest.mark.parametrize(
    ("name", "version"), [(OLD, OLD), (NEW, NEW), ("latest", NEW), ("production", OLD)]
)
def test_version_is_found_by_its_name_as_latest_or_by_channel(store, name, version):
    """What one types at the command line."""
    assert version == resolve(store, name)


@pytest.mark.parametrize("name", ["staging", "v20260103_000000_cccccccc", "../production", ""])
def test_unknown_name_is_refused_with_the_versions_there_are(store, name):
    """Newest first, as one looks for them."""
    with pytest.raises(ConfigurationError) as caught:
        resolve(store, name)

    assert f"versions: '{NEW}', '{OLD}'" == caught.value.hint


def test_latest_of_an_empty_store_is_refused():
    """There is none yet."""
    with pytest.raises(ConfigurationError) as caught:
        resolve(MemoryStore(), "latest")

    assert "versions: none yet" == caught.value.hint


def test_channels_are_listed_without_their_history(store):
    """One pointer, one channel."""
    assert {"production": OLD} == list_channels(store)


def test_verified_files_are_all_of_the_bundle_and_the_manifest(store):
    """What was published comes back."""
    manifest = store.objects[f"{NEW}/manifest.json"]

    assert FILES | {"manifest.json": manifest} == read_verified(store, NEW)


def test_metadata_is_read(store):
    """It is the JSON of metadata.json."""
    assert {"run_id": "r1"} == read_metadata(store, NEW)


@pytest.mark.parametrize("name", FILES)
def test_changed_bytes_are_found(store, name):
    """The file is named."""
    store.objects[f"{NEW}/{name}"] += b" "

    with pytest.raises(IntegrityError, match=name):
        read_verified(store, NEW)


@pytest.mark.parametrize("name", FILES)
def test_missing_file_is_found(store, name):
    """The manifest knows that it was there."""
    store.delete(f"{NEW}/{name}")

    with pytest.raises(IntegrityError, match=name):
        read_verified(store, NEW)


def test_damage_of_one_version_leaves_the_other(store):
    """Each version stands for itself."""
    store.delete(f"{NEW}/model.joblib")

    assert set(FILES) < set(read_verified(store, OLD))


@pytest.mark.parametrize(
    "raw",
    [
        *(None, b"", b"{", b"\xff", b"null", b"[]", b"{}", b'{"files": 1}', b'{"files": [1]}'),
        b'{"files": [{"name": "model.joblib"}]}',
        b'{"files": {"name": "digest"}}',
    ],
)
def test_damaged_manifest_is_found(store, raw):
    """Without its manifest a version proves nothing."""
    store.delete(f"{NEW}/manifest.json")
    if raw is not None:
        store.objects[f"{NEW}/manifest.json"] = raw

    with pytest.raises(IntegrityError, match="manifest"):
        read_verified(store, NEW)


def test_metadata_of_a_damaged_version_is_not_given(store):
    """Also where the damage is in another file."""
    store.objects[f"{NEW}/model.joblib"] = b""

    with pytest.raises(IntegrityError):
        read_metadata(store, NEW)


def test_fetched_version_is_whole(store, tmp_path):
    """Files in folders and the manifest are among them."""
    fetched = fetch(store, NEW, tmp_path / "out/models")

    assert read_verified(store, NEW) == tree(fetched)


def test_fetched_version_lies_under_its_name(store, tmp_path):
    """Nothing else is left in the folder."""
    fetch(store, NEW, tmp_path)

    assert [tmp_path / NEW] == list(tmp_path.iterdir())


def test_older_copy_is_replaced_whole(store, tmp_path):
    """No file of the former copy survives in the new one."""
    stale = tmp_path / NEW / "figures/stale.svg"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"stale")
    fetch(store, NEW, tmp_path)

    assert read_verified(store, NEW) == tree(tmp_path / NEW)


def test_damaged_version_is_not_fetched(store, tmp_path):
    """The copy that is there stays as it is."""
    (tmp_path / NEW).mkdir()
    (tmp_path / NEW / "model.joblib").write_bytes(b"before")
    store.objects[f"{NEW}/model.joblib"] = b"changed"
    with pytest.raises(IntegrityError):
        fetch(store, NEW, tmp_path)

    assert {f"{NEW}/model.joblib": b"before"} == tree(tmp_path)


def test_folder_that_cannot_be_written_is_the_operators(store, tmp_path):
    """A file is no folder."""
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(ConfigurationError, match="cannot be written"):
        fetch(store, NEW, tmp_path / "file/out")
