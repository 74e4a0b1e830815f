"""What somebody who may write to the store can put there is refused with 8, and costs little."""

import os
import random
import shutil
import time

import pytest
from support.lineage import KEY, mount
from support.published_store import ROWS, VERSIONS, make_store
from support.store_damage import CONTENTS, HEADERS, forge_manifest, make_array, write_manifest

from job.adapters.stores.directory import DirectoryStore
from job.contracts.identity import Digest
from job.contracts.reports.manifest import FileEntry
from job.contracts.store_bounds import MAX_JSON_BYTES, MAX_VERSION_BYTES, MAX_VERSION_FILES
from job.errors import ExitCode, IntegrityError, JobError
from job.registry.champion import PublishedVersion
from job.registry.channels import read_channel
from job.registry.fetch import fetch_version
from job.registry.history import read_moves
from job.registry.read_version import read_metadata, verify_files
from job.stages.lineage.training_rows import parse_lineage, was_trained_on

VERSION = VERSIONS[0]
GIB = 2**30


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("pristine") / "store")


@pytest.fixture
def folder(pristine, tmp_path):
    """Return the folder of a store; what lies beside it must not be read."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/pointer.json").write_text(f'{{"version": "{VERSION}"}}')
    shutil.copytree(pristine.uri, tmp_path / "store")
    return tmp_path / "store"


@pytest.fixture
def store(folder):
    return DirectoryStore(folder)


def measure_disk_use(folder):
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*"))


REPLACEMENTS = {
    "pipe": os.mkfifo,
    "folder": os.mkdir,
    "link to a device": lambda path: path.symlink_to("/dev/zero"),
    "link out of the store": lambda path: path.symlink_to("../../outside/pointer.json"),
    "link to itself": lambda path: path.symlink_to(path),
    "link to a neighbor": lambda path: path.symlink_to("manifest.json"),
}
READS = {
    "metadata.json": lambda store: verify_files(store, VERSION),
    "model.joblib": lambda store: fetch_version(store, VERSION, store._root.parent / "out"),
    "manifest.json": lambda store: verify_files(store, VERSION),
}


@pytest.mark.parametrize("make", REPLACEMENTS.values(), ids=REPLACEMENTS)
@pytest.mark.parametrize("name", READS)
def test_what_is_not_a_file_is_refused(store, folder, name, make):
    """Opening it neither waits nor leads out of the store; the message names the key."""
    READS["manifest.json"](store)  # intact before
    path = folder / VERSION / name
    path.unlink()
    make(path)
    started = time.monotonic()
    with pytest.raises(IntegrityError, match=f"{VERSION}/{name}"):
        READS[name](store)

    assert time.monotonic() - started < 10


@pytest.mark.parametrize("make", REPLACEMENTS.values(), ids=REPLACEMENTS)
def test_pointer_that_is_not_a_file_is_refused(store, folder, make):
    """Reading it as absent would let a run promote without comparison."""
    path = folder / "channels/production.json"
    path.unlink()
    make(path)

    with pytest.raises(IntegrityError, match=r"'channels/production\.json' is not a file"):
        read_channel(store, "production")


def test_link_in_the_place_of_a_folder_is_refused(store, folder, tmp_path):
    """Neither is anything read through it nor written."""
    shutil.move(folder / "channels", tmp_path / "outside/channels")
    (folder / "channels").symlink_to(tmp_path / "outside/channels")
    acts = [
        lambda: store.get("channels/production.json", max_bytes=GIB),
        lambda: store.head("channels/production.json"),
        lambda: list(store.keys("channels/")),
        lambda: store.put_if_absent("channels/new.json", b"x"),
        lambda: store.compare_and_swap("channels/production.json", b"", b"x"),
        lambda: store.delete("channels/production.json"),
    ]
    for act in acts:
        with pytest.raises(IntegrityError, match="'channels' in the store is not a folder"):
            act()

    names = {path.name for path in (tmp_path / "outside/channels").iterdir()}
    assert {"production.json", "production.anchor.json"} <= names
    assert "new.json" not in names


def test_root_of_the_store_may_be_a_link(folder, tmp_path):
    """An operator chose it."""
    (tmp_path / "link").symlink_to(folder)

    assert verify_files(DirectoryStore(tmp_path / "link"), VERSION) > 1


def test_file_longer_than_listed_costs_no_disk(store, folder, tmp_path):
    """1 GiB that is listed as 30 kB is not copied."""
    path = folder / VERSION / "model.joblib"
    path.write_bytes(bytes(30_000))
    write_manifest(folder / VERSION)
    fetch_version(store, VERSION, tmp_path / "before")
    os.truncate(path, GIB)
    most = []
    staging = tmp_path / "out"
    with pytest.raises(IntegrityError, match=r"different from the manifest: 'model\.joblib'"):
        fetch_version(
            _Watched(folder, lambda: most.append(measure_disk_use(staging))), VERSION, staging
        )

    assert most
    assert max(most) < 2**21
    assert not staging.exists()


class _Watched(DirectoryStore):
    """A store that calls a function after each piece that was read."""

    def __init__(self, root, watch):
        super().__init__(root)
        self._watch = watch

    def pieces(self, key):
        for piece in super().pieces(key):
            yield piece
            self._watch()
        self._watch()


@pytest.mark.parametrize(
    "key",
    [
        *("channels/production.json", "lineage/key", f"{VERSION}/manifest.json"),
        *(f"lineage/{VERSION}.npy", f"lineage/{VERSION}.profile.json"),
        "channels/production/history/000001.json",
    ],
)
def test_object_above_its_bound_is_not_read(store, folder, key):
    """A sparse file of 1 GiB and a byte is refused by its size."""
    os.truncate(folder / key, GIB + 1)
    with pytest.raises(IntegrityError, match=f"'{key}' has more than"):
        {
            "channels/production.json": lambda: read_channel(store, "production"),
            "lineage/key": lambda: mount(store).stored,
            f"{VERSION}/manifest.json": lambda: verify_files(store, VERSION),
            "channels/production/history/000001.json": lambda: read_moves(store, "production"),
        }.get(key, lambda: _read_all(store))()


def _read_all(store):
    from job.registry.lineage_files import read_lineage_files

    return dict(read_lineage_files(store, VERSION))


@pytest.mark.parametrize("content", CONTENTS, ids=lambda content: repr(content[:20]))
def test_metadata_that_is_not_metadata_is_refused(store, folder, content):
    """Even if the manifest was written anew."""
    assert VERSION == read_metadata(store, VERSION).model_version
    (folder / VERSION / "metadata.json").write_bytes(content)
    write_manifest(folder / VERSION)

    with pytest.raises(IntegrityError, match=f"cannot read {VERSION}/metadata.json"):
        read_metadata(store, VERSION)


@pytest.mark.parametrize("content", CONTENTS, ids=lambda content: repr(content[:20]))
def test_pointer_and_history_that_are_not_json_are_refused(store, folder, content):
    """Truncated, nested, or with numbers that no integer holds."""
    (folder / "channels/production/history/000001.json").write_bytes(content)
    with pytest.raises(IntegrityError, match=r"history/000001\.json is not a valid entry"):
        read_moves(store, "production")
    (folder / "channels/production.json").write_bytes(content)

    with pytest.raises(IntegrityError, match=r"channels/production\.json is damaged"):
        read_channel(store, "production")


@pytest.mark.parametrize("header", HEADERS)
def test_array_with_a_strange_header_is_refused(store, folder, header):
    """Nothing is evaluated or allocated for it, even if its digest is the published one."""
    data = make_array(header)
    lineage = {"key_id": KEY.id, "digest": str(Digest.of(data))}
    path = folder / VERSION / "metadata.json"
    metadata = read_metadata(store, VERSION)
    profile = metadata.lineage.profile_digest
    forged = metadata.copy_with(lineage={**lineage, "profile_digest": profile})
    path.write_bytes(forged.to_bytes())
    write_manifest(folder / VERSION)
    (folder / f"lineage/{VERSION}.npy").write_bytes(data)
    version = PublishedVersion.read(store, VERSION, mount(store))

    with pytest.raises(IntegrityError, match="cannot be read"):
        was_trained_on(version, ROWS, None)


def test_group_that_no_row_has_is_refused(store):
    """It would be a position outside of a matrix."""
    data = store.get(f"lineage/{VERSION}.npy", max_bytes=GIB)
    parse_lineage(VERSION, data)
    at = data.index(b"\n") + 1 + 26 + 22  # the second entry's field `group`

    with pytest.raises(IntegrityError, match="cannot be read"):
        parse_lineage(VERSION, data[:at] + b"\xff\xff\xff\x7f" + data[at + 4 :])


def _entry(name, n_bytes=1):
    return FileEntry(name=name, n_bytes=n_bytes, digest=f"sha256:{'0' * 64}")


REQUIRED = [_entry("model.joblib"), _entry("metadata.json")]


@pytest.mark.parametrize(
    ("entries", "problem"),
    [
        ([_entry(f"f{n}") for n in range(MAX_VERSION_FILES + 1)], "lists more than"),
        ([_entry("model.joblib", MAX_VERSION_BYTES + 1)], "lists more than"),
        ([*REQUIRED, _entry("other.json", MAX_JSON_BYTES + 1)], "lists a JSON file"),
        ([*REQUIRED, _entry("../model.joblib")], "outside the version's folder"),
        ([*REQUIRED, _entry("x" * 256)], "too long"),
        ([*REQUIRED, _entry("a"), _entry("a/b")], "also a folder"),
        ([], "does not list 'metadata.json', 'model.joblib'"),
        (REQUIRED[1:], "does not list 'model.joblib'"),
    ],
)
def test_manifest_that_no_run_writes_is_refused(store, folder, entries, problem):
    """It decides how much is read, and to where a fetch writes."""
    write_manifest(folder / VERSION, entries)

    with pytest.raises(IntegrityError, match=problem):
        verify_files(store, VERSION)


@pytest.mark.parametrize("seed", range(10))
def test_forged_manifest_does_not_fill_the_disk(store, folder, tmp_path, seed):
    """Whatever sizes it lists, only what is there is written."""
    forge_manifest(random.Random(seed), folder / VERSION)
    try:
        fetch_version(store, VERSION, tmp_path / "out")
    except JobError as error:
        assert ExitCode.INTEGRITY == error.exit_code
        assert not (tmp_path / "out").exists()
