"""A version is seen whole or not at all, wherever its publication ends."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.memory_store import Killed, MemoryStore

from job.contracts.digest import Digest, canonical_json, run_suffix
from job.errors import ConfigurationError, TransientError, VersionConflictError
from job.stages.publish import find_published, make_manifest, publish
from job.stages.versions import list_versions, read_verified

RUN_ID = "night-1"
VERSION = f"v20261122_020000_{run_suffix(RUN_ID)}"
DIGESTS = {"data_digest": "sha256:d", "settings_digest": "sha256:s"}
FILES = {
    "model.joblib": b"model",
    "metadata.json": canonical_json({"run_id": RUN_ID, **DIGESTS}),
    "evaluation.json": b"{}",
    "figures/roc.svg": b"<svg/>",
    "training_keys.npy": b"keys",
}
N_WRITES = len(FILES) + 1


@pytest.fixture
def published():
    store = MemoryStore()
    publish(store, VERSION, RUN_ID, FILES)
    return store


def test_published_version_is_listed(published):
    """Its manifest is there, so it is."""
    assert [VERSION] == list_versions(published)


def test_published_files_are_those_of_the_bundle(published):
    """Every file is in the store as it was given."""
    assert {f"{VERSION}/{n}": data for n, data in FILES.items()}.items() <= (
        published.objects.items()
    )


def test_model_metadata_and_manifest_are_last(published):
    """PCC reads metadata.json for the model, and the manifest for everything."""
    order = [key.partition("/")[2] for key in published.written]

    assert ["model.joblib", "metadata.json", "manifest.json"] == order[-3:]


def test_manifest_names_each_file_with_bytes_and_digest():
    """The format that consumers read."""
    manifest = json.loads(make_manifest("v1", "r1", {"b": b"22", "a": b""}))

    assert {
        "version": "v1",
        "run_id": "r1",
        "files": [
            {"name": "a", "n_bytes": 0, "digest": str(Digest.of(b""))},
            {"name": "b", "n_bytes": 2, "digest": str(Digest.of(b"22"))},
        ],
    } == manifest


@given(files=st.dictionaries(st.sampled_from("abcdef"), st.binary(max_size=5)))
def test_whatever_is_published_verifies(files):
    """The manifest is true of any bytes."""
    store, whole = MemoryStore(), {**FILES, **files}
    publish(store, VERSION, RUN_ID, whole)
    found = read_verified(store, VERSION)

    assert whole == {name: found[name] for name in whole}


@pytest.mark.parametrize("failure", [TransientError("full"), Killed()], ids=["failed", "killed"])
@pytest.mark.parametrize("n", range(1, N_WRITES + 1))
def test_version_whose_nth_write_fails_is_not_seen(n, failure):
    """The manifest commits the version, and it is written last."""
    store = MemoryStore(fail_at=n, failure=failure)
    with pytest.raises(type(failure)):
        publish(store, VERSION, RUN_ID, FILES)

    assert [] == list_versions(store)


@pytest.mark.parametrize("n", range(1, N_WRITES + 1))
def test_failed_publication_takes_its_objects_back(n):
    """An error that can be handled leaves nothing behind."""
    store = MemoryStore(fail_at=n, failure=TransientError("full"))
    with pytest.raises(TransientError):
        publish(store, VERSION, RUN_ID, FILES)

    assert {} == store.objects


def test_reader_between_two_writes_sees_the_whole_version_or_none():
    """Whenever a reader comes, what is listed can be read whole."""
    seen = []

    class Watched(MemoryStore):
        def put_if_absent(self, key, data):
            is_new = super().put_if_absent(key, data)
            seen.append([set(read_verified(self, v)) for v in list_versions(self)])
            return is_new

    publish(Watched(), VERSION, RUN_ID, FILES)

    assert [[]] * len(FILES) + [[{*FILES, "manifest.json"}]] == seen


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_taken_key_is_a_conflict(name):
    """Nothing of a version is ever overwritten."""
    store = MemoryStore()
    store.put_if_absent(f"{VERSION}/{name}", b"theirs")

    with pytest.raises(VersionConflictError, match=name):
        publish(store, VERSION, RUN_ID, FILES)


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_conflict_leaves_what_was_there(name):
    """Only what this publication wrote is taken back."""
    store = MemoryStore()
    store.put_if_absent(f"{VERSION}/{name}", b"theirs")
    with pytest.raises(VersionConflictError):
        publish(store, VERSION, RUN_ID, FILES)

    assert {f"{VERSION}/{name}": b"theirs"} == store.objects


def test_version_of_the_same_run_is_found(published):
    """A run that is repeated need not publish again."""
    assert VERSION == find_published(published, RUN_ID, DIGESTS)


def test_nothing_is_found_in_an_empty_store():
    """The first run publishes."""
    assert find_published(MemoryStore(), RUN_ID, DIGESTS) is None


def test_version_without_a_manifest_is_not_found(published):
    """What is not complete has not been published."""
    published.delete(f"{VERSION}/manifest.json")

    assert find_published(published, RUN_ID, DIGESTS) is None


@pytest.mark.parametrize("name", DIGESTS)
def test_same_run_with_another_digest_is_refused(published, name):
    """One run id, one dataset and one set of settings."""
    with pytest.raises(ConfigurationError, match=f"{RUN_ID}.*{VERSION}"):
        find_published(published, RUN_ID, {**DIGESTS, name: "sha256:other"})


def test_another_run_with_the_same_suffix_is_ignored():
    """Eight hexadecimal digits may coincide; the run id decides."""
    store = MemoryStore()
    metadata = canonical_json({"run_id": "another", **DIGESTS})
    publish(store, VERSION, "another", {**FILES, "metadata.json": metadata})

    assert find_published(store, RUN_ID, DIGESTS) is None


def test_version_of_the_run_is_found_behind_one_with_the_same_suffix(published):
    """The search goes on after a coincidence."""
    metadata = canonical_json({"run_id": "another", **DIGESTS})
    earlier = f"v20260101_000000_{run_suffix(RUN_ID)}"
    publish(published, earlier, "another", {**FILES, "metadata.json": metadata})

    assert VERSION == find_published(published, RUN_ID, DIGESTS)
