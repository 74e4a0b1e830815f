"""A version is seen completely or not at all, wherever its publication ends."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.memory_store import Killed, MemoryStore

from job.contracts.identity import canonical_json, run_suffix
from job.errors import (
    ConfigurationError,
    ForeignFileError,
    IntegrityError,
    TransientError,
    VersionConflictError,
)
from job.registry.claims import Claim, claim, find_claim, find_published, list_names
from job.registry.list_versions import list_versions
from job.registry.publish import is_complete, name_version, publish
from job.registry.read_version import read_verified

RUN_ID = "night-1"
AT = datetime(2026, 11, 22, 2, tzinfo=UTC)
VERSION = f"v20261122_020000_{run_suffix(RUN_ID)}"
DIGESTS = {"data_digest": "sha256:d", "settings_digest": "sha256:s"}
FILES = {
    "model.joblib": b"model",
    "metadata.json": canonical_json({"run_id": RUN_ID, **DIGESTS}),
    "evaluation.json": b"{}",
    "figures/roc.svg": b"<svg/>",
    "training_keys.npy": b"keys",
}
N_WRITES = len(FILES) + 2
RECORD = f"runs/{RUN_ID}/published/{VERSION}.json"


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
    """Existing files with the same bytes become part of the version."""
    store = MemoryStore(fail_at=n, failure=Killed())
    with pytest.raises(Killed):
        publish(store, VERSION, RUN_ID, FILES)
    publish(store, VERSION, RUN_ID, FILES)

    assert {*FILES, "manifest.json"} == set(read_verified(store, VERSION))


@pytest.mark.parametrize("name", [*FILES, "further.bin"])
def test_foreign_file_is_not_committed(name):
    """The manifest would describe what nobody has judged."""
    store = MemoryStore()
    store.put_if_absent(f"{VERSION}/{name}", b"foreign")
    with pytest.raises(ForeignFileError, match=name):
        publish(store, VERSION, RUN_ID, FILES)

    assert not is_complete(store, VERSION)


def test_large_foreign_file_is_not_read_to_its_end():
    """The first piece shows that it differs."""
    n_read = 0

    class Large(MemoryStore):
        def pieces(self, key):
            nonlocal n_read
            while True:
                n_read += 1
                yield bytes(2**20)

    store = Large()
    store.put_if_absent(f"{VERSION}/model.joblib", b"")
    with pytest.raises(ForeignFileError):
        publish(store, VERSION, RUN_ID, FILES)

    assert 1 == n_read


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

    assert [[]] * (N_WRITES - 1) + [[{*FILES, "manifest.json"}]] == seen


@pytest.mark.parametrize(
    ("run_id", "error"), [(RUN_ID, VersionConflictError), ("other", ForeignFileError)]
)
def test_complete_version_with_other_files(run_id, error):
    """Another attempt of the run is a conflict; eight hex digits of two run ids may collide, too."""
    store = MemoryStore()
    publish(store, VERSION, run_id, {**FILES, "evaluation.json": b"other"})
    before = store.get(f"{VERSION}/manifest.json")

    with pytest.raises(error):
        publish(store, VERSION, RUN_ID, FILES)
    assert before == store.get(f"{VERSION}/manifest.json")


def test_complete_copy_with_other_files_is_a_conflict():
    """A rollback has no record of what it publishes, because operators cannot write to `runs/`."""
    store, copy = MemoryStore(), name_version("op", AT, copied_from=VERSION)
    publish(store, copy, "op", FILES, copied_from=VERSION)

    assert all(key.startswith(copy) for key in store.written)
    with pytest.raises(VersionConflictError, match="other files"):
        publish(store, copy, "op", {**FILES, "evaluation.json": b"other"}, copied_from=VERSION)


def test_complete_version_with_the_same_files_is_no_conflict(published):
    """An attempt at the same time, or the response to the last request was lost."""
    before = dict(published.objects)
    publish(published, VERSION, RUN_ID, FILES)

    assert before == published.objects


def fix(store, digests=DIGESTS, version=VERSION):
    return claim(store, RUN_ID, Claim(version=version, started_at=AT, digests=digests))


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


def test_claim_that_is_intact_is_read():
    """Otherwise the tests of damaged claims would show nothing."""
    store = MemoryStore()
    store.put_if_absent(f"runs/{RUN_ID}/claim.json", claim_of(VERSION))

    assert VERSION == find_claim(store, RUN_ID, DIGESTS).version


@pytest.mark.parametrize("n", range(5))
def test_version_under_any_name_of_the_claim_is_found(n):
    """An attempt may have published under another name, because of foreign files."""
    store = MemoryStore()
    claimed = fix(store)
    assert find_published(store, RUN_ID, claimed) is None
    version = list_names(RUN_ID, claimed)[n]
    publish(store, version, RUN_ID, FILES)

    assert version == find_published(store, RUN_ID, claimed)


def forge(store, files):
    """Store a complete version under the run's name, as somebody would who cannot write `runs/`."""
    forged = MemoryStore()
    publish(forged, VERSION, RUN_ID, files)
    for key in forged.written:
        if key.startswith(VERSION):
            store.put_if_absent(key, forged.get(key))


@pytest.mark.parametrize("files", [FILES, {**FILES, "model.joblib": b"foreign"}])
@pytest.mark.parametrize("record", [None, b"", b"{}", canonical_json({"manifest_digest": "x"})])
def test_version_that_the_run_has_not_recorded_is_not_found(files, record):
    """Its files verify, but anybody who may write versions can store them."""
    store = MemoryStore()
    claimed = fix(store)
    forge(store, files)
    if record is not None:
        store.put_if_absent(RECORD, record)

    assert {*FILES, "manifest.json"} == set(read_verified(store, VERSION))
    assert find_published(store, RUN_ID, claimed) is None


def test_manifest_that_replaces_the_recorded_one_is_not_found():
    """The attempt was killed after it had recorded its manifest."""
    store = MemoryStore(fail_at=N_WRITES, failure=Killed())
    claimed = fix(MemoryStore())
    with pytest.raises(Killed):
        publish(store, VERSION, RUN_ID, FILES)
    assert store.get(RECORD) is not None
    forge(store, {**FILES, "further.bin": b"foreign"})

    assert is_complete(store, VERSION)
    assert find_published(store, RUN_ID, claimed) is None


@pytest.mark.parametrize("name", DIGESTS)
@pytest.mark.parametrize("act", [fix, lambda s, d: find_claim(s, RUN_ID, d)])
def test_same_run_with_another_digest_is_refused(name, act):
    """A run id stands for one dataset and one set of settings."""
    store = MemoryStore()
    fix(store)

    with pytest.raises(ConfigurationError, match=f"{RUN_ID}.*{VERSION}"):
        act(store, {**DIGESTS, name: "sha256:other"})


def claim_of(version, at="2026-11-22T02:00:00+00:00"):
    return canonical_json({"version": version, "started_at": at, **DIGESTS})


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"[]", b"{}", b"[" * 10**6, b'{"version": "v", "started_at": "noon"}'),
        claim_of("v20261122_020000_00000000"),
        claim_of(f"v20261122_020001_{run_suffix(RUN_ID)}"),
        claim_of(f"v99991231_235959_{run_suffix(RUN_ID)}", "9999-12-31T23:59:59+00:00"),
        claim_of(f"v9991122_020000_{run_suffix(RUN_ID)}", "0999-11-22T02:00:00+00:00"),
    ],
    ids=range(9),
)
def test_damaged_claim_is_refused(raw):
    """The run id's dataset and settings are unknown."""
    store = MemoryStore()
    store.put_if_absent(f"runs/{RUN_ID}/claim.json", raw)

    with pytest.raises(IntegrityError, match="claim"):
        find_claim(store, RUN_ID, DIGESTS)
