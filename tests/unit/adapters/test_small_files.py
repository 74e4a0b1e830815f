"""Only regular files of bounded size are read."""

import os

import pytest

from job.adapters.small_files import UnusableFileError, read_small_file


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "file").write_bytes(b"12345")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "zero").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "large").open("wb") as stream:
        stream.truncate(2**30)
    return tmp_path


@pytest.mark.parametrize("name", ["file", "link"])
def test_regular_file_is_read(folder, name):
    """Kubernetes mounts files as links."""
    assert b"12345" == read_small_file(folder / name, 5)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("missing", "does not exist"),
        ("x" * 300, "cannot be read"),
        (".", "is a folder"),
        ("file/x", "cannot be read"),
        ("pipe", "is not a regular file"),
        ("zero", "is not a regular file"),
        ("large", "is larger than 1,000 bytes"),
    ],
)
def test_other_files_are_refused_at_once(folder, name, problem):
    """Nothing waits for a writer, and no more than the limit is read."""
    with pytest.raises(UnusableFileError, match=problem):
        read_small_file(folder / name, 1000)
