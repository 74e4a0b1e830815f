"""Only files of the attempt's own package become part of its version."""

import random
import threading
import time
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs
from support.memory_store import Killed, MemoryStore

from job.contracts.identity import canonical_json
from job.contracts.reports.manifest import FileEntry
from job.errors import IntegrityError, JobError, VersionConflictError
from job.pipeline.package import Package
from job.pipeline.publish_package import publish_package
from job.registry.claims import Claim, find_published, list_names
from job.registry.lineage_files import lineage_key
from job.registry.list_versions import list_versions
from job.registry.publish import name_version, publish
from job.registry.read_version import read_verified

RUN_ID = "night-1"
AT = datetime(2026, 11, 22, 2, 0, 58, tzinfo=UTC)
CLAIM = Claim(version=name_version(RUN_ID, AT), started_at=AT, digests={})
NAMES = list_names(RUN_ID, CLAIM)
SUFFIXES = (".npy", ".profile.json")
FIRST_KEYS = (
    *(f"{CLAIM.version}/{name}" for name in ("model.joblib", "metadata.json", "report.html")),
    *(lineage_key(CLAIM.version, suffix) for suffix in SUFFIXES),
    f"{CLAIM.version}/not_ours.bin",
)


def package_of(claim, model=b"ours"):
    """Return the package of an attempt whose model has these bytes; all files depend on both."""
    metadata = {
        "model_version": claim.version,
        "run_id": RUN_ID,
        "model_files": [FileEntry.of("model.joblib", model).to_json()],
    }
    further = f"{claim.version} {model.decode()}".encode()
    files = {
        "model.joblib": model,
        "metadata.json": canonical_json(metadata),
        "evaluation.json": further,
        "report.html": further,
        "figures/roc.svg": b"<svg/>",
    }
    return Package(files=files, lineage=dict.fromkeys(SUFFIXES, model), group_errors=None)


def attempt(store, model=b"ours"):
    """Publish like an attempt whose model has these bytes; return the version's name."""
    context = SimpleNamespace(
        plan=SimpleNamespace(run_id=RUN_ID), ports=SimpleNamespace(store=store)
    )
    make = lambda claim: package_of(claim, model)  # noqa: E731
    return publish_package(context, CLAIM, make(CLAIM), make).version


def model_of(store, version):
    """Return the model of a version, all of whose files must be those of one attempt."""
    files = read_verified(store, version)
    del files["manifest.json"]
    model = files["model.joblib"]
    package = package_of(Claim(version=version, started_at=AT, digests={}), model)
    assert package.files == files
    assert package.lineage == {s: store.get(lineage_key(version, s)) for s in SUFFIXES}
    return model


def test_names_are_one_second_apart():
    """They belong to the run, and the newest name is the last that was used."""
    stamps = ["020058", "020059", "020100", "020101", "020102"]

    assert [f"v20261122_{stamp}_{NAMES[0][-8:]}" for stamp in stamps] == NAMES


@pytest.mark.parametrize("key", FIRST_KEYS)
@pytest.mark.parametrize("foreign", [b"", b"foreign", b"our", b"ours, and more"])
def test_foreign_file_never_becomes_part_of_a_version(key, foreign):
    """The attempt publishes under the next name, and leaves the foreign file where it is."""
    store = MemoryStore()
    store.put_if_absent(key, foreign)
    with capture_logs() as logs:
        version = attempt(store)

    assert NAMES[1] == version
    assert b"ours" == model_of(store, version)
    assert ([version], foreign) == (list_versions(store), store.get(key))
    events = [e for e in logs if e["event"] == "version_name_abandoned"]
    assert [("warning", NAMES[0], key)] == [
        (e["log_level"], e["version"], e["foreign"]) for e in events
    ]


def test_foreign_file_beside_each_of_three_names():
    """Each attempt to publish finds one, until a name is free."""
    store = MemoryStore()
    for version, name in zip(
        NAMES, ("model.joblib", "metadata.json", "evaluation.json"), strict=False
    ):
        store.put_if_absent(f"{version}/{name}", b"foreign")

    assert NAMES[3] == attempt(store)
    assert b"ours" == model_of(store, NAMES[3])


def test_foreign_files_under_every_name_end_the_run():
    """The number of names is bounded, so that the run ends."""
    store = MemoryStore()
    for version in NAMES:
        store.put_if_absent(f"{version}/model.joblib", b"foreign")
    with pytest.raises(IntegrityError, match=f"5 names.*{NAMES[0]} to {NAMES[-1]}"):
        attempt(store)

    assert [] == list_versions(store)


def test_complete_version_of_another_attempt_is_a_conflict():
    """A manifest is never replaced, and nothing is published beside it."""
    store = MemoryStore()
    attempt(store, b"of another machine")
    with pytest.raises(VersionConflictError, match=NAMES[0]):
        attempt(store)

    assert [NAMES[0]] == list_versions(store)


@pytest.mark.parametrize("name", ["night-1", "somebody"])
def test_complete_version_that_no_attempt_has_recorded_is_foreign(name):
    """Somebody who may only create objects below `v*/` has stored it; a later attempt agrees."""
    store, forged = MemoryStore(), MemoryStore()
    publish(forged, NAMES[0], name, package_of(CLAIM, b"foreign").files)
    for key in forged.written:
        if key.startswith("v"):
            store.put_if_absent(key, forged.get(key))
    before = dict(store.objects)

    assert NAMES[1] == attempt(store)
    assert NAMES[1] == find_published(store, RUN_ID, CLAIM)
    assert b"ours" == model_of(store, NAMES[1])
    assert before.items() <= store.objects.items()


def test_manifest_without_its_files_is_foreign():
    """It stays alone, and the version has another name."""
    store = MemoryStore()
    store.put_if_absent(f"{NAMES[0]}/manifest.json", b"{}")

    assert NAMES[1] == attempt(store)
    assert b"{}" == store.get(f"{NAMES[0]}/manifest.json")


N_WRITES = len(package_of(CLAIM).files) + len(SUFFIXES) + 2


@pytest.mark.parametrize("model", [b"ours", b"of another machine"])
@pytest.mark.parametrize("n", range(1, N_WRITES + 1))
def test_attempt_after_a_kill_at_each_write(n, model):
    """With the same bytes it publishes under the same name, otherwise its own model alone."""
    store = MemoryStore(fail_at=n, failure=Killed())
    with pytest.raises(Killed):
        attempt(store)
    version = attempt(store, model)

    assert model == model_of(store, version)
    assert [version] == list_versions(store)
    assert NAMES[0 if model == b"ours" or n == 1 else 1] == version


class Interrupted(MemoryStore):
    """Calls a function before its n-th request."""

    def __init__(self, n, call):
        super().__init__()
        self.n_left, self._call = n, call

    def count(self):
        self.n_left -= 1
        if self.n_left == 0:
            self._call(self)

    def put_if_absent(self, key, data):
        self.count()
        return super().put_if_absent(key, data)

    def pieces(self, key):
        self.count()
        yield from super().pieces(key)

    def keys(self, prefix, after=""):
        self.count()
        yield from super().keys(prefix, after)


@pytest.mark.parametrize("model", [b"ours", b"of another machine"])
def test_attempt_at_once_with_another_one(model):
    """A second attempt does all its work before any one request of the first attempt."""
    n, endings = 0, set()
    while True:
        n += 1
        store = Interrupted(n, lambda store: attempt(store, model))
        try:
            endings.add(attempt(store))
        except VersionConflictError:  # the second attempt is complete
            endings.add("conflict")
        is_over, store.n_left = store.n_left > 0, 0
        models = {version: model_of(store, version) for version in list_versions(store)}
        assert models.items() <= {(name, m) for name in NAMES for m in (b"ours", model)}
        assert 1 <= len(models) <= (1 if model == b"ours" else 2)
        if is_over:
            break

    assert n > N_WRITES
    assert endings == ({NAMES[0]} if model == b"ours" else {NAMES[0], "conflict"})


class Slow(MemoryStore):
    """Creates atomically, at random times."""

    def __init__(self, seed):
        super().__init__()
        self._lock, self._random = threading.Lock(), random.Random(seed)

    def put_if_absent(self, key, data):
        time.sleep(self._random.random() / 2000)
        with self._lock:
            return super().put_if_absent(key, data)

    def keys(self, prefix, after=""):
        with self._lock:
            return iter(list(super().keys(prefix, after)))


@pytest.mark.parametrize("seed", range(20))
def test_three_attempts_at_once(seed):
    """At least one publishes, and no version mixes the files of two."""
    store, ended = Slow(seed), []

    def run(model):
        try:
            ended.append(attempt(store, model))
        except JobError as error:
            ended.append(type(error))

    threads = [threading.Thread(target=run, args=(model,)) for model in (b"a", b"b", b"c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    versions = list_versions(store)

    assert {model_of(store, version) for version in versions} <= {b"a", b"b", b"c"}
    assert set(versions) == set(ended) - {VersionConflictError}
    assert versions
