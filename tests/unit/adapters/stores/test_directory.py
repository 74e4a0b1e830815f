"""The folder as a store: whole objects, one winner, and the right error if the disk fails."""

import contextlib
import multiprocessing
import os
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from job.adapters.stores import directory, folder_listing, folder_writes
from job.adapters.stores.directory import DirectoryStore
from job.errors import ConfigurationError, IntegrityError, TransientError

N_RIVALS, LARGEST = 12, 2**20


@pytest.fixture
def store(tmp_path):
    return DirectoryStore(tmp_path / "store")


@pytest.fixture
def mounted(tmp_path):
    """Mount a small memory disk; skip where that is not allowed."""
    point = tmp_path / "mounted"
    point.mkdir()
    if os.geteuid() != 0:
        pytest.skip("mounting a tmpfs needs root")
    try:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", point], capture_output=True
        )
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if done.returncode != 0:
        pytest.skip("this machine refuses to mount a tmpfs")
    yield point
    subprocess.run(["umount", "-l", point], check=True)


class SlowStore(DirectoryStore):
    """A store with a delay between read and write, to let rivals interfere."""

    def get(self, key, *, max_bytes):
        data = super().get(key, max_bytes=max_bytes)
        time.sleep(0.005)
        return data


def whole(n):
    """Return a writer's bytes, enough to be torn if writes were not atomic."""
    return bytes([n]) * 200_000


@contextlib.contextmanager
def deep_folders(parent, name, depth):
    """Make nested folders, whose path may be longer than the system accepts in one call."""
    folder = os.open(parent, os.O_RDONLY)
    for _ in range(depth):
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, dir_fd=folder)
        inner = os.open(name, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    os.close(folder)
    try:
        yield
    finally:
        # pytest would fail to remove them after the tests
        subprocess.run(["rm", "-rf", parent], check=True)


def in_threads(function):
    """Call a function of 0..N_RIVALS-1 from as many threads at the same moment."""
    barrier = threading.Barrier(N_RIVALS)

    def call(n):
        barrier.wait()
        return function(n)

    with ThreadPoolExecutor(N_RIVALS) as pool:
        return list(pool.map(call, range(N_RIVALS)))


def in_processes(target, root):
    """Call `target(root, n, barrier, results)` in four processes at the same moment."""
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(4), context.SimpleQueue()
    rivals = [context.Process(target=target, args=(root, n, barrier, results)) for n in range(4)]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join()
    return dict(results.get() for _ in rivals)


def create_as_rival(root, n, barrier, results):
    barrier.wait()
    results.put((n, DirectoryStore(root).put_if_absent("a/key", whole(n))))


def swap_as_rival(root, n, barrier, results):
    barrier.wait()
    results.put((n, SlowStore(root).compare_and_swap("key", b"before", whole(n))))


def test_absent_key_reads_as_none(store):
    """Nothing there is not an error."""
    assert store.get("a/b", max_bytes=LARGEST) is None


def test_folder_in_the_place_of_an_object_is_damage(store):
    """None would mean that a channel has no champion."""
    store.put_if_absent("a/b", b"x")

    with pytest.raises(IntegrityError, match="'a' is not a file"):
        store.get("a", max_bytes=LARGEST)


@settings(max_examples=15, deadline=None)
@given(data=st.binary(max_size=2000))
def test_stored_bytes_are_read_back(tmp_path_factory, data):
    """Any bytes come back as they went in."""
    store = DirectoryStore(tmp_path_factory.mktemp("any"))
    store.put_if_absent("a/b/c.bin", data)

    assert data == store.get("a/b/c.bin", max_bytes=LARGEST)


def test_key_is_created_once(store):
    """For the second creator, it returns False."""
    assert [True, False] == [store.put_if_absent("key", data) for data in (b"1", b"2")]


def test_taken_key_keeps_its_bytes(store):
    """Create-only means that nothing is overwritten."""
    store.put_if_absent("key", b"first")
    store.put_if_absent("key", b"second")

    assert b"first" == store.get("key", max_bytes=LARGEST)


def test_one_of_many_threads_creates_a_key_with_its_whole_bytes(store):
    """The object has the bytes of the writer that got True, untorn."""
    won = in_threads(lambda n: store.put_if_absent("a/b/key", whole(n)))

    assert [store.get("a/b/key", max_bytes=LARGEST)] == [
        whole(n) for n, is_mine in enumerate(won) if is_mine
    ]


def test_one_of_many_processes_creates_a_key_with_its_whole_bytes(store, tmp_path):
    """Jobs that start together share nothing but the folder."""
    won = in_processes(create_as_rival, tmp_path / "store")

    assert [store.get("a/key", max_bytes=LARGEST)] == [whole(n) for n in sorted(won) if won[n]]


def test_matching_swap_replaces_the_object(store):
    """The expected bytes are there, so they go."""
    store.put_if_absent("key", b"before")
    store.compare_and_swap("key", b"before", b"after")

    assert b"after" == store.get("key", max_bytes=LARGEST)


@pytest.mark.parametrize("expected", [b"other", b"", None])
def test_swap_from_other_bytes_is_refused(store, expected):
    """A swap from a state that is not the present one changes nothing."""
    store.put_if_absent("key", b"before")
    is_swapped = store.compare_and_swap("key", expected, b"after")

    assert (False, b"before") == (is_swapped, store.get("key", max_bytes=LARGEST))


def test_swap_of_an_absent_object_from_bytes_is_refused(store):
    """An object that was deleted in the meantime is not recreated."""
    assert not store.compare_and_swap("key", b"before", b"after")


def test_swap_from_none_creates_an_absent_object(store):
    """None expects that there is no object."""
    is_swapped = store.compare_and_swap("a/key", None, b"first")

    assert (True, b"first") == (is_swapped, store.get("a/key", max_bytes=LARGEST))


@pytest.mark.parametrize("before", [b"before", None])
def test_one_of_many_threads_swaps(tmp_path, before):
    """All expect the same state; the first to come changes it for the others."""
    store = SlowStore(tmp_path)
    if before is not None:
        store.put_if_absent("key", before)
    won = in_threads(lambda n: store.compare_and_swap("key", before, whole(n)))

    assert [store.get("key", max_bytes=LARGEST)] == [
        whole(n) for n, is_mine in enumerate(won) if is_mine
    ]


def test_one_of_many_processes_swaps(store, tmp_path):
    """The lock is the folder's, not the process's."""
    store.put_if_absent("key", b"before")
    won = in_processes(swap_as_rival, tmp_path / "store")

    assert [store.get("key", max_bytes=LARGEST)] == [whole(n) for n in sorted(won) if won[n]]


def test_keys_are_sorted_as_text(store):
    """The order is that of the whole key, not of the folders."""
    for key in ("v2/b", "v10/a", "v2-x/a", "v2/a"):
        store.put_if_absent(key, b"")

    assert ["v10/a", "v2-x/a", "v2/a", "v2/b"] == list(store.keys(""))


def test_keys_are_listed_by_prefix(store):
    """A prefix is text: it may end within a name."""
    for key in ("v1/a", "v10/a", "v2/a", "runs/v1/a"):
        store.put_if_absent(key, b"")

    assert ["v1/a", "v10/a"] == list(store.keys("v1"))


def test_names_that_are_no_keys_are_not_listed(store, tmp_path):
    """No method accepts them, and some cannot be printed."""
    store.put_if_absent("v1/a", b"")
    for name in (b"new\nline", b"\xff.json", b"back\\slash", b"tab\t"):
        (tmp_path / "store/v1" / os.fsdecode(name)).touch()

    assert ["v1/a"] == list(store.keys(""))


def test_what_is_not_a_file_is_listed(store, tmp_path):
    """Otherwise `verify` would not see a link or a pipe that was added to a version."""
    (tmp_path / "store/v1").mkdir(parents=True)
    os.mkfifo(tmp_path / "store/v1/pipe")
    (tmp_path / "store/v1/link").symlink_to("/dev/zero")

    assert ["v1/link", "v1/pipe"] == list(store.keys(""))


@pytest.mark.parametrize(("name", "depth"), [("a", 1200), ("x" * 255, 20)])
def test_deep_folders_are_not_read(store, tmp_path, name, depth):
    """Neither their number nor the length of their path ends a command with a traceback."""
    version = "v20260101_000000_00000000"
    store.put_if_absent(f"{version}/a/file", b"")
    temporary = tmp_path / "store" / version / "a/.tmp-old"
    temporary.touch()
    tomorrow = datetime.now(UTC) + timedelta(days=1)

    with deep_folders(tmp_path / "store" / version, name, depth):
        assert [f"{version}/a/file"] == list(store.keys(""))
        assert [f"{version}/"] == list(store.names(""))
        assert [f"{version}/a/.tmp-old"] == store.clear_unfinished(tomorrow, is_dry_run=False)
    assert not temporary.exists()


def test_pipe_in_the_place_of_the_lock_does_not_block(store, tmp_path):
    """Whoever may write to the folder could otherwise stop every move of a channel."""
    (tmp_path / "store").mkdir()
    os.mkfifo(tmp_path / "store/.lock")

    assert store.compare_and_swap("key", None, b"x")


def test_missing_root_has_no_keys(store):
    """A store that nobody has written to is empty."""
    assert [] == list(store.keys(""))


def test_temporary_files_are_never_listed(store):
    """While objects are written and swapped, a reader sees finished ones only."""
    seen, is_over = set(), threading.Event()

    def read():
        while not is_over.is_set():
            seen.update(store.keys(""))

    reader = threading.Thread(target=read)
    reader.start()
    for n in range(30):
        store.put_if_absent(f"a/{n:02d}", whole(n))
        store.compare_and_swap("pointer", store.get("pointer", max_bytes=LARGEST), whole(n))
    is_over.set()
    reader.join()

    assert seen <= {"pointer", *(f"a/{n:02d}" for n in range(30))}


def test_lost_writes_leave_no_file(store, tmp_path):
    """The writer that lost removes its temporary file."""
    store.put_if_absent("a/key", b"1")
    store.put_if_absent("a/key", b"2")
    store.compare_and_swap("a/key", b"0", b"3")

    assert ["key"] == [path.name for path in (tmp_path / "store/a").iterdir()]


def test_objects_may_be_read_by_other_users(store, tmp_path):
    """A consumer with another user id reads what the job has written."""
    store.put_if_absent("key", b"1")

    assert 0o644 == (tmp_path / "store/key").stat().st_mode & 0o777


def test_delete_leaves_other_objects(store):
    """One object goes, its neighbors in the same folder stay."""
    for key in ("v1/a", "v1/b", "v2/a"):
        store.put_if_absent(key, b"")
    store.delete("v1/a")

    assert ["v1/b", "v2/a"] == list(store.keys(""))


def test_delete_takes_empty_folders_away(store, tmp_path):
    """A version that was taken back leaves no folder of its name."""
    store.put_if_absent("v1/figures/a", b"")
    store.put_if_absent("v2/a", b"")
    store.delete("v1/figures/a")

    assert ["v2"] == [path.name for path in (tmp_path / "store").iterdir()]


def test_delete_of_an_absent_object_is_fine(store):
    """The wanted state is there already."""
    store.put_if_absent("v1/a", b"")
    store.delete("v1/b")

    assert ["v1/a"] == list(store.keys(""))


def test_deleted_key_may_be_created_again(store):
    """Its folder is made anew."""
    store.put_if_absent("v1/a", b"")
    store.delete("v1/a")

    assert store.put_if_absent("v1/a", b"")


def test_writable_store_leaves_no_trace_of_the_check(store, tmp_path):
    """The probe removes what it wrote."""
    store.probe("token")

    assert [".lock"] == [path.name for path in (tmp_path / "store").iterdir()]


def test_file_as_parent_is_a_configuration_error(tmp_path):
    """A store below a file can never be made."""
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(ConfigurationError, match="Not a directory"):
        DirectoryStore(tmp_path / "file/store").probe("token")


def test_file_as_root_is_a_configuration_error(tmp_path):
    """A file is not a store."""
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(ConfigurationError, match="cannot be used"):
        DirectoryStore(tmp_path / "file").probe("token")


def test_full_disk_is_transient(mounted):
    """Somebody may free space, and the same command works."""
    store = DirectoryStore(mounted)

    with pytest.raises(TransientError, match="No space left"):
        store.put_if_absent("v1/model.joblib", bytes(2**20))


def test_full_disk_leaves_no_object(mounted):
    """There is no partial object."""
    store = DirectoryStore(mounted)
    with pytest.raises(TransientError):
        store.put_if_absent("v1/model.joblib", bytes(2**20))

    assert [] == [path for path in mounted.rglob("*") if path.is_file()]


def test_full_disk_leaves_the_pointer_as_it_was(mounted):
    """A swap that fails changes nothing."""
    store = DirectoryStore(mounted)
    store.put_if_absent("pointer", b"before")
    with pytest.raises(TransientError):
        store.compare_and_swap("pointer", b"before", bytes(2**20))

    assert b"before" == store.get("pointer", max_bytes=LARGEST)


def test_read_only_mount_is_a_configuration_error(mounted):
    """Waiting does not make it writable."""
    subprocess.run(["mount", "-o", "remount,ro", mounted], check=True)

    with pytest.raises(ConfigurationError, match="Read-only"):
        DirectoryStore(mounted).probe("token")


def test_read_only_mount_can_be_read(mounted):
    """A consumer needs no right to write."""
    DirectoryStore(mounted).put_if_absent("key", b"x")
    subprocess.run(["mount", "-o", "remount,ro", mounted], check=True)

    assert b"x" == DirectoryStore(mounted).get("key", max_bytes=LARGEST)


def test_lineage_is_readable_for_this_user_only(tmp_path):
    """Other users of the machine may read what is published, not whom it came from."""
    store = DirectoryStore(tmp_path)
    for key in ("lineage/key", "v1/model.joblib"):
        store.put_if_absent(key, b"")
    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("lineage", "lineage/key")]

    assert [0o700, 0o600] == modes
    assert 0o644 == (tmp_path / "v1/model.joblib").stat().st_mode & 0o777


def test_parent_of_a_new_folder_is_synced(store, tmp_path, monkeypatch):
    """Otherwise a crash of the machine could lose the folder with all its synced files."""
    synced = []
    for module in (directory, folder_writes):
        monkeypatch.setattr(module, "sync_folder", synced.append)
    store.put_if_absent("v1/figures/a", b"")
    first, synced[:] = list(synced), []
    store.put_if_absent("v1/figures/b", b"")
    root = tmp_path / "store"

    assert {tmp_path, root, root / "v1", root / "v1/figures"} == set(first)
    assert [root / "v1/figures"] == synced


def test_folders_without_a_listed_key_are_not_read(store, tmp_path, monkeypatch):
    """The newest of many versions are listed without reading the others."""
    for key in ("runs/a/b", "v1/a/b", "v2/a", "v3/a/b"):
        store.put_if_absent(key, b"")
    read, scan = [], os.scandir
    monkeypatch.setattr(folder_listing.os, "scandir", lambda p: (read.append(p), scan(p))[1])
    keys = list(store.keys("v", after="v2"))
    folders = {path.relative_to(tmp_path / "store").as_posix() for path in read}

    assert ["v2/a", "v3/a/b"] == keys
    assert {".", "v2", "v3", "v3/a"} == folders


def test_clock_of_a_store_that_cannot_be_written_to(tmp_path):
    """It is this machine's."""
    age = DirectoryStore(tmp_path / "absent").read_clock() - datetime.now(UTC)

    assert abs(age) < timedelta(minutes=1)
    assert [] == list(tmp_path.iterdir())
