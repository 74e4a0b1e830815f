"""Objects of a dataset become files in one folder, and nowhere else.

The stores that tests can start reject such keys and AWS accepts them, so botocore's stub lists them.
"""

import io
import os
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from job.adapters.stores.s3.client import Connection
from job.adapters.stores.s3.files import S3Files
from job.errors import DatasetNotFoundError, DatasetUnreadableError


@pytest.fixture
def client():
    return boto3.client(
        "s3", region_name="eu-west-1", aws_access_key_id="k", aws_secret_access_key="s"
    )


@pytest.fixture
def listing(client, tmp_path):
    """Return a function that makes a copier of a prefix with these keys."""

    def make(*keys, n_bytes=5):
        stub = Stubber(client)
        stub.add_client_error("head_object", "404", http_status_code=404)
        contents = [{"Key": f"t/{key}", "Size": n_bytes} for key in keys]
        stub.add_response("list_objects_v2", {"Contents": contents, "IsTruncated": False})
        stub.activate()
        folder = tmp_path / "inside"
        folder.mkdir()
        return S3Files(Connection(client=client, host="aws", body_retry_seconds=1), folder)

    return make


@pytest.mark.parametrize(
    "key",
    [
        *("/tmp/part-0.parquet", "a//b", "../x", "a/../../x", "./x", "a\\b", "a\nb", "a/"),
        *("..", "."),
    ],
)
def test_key_that_leads_elsewhere_is_refused(listing, tmp_path, key):
    """It is an error, the key is not skipped, and nothing is written."""
    with pytest.raises(DatasetUnreadableError, match="is not a valid file name"):
        listing("part-0.parquet", key).copy("s3://b/t")

    assert [] == [path for path in tmp_path.rglob("*") if path.is_file()]


def test_file_that_is_a_folder_too_is_refused(listing):
    """A disk can have only one of them."""
    with pytest.raises(DatasetUnreadableError, match="'a'"):
        listing("a", "a/b").copy("s3://b/t")


def test_folder_markers_of_consoles_are_not_files(listing):
    """Empty, with a slash at the end."""
    with pytest.raises(DatasetNotFoundError):
        listing("", "sub/", n_bytes=0).copy("s3://b/t")


@pytest.mark.parametrize("make", [Path.symlink_to, Path.hardlink_to])
def test_file_that_is_there_already_is_not_written_to(listing, tmp_path, make):
    """Neither is the target of a link."""
    mine, target = tmp_path / "mine", tmp_path / "inside/x"
    mine.write_bytes(b"mine")
    files = listing()
    make(target, mine)
    with pytest.raises(FileExistsError):
        files._copy("b", "t/x", {"ContentLength": 0, "ETag": "e"}, target)

    assert b"mine" == mine.read_bytes()


def test_disk_that_takes_a_part_of_a_write_is_given_the_rest(client, tmp_path, monkeypatch):
    """A partial write is continued; if the disk is full, the next write raises."""
    data, write = os.urandom(100_000), os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, part, start: write(fd, part[:999], start))
    stub = Stubber(client)
    answer = {"Body": StreamingBody(io.BytesIO(data), len(data))}
    stub.add_response("get_object", {**answer, "ContentRange": "bytes 0-99999/100000"})
    stub.activate()
    head = {"ContentLength": len(data), "ETag": "e", "LastModified": datetime.now(UTC)}
    connection = Connection(client=client, host="aws", body_retry_seconds=1)
    S3Files(connection, tmp_path)._copy("b", "t/x", head, tmp_path / "x")

    assert data == (tmp_path / "x").read_bytes()
