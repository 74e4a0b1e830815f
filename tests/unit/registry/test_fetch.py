"""A version is fetched completely or not at all, and other files are not touched."""

import errno
import os
import stat
import tracemalloc

import pytest
from support.memory_store import MemoryStore
from support.versions import FILES, name_of, publish_small

from job.adapters.stores.directory import DirectoryStore
from job.errors import ConfigurationError, IntegrityError, TransientError
from job.registry import fetch_version, read_verified
from job.registry.publish import publish

N_LARGE = 40 * 2**20


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def version(store):
    return publish_small(store, "r1")[0]


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_fetched_version_is_whole(store, version, tmp_path):
    """The manifest and files in subfolders are included."""
    fetched = fetch_version(store, version, tmp_path / "out/models")

    assert read_verified(store, version) == tree(fetched)


def test_fetched_version_lies_under_its_name(store, version, tmp_path):
    """Nothing else is left in the folder."""
    fetch_version(store, version, tmp_path)

    assert [tmp_path / version] == list(tmp_path.iterdir())


def test_fetching_again_is_fine(store, version, tmp_path):
    """The target already contains the right files."""
    before = fetch_version(store, version, tmp_path).stat().st_ino

    assert before == fetch_version(store, version, tmp_path).stat().st_ino
    assert [tmp_path / version] == list(tmp_path.iterdir())


def foreign_file(path):
    path.write_bytes(b"mine")


def foreign_folder(path):
    path.mkdir()
    (path / "mine").write_bytes(b"mine")


def foreign_link(path):
    path.symlink_to(path.with_name("elsewhere"))


@pytest.mark.parametrize("make", [foreign_file, foreign_folder, foreign_link])
def test_something_else_of_that_name_is_left_alone(store, version, tmp_path, make):
    """It may belong to somebody else."""
    make(tmp_path / version)
    before = [(path, os.lstat(path).st_ino) for path in sorted(tmp_path.rglob("*"))]
    with pytest.raises(ConfigurationError, match="already exists"):
        fetch_version(store, version, tmp_path)

    assert before == [(path, os.lstat(path).st_ino) for path in sorted(tmp_path.rglob("*"))]


@pytest.mark.parametrize("name", ["model.joblib", "stale.svg"])
def test_changed_copy_is_refused_and_stays(store, version, tmp_path, name):
    """With a changed or additional file it is not the published version."""
    fetch_version(store, version, tmp_path)
    (tmp_path / version / name).write_bytes(b"changed")
    with pytest.raises(ConfigurationError, match="already exists"):
        fetch_version(store, version, tmp_path)

    assert b"changed" == (tmp_path / version / name).read_bytes()


def test_damaged_version_is_not_fetched(store, version, tmp_path):
    """No new folder is left behind."""
    store.objects[f"{version}/model.joblib"] = b"changed"
    with pytest.raises(IntegrityError):
        fetch_version(store, version, tmp_path / "out/models")

    assert [] == list(tmp_path.iterdir())


def test_folder_that_cannot_be_written_is_a_configuration_error(store, version, tmp_path):
    """The target is below a file."""
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(ConfigurationError, match="cannot write to"):
        fetch_version(store, version, tmp_path / "file/out")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_full_disk_may_be_tried_again(store, version, tmp_path, monkeypatch, number):
    """The error is transient, and nothing is left behind."""

    def fail(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("job.registry.fetch._Staging.write", fail)
    with pytest.raises(TransientError, match=os.strerror(number)):
        fetch_version(store, version, tmp_path / "out/models")

    assert [] == list(tmp_path.iterdir())


def test_full_disk_is_not_reported_as_an_error_of_the_store(tmp_path, monkeypatch):
    """This holds even if the store is a folder, too."""

    def fail(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    store = DirectoryStore(tmp_path / "store")
    version = publish_small(store, "r1")[0]
    monkeypatch.setattr("job.registry.fetch._Staging.write", fail)

    with pytest.raises(TransientError, match=f"cannot write to '{tmp_path}/out'"):
        fetch_version(store, version, tmp_path / "out")


def test_large_file_is_never_whole_in_memory(tmp_path):
    """It is written and digested piece by piece."""
    store = DirectoryStore(tmp_path / "store")
    version = name_of("r1", 1)
    publish(store, version, "r1", {**FILES, "model.joblib": bytes(N_LARGE)})
    tracemalloc.start()
    fetched = fetch_version(store, version, tmp_path / "out")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert N_LARGE == (fetched / "model.joblib").stat().st_size
    assert peak < N_LARGE / 4


def test_terminated_process_leaves_nothing_behind(store, version, tmp_path):
    """The clean-up function removes all files, and later writes are ignored."""
    undo = []

    class Leaving(MemoryStore):
        def get(self, key, *, max_bytes=2**30):
            if key.endswith("model.joblib"):
                undo[0]()
            return super().get(key, max_bytes=max_bytes)

    leaving = Leaving()
    leaving.objects = store.objects
    with pytest.raises(ConfigurationError):
        fetch_version(leaving, version, tmp_path / "out/models", undo.append)

    assert [] == list(tmp_path.iterdir())


def test_process_terminated_within_a_file_leaves_nothing_behind(store, version, tmp_path):
    """Its next piece is not written."""
    undo = []

    class Leaving(MemoryStore):
        def pieces(self, key):
            first, *rest = super().pieces(key)
            yield first
            undo[0]()
            yield from rest

    leaving = Leaving()
    leaving.objects = store.objects
    with pytest.raises(ConfigurationError):
        fetch_version(leaving, version, tmp_path / "out/models", undo.append)

    assert [] == list(tmp_path.iterdir())


def test_fetched_folder_can_be_read_by_others(store, version, tmp_path):
    """Its permissions follow the umask."""
    mask = os.umask(0o022)
    try:
        mode = stat.S_IMODE(fetch_version(store, version, tmp_path).stat().st_mode)
    finally:
        os.umask(mask)

    assert 0o755 == mode
