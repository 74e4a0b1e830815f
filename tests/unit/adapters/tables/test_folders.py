"""A folder is read as a whole, or refused with the name of what is unclear."""

import gzip
import os
import resource
import socket
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from structlog.testing import capture_logs
from support.markdown import ROOT

from job.adapters.tables import ArrowTables
from job.adapters.tables.folder_rules import select_parts
from job.errors import ConfigurationError, DatasetNotFoundError, DatasetUnreadableError


@pytest.fixture
def folder(tmp_path):
    """Return a folder with two parts of two rows each, one of them in a folder of its own."""
    for number, name in enumerate(("part-0.csv", "month=11/part-0.csv")):
        path = tmp_path / "table" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"intent,text\ndelete,row {number}\nexport,more {number}\n")
    return tmp_path / "table"


def read(path, **options):
    table = ArrowTables(**options).open(str(path))
    return [row["text"] for batch in table.batches(table.names) for row in batch.to_pylist()]


def refuse(path, problem, *, kind=DatasetUnreadableError, **options):
    with pytest.raises(kind) as caught:
        read(path, **options)
    assert problem in caught.value.message, caught.value.message
    return caught.value.hint


def test_all_parts_are_read(folder):
    assert ["row 1", "more 1", "row 0", "more 0"] == read(folder)


@pytest.mark.parametrize(
    "name",
    [
        *("_SUCCESS", "_metadata", ".part-0.csv.crc", ".DS_Store", "._part-0.csv", "README.md"),
        *("part-0.csv.sha256", "month=11/_SUCCESS", "LICENSE", "table.metadata.json"),
        *("SHA256SUMS", "checksums.txt", "part-0.csv.sha1", "Thumbs.db", "md5sum.txt"),
        *("_committed_1", "..data"),
    ],
)
def test_bookkeeping_is_left_out_in_silence(folder, name):
    (folder / name).write_bytes(b"x")
    with capture_logs() as logs:
        assert 4 == len(read(folder))
    assert [] == logs


@pytest.mark.parametrize("name", ["_notes", ".state", "_old/part-1.csv", ".cache/x.csv"])
def test_other_hidden_names_are_counted_in_the_log(folder, name):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"intent,text\ndelete,x\n")
    with capture_logs() as logs:
        assert 4 == len(read(folder))
    assert [("entries_left_out", 1)] == [(e["event"], e["n_entries"]) for e in logs]


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("part-1", "move it out of the folder"),
        ("part-1.txt", "rename it"),
        ("manifest.json", "if it is not a part of the table, move it"),
        ("_part-1.csv", "if it is a part, rename it"),
        (".part-1.csv.icloud", "if a program is still writing it, wait"),
        ("month=11/.part-1.parquet.Xa3f9", "if it is a part, rename it"),
        ("month=11/part-1.csv.tmp", "wait for the export"),
        ("part-1.csv._COPYING_", "wait for the export"),
        ("part-1.csv.crdownload", "wait for the export"),
        ("part-1.jsonl", "read_json"),
        ("part-1.csv.xz", "xz -dc"),
        ("month=12/x.orc", "read_orc"),
    ],
)
def test_file_that_may_be_a_part_is_named(folder, name, remedy):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"x")

    assert remedy in refuse(folder, f"table/{name.replace('=11', '=...').replace('=12', '=...')}'")


def test_links_to_files_and_folders_are_followed(folder, tmp_path):
    other = tmp_path / "elsewhere"
    other.mkdir()
    (other / "x.csv").write_text("intent,text\ndelete,linked\n")
    (other / "y.csv").write_text("intent,text\ndelete,linked too\n")
    (folder / "linked").symlink_to(other)
    (other / "y.csv").rename(tmp_path / "y.csv")
    (folder / "part-1.csv").symlink_to(tmp_path / "y.csv")

    assert {"linked", "linked too"} < set(read(folder))


@pytest.mark.parametrize("target", ["nowhere", "part-1.csv", "/nonexistent/part.csv"])
def test_link_to_nothing_is_named(folder, target):
    (folder / "part-1.csv").symlink_to(target)

    refuse(folder, "table/part-1.csv' is a link to a file that does not exist")


@pytest.mark.parametrize("place", [".", "month=11"])
def test_folder_that_contains_itself_is_named(folder, place):
    (folder / place / "again").symlink_to(folder)

    refuse(folder, "contains itself by a link")


def test_pipes_sockets_and_devices_are_named(folder):
    os.mkfifo(folder / "pipe.csv")
    refuse(folder, "pipe.csv' is a pipe or a device")
    (folder / "pipe.csv").unlink()
    (folder / "zero.csv").symlink_to("/dev/zero")
    refuse(folder, "zero.csv' is a link to a pipe or a device")
    (folder / "zero.csv").unlink()
    with socket.socket(socket.AF_UNIX) as listener:
        os.chdir(folder)  # a path of a socket is short
        listener.bind("s.csv")
        refuse(folder, "s.csv' is a pipe or a device")


@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_same_file_twice_by_a_link_is_named(folder, link):
    link(folder / "part-0.csv", folder / "part-1.csv")

    hint = refuse(folder, "the same part twice")
    assert "remove one of them" in hint


def test_same_content_twice_is_named(folder):
    content = (folder / "part-0.csv").read_bytes()
    (folder / "part-0 (1).csv").write_bytes(content)
    refuse(folder, "part-0 (1).csv' and '")
    (folder / "part-0 (1).csv").unlink()
    (folder / "part-0.csv.gz").write_bytes(gzip.compress(content))
    refuse(folder, "part-0.csv' and '")


def test_empty_parts_may_be_equal(tmp_path):
    """Spark writes one for each empty partition."""
    for number in range(3):
        (tmp_path / f"part-{number}.csv").write_text("intent,text\n")
    (tmp_path / "part-3.csv").write_text("intent,text\ndelete,x\n")
    assert ["x"] == read(tmp_path)
    parquet = tmp_path / "parquet"
    parquet.mkdir()
    table = pa.table({"intent": ["a"], "text": ["x"]})
    for number in range(3):
        pq.write_table(table.slice(number), parquet / f"part-{number}.parquet")
    assert ["x"] == read(parquet)
    pq.write_table(table, parquet / "part-9.parquet")

    refuse(parquet, "the same part twice")


@pytest.mark.parametrize(
    ("names", "problem", "remedy"),
    [
        (["_delta_log/0.json", "a.parquet"], "is a Delta table", "format('delta')"),
        (["x=1/_delta_log/0.json", "x=1/a.parquet"], "is a Delta table", "format('delta')"),
        (["metadata/v1.metadata.json", "data/a.parquet"], "is an Iceberg table", "iceberg"),
        (["metadata/0-a.metadata.json"], "is an Iceberg table", "iceberg"),
        ([".hoodie/", "a.parquet"], "is a Hudi table", "format('hudi')"),
        (["_temporary/", "a.csv"], "has '_temporary'", "wait for the export"),
        (["_temporary/0/task/a.csv"], "has '_temporary'", "wait for the export"),
        (["x=1/.spark-staging-3/a.csv", "a.csv"], ".spark-staging-3'", "wait for the export"),
        (["_started_7", "a.csv"], "has '_started_7'", "wait for the export"),
        (["a.csv", "b.parquet"], "both CSV and Parquet", "remove the files"),
    ],
)
def test_folders_of_other_programs_are_named(names, problem, remedy):
    with pytest.raises(DatasetUnreadableError) as caught:
        select_parts("s3://bucket/table", names)

    assert problem in caught.value.message
    assert remedy in caught.value.hint


def test_committed_write_is_read():
    names = ["_started_7", "_committed_7", "b.csv", "a.csv", "x/"]

    assert ("a.csv", "b.csv") == select_parts("t", names)


@pytest.mark.parametrize("names", [[], ["_a"], ["a.xlsx"], ["README.md"], ["x/"]])
def test_folder_without_parts_is_not_found(names):
    with pytest.raises(DatasetNotFoundError, match="no Parquet or CSV files"):
        select_parts("t", names)


def test_column_in_the_names_of_folders_is_named(folder):
    """The rows would be read without it."""
    known = frozenset({"month", "intent"})
    (folder / "part-0.csv").unlink()
    hint = refuse(folder, "column 'month' of", known_names=known)

    assert "partitionBy" in hint
    assert 2 == len(read(folder, known_names=frozenset({"intent"})))


def _list_as_nobody(folder, private):
    """Validate a folder as a user who may not list one of its folders."""
    for path in [folder, *folder.parents][:4]:
        path.chmod(0o755)
    private.chmod(0)
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from job.adapters.tables.listing import list_files\n"
        "from job.errors import JobError\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "try: print(len(list_files('t', Path(sys.argv[1]))))\n"
        "except JobError as error: print(int(error.exit_code), error.message)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, folder],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    private.chmod(0o755)
    return done.stdout + done.stderr


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_folder_that_may_not_be_listed_is_named(folder):
    private = folder / "other"
    private.mkdir()
    (private / "a.csv").write_text("intent,text\ndelete,x\n")

    said = _list_as_nobody(folder, private)

    assert said.startswith("3 no permission to list the folder 't/other/'"), said


def test_folder_of_many_parts_needs_few_open_files(tmp_path):
    """Parts are opened one after the other."""
    for number in range(200):
        pq.write_table(
            pa.table({"text": [str(number)]}), tmp_path / f"{number}.parquet", compression="none"
        )
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    n_open = len(list(Path("/proc/self/fd").iterdir()))
    resource.setrlimit(resource.RLIMIT_NOFILE, (n_open + 10, hard))
    try:
        assert 200 == len(read(tmp_path))
        for number in range(200):
            (tmp_path / f"{number}.parquet").unlink()
            (tmp_path / f"{number}.csv").write_text(f"text\n{number}\n")
        assert 200 == len(read(tmp_path))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "parquet"])
def test_limit_of_open_files_is_not_a_damaged_table(tmp_path, ending):
    table = pa.table({"text": ["a"]})
    path = tmp_path / f"t.{ending}"
    if ending == "parquet":
        pq.write_table(table, path)
    else:
        path.write_bytes(b"text\na\n" if ending == "csv" else gzip.compress(b"text\na\n"))
    assert ["a"] == read(path)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
    try:
        hint = refuse(path, "too many open files: this process may have", kind=ConfigurationError)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert "ulimit -n" in hint
