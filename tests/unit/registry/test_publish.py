"""A version is seen completely or not at all, wherever its publication ends."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.memory_store import Killed, MemoryStore

from job.contracts.identity import canonical_json, run_suffix
from job.errors import ConfigurationError, IntegrityError, TransientError, VersionConflictError
from job.registry.claims import Claim, claim, find_claim
from job.registry.list_versions import list_versions
from job.registry.publish import is_complete, publish
from job.registry.read_version import read_verified

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
    """A version with a manifest exists."""
    assert [VERSION] == list_versions(published)


def test_published_files_are_those_of_the_bundle(published):
    """All files are stored unchanged."""
    assert {f"{VERSION}/{n}": data for n, data in FILES.items()}.items() <= (
        published.objects.items()
    )


def test_model_and_metadata_are_first_and_the_manifest_last(published):
    """A folder lacks metadata.json for one request only, and the manifest commits."""
    order = [key.partition("/")[2] for key in published.written]

    assert ["model.joblib", "metadata.json", "manifest.json"] == [*order[:2], order[-1]]


@given(files=st.dictionaries(st.sampled_from("abcdef"), st.binary(max_size=5)))
def test_whatever_is_published_verifies(files):
    """The manifest is correct for any bytes."""
    store, whole = MemoryStore(), {**FILES, **files}
    publish(store, VERSION, RUN_ID, whole)
    files = read_verified(store, VERSION)

    assert whole == {name: files[name] for name in whole}


@pytest.mark.parametrize("failure", [TransientError("full"), Killed()], ids=["failed", "killed"])
@pytest.mark.parametrize("n", range(1, N_WRITES + 1))
def test_version_whose_nth_write_fails_is_not_seen(n, failure):
    """The manifest commits the version, and it is written last."""
    store = MemoryStore(fail_at=n, failure=failure)
    with pytest.raises(type(failure)):
        publish(store, VERSION, RUN_ID, FILES)

    assert [] == list_versions(store)


@pytest.mark.parametrize("n", range(1, N_WRITES + 1))
def test_publication_that_failed_is_finished_by_the_next_attempt(n):
    """Existing files become part of the version."""
    store = MemoryStore(fail_at=n, failure=Killed())
    with pytest.raises(Killed):
        publish(store, VERSION, RUN_ID, FILES)
    publish(store, VERSION, RUN_ID, {**FILES, "evaluation.json": b'{"later": 1}'})

    assert {*FILES, "manifest.json"} == set(read_verified(store, VERSION))


def test_files_of_an_earlier_attempt_are_kept():
    """No object is ever changed; the manifest describes the stored ones."""
    store = MemoryStore()
    store.put_if_absent(f"{VERSION}/evaluation.json", b"earlier")
    publish(store, VERSION, RUN_ID, FILES)

    assert b"earlier" == read_verified(store, VERSION)["evaluation.json"]


def test_file_removed_meanwhile_is_not_committed():
    """A version with a missing file would be worse than none."""

    class Pruned(MemoryStore):
        def keys(self, prefix):
            if prefix.startswith("v"):
                self.delete(f"{VERSION}/model.joblib")
            return super().keys(prefix)

    store = Pruned()
    with pytest.raises(TransientError, match="disappeared"):
        publish(store, VERSION, RUN_ID, FILES)

    assert not is_complete(store, VERSION)


def test_reader_between_two_writes_sees_the_whole_version_or_none():
    """At any time, all files of a listed version can be read."""
    seen = []

    class Watched(MemoryStore):
        def put_if_absent(self, key, data):
            is_new = super().put_if_absent(key, data)
            seen.append([set(read_verified(self, v)) for v in list_versions(self)])
            return is_new

    publish(Watched(), VERSION, RUN_ID, FILES)

    assert [[]] * len(FILES) + [[{*FILES, "manifest.json"}]] == seen


def test_name_taken_by_another_run_is_a_conflict():
    """Eight hex digits may collide; the second run then needs another id."""
    store = MemoryStore()
    publish(store, VERSION, "other", {**FILES, "metadata.json": b'{"run_id": "other"}'})

    with pytest.raises(VersionConflictError, match="other"):
        publish(store, VERSION, RUN_ID, FILES)


@pytest.mark.parametrize("earlier", [None, {"reason": "another one", "rejected_for": []}])
def test_attempt_that_was_judged_otherwise_is_a_conflict(earlier):
    """Otherwise its metadata would state the wrong decision or reason."""
    store = MemoryStore()
    metadata = {"run_id": RUN_ID, **DIGESTS}
    store.put_if_absent(
        f"{VERSION}/metadata.json", canonical_json({**metadata, "override": earlier})
    )
    overridden = {**metadata, "override": {"reason": "agreed with the owner", "rejected_for": []}}

    with pytest.raises(VersionConflictError, match="another override"):
        publish(store, VERSION, RUN_ID, {**FILES, "metadata.json": canonical_json(overridden)})
    assert not is_complete(store, VERSION)


def fix(store, digests=DIGESTS, version=VERSION):
    at = datetime(2026, 11, 22, 2, tzinfo=UTC)
    return claim(store, RUN_ID, Claim(version=version, started_at=at, digests=digests))


def test_nothing_is_claimed_in_an_empty_store():
    """The first run publishes."""
    assert find_claim(MemoryStore(), RUN_ID, DIGESTS) is None


def test_first_claim_counts():
    """All attempts of a run id publish one version."""
    store = MemoryStore()
    first = fix(store)

    assert (
        first
        == fix(store, version="v20270101_000000_00000000")
        == find_claim(store, RUN_ID, DIGESTS)
    )


def test_claim_is_no_version():
    """A version is complete once its manifest exists."""
    store = MemoryStore()
    fix(store)

    assert not is_complete(store, VERSION)


@pytest.mark.parametrize("name", DIGESTS)
@pytest.mark.parametrize("act", [fix, lambda s, d: find_claim(s, RUN_ID, d)])
def test_same_run_with_another_digest_is_refused(name, act):
    """A run id stands for one dataset and one set of settings."""
    store = MemoryStore()
    fix(store)

    with pytest.raises(ConfigurationError, match=f"{RUN_ID}.*{VERSION}"):
        act(store, {**DIGESTS, name: "sha256:other"})


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"version": "v", "started_at": "noon"}'])
def test_damaged_claim_is_refused(raw):
    """The run id's dataset and settings are unknown."""
    store = MemoryStore()
    store.put_if_absent(f"runs/{RUN_ID}/claim.json", raw)

    with pytest.raises(IntegrityError, match="claim"):
        find_claim(store, RUN_ID, DIGESTS)
