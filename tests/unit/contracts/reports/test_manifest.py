"""The manifest names every file of a version."""

import json

from job.contracts.identity import Digest
from job.contracts.reports.manifest import FileEntry, Manifest

V1, V2 = "v20260101_000000_aaaaaaaa", "v20260102_000000_bbbbbbbb"
FILES = [FileEntry.of("b", b"22"), FileEntry.of("a", b"")]


def test_manifest_names_each_file_with_bytes_and_digest():
    """Consumers read this format."""
    manifest = json.loads(Manifest.of(V1, "r1", FILES, copied_from=None).to_bytes())

    assert {
        "version": V1,
        "run_id": "r1",
        "files": [
            {"name": "a", "n_bytes": 0, "digest": str(Digest.of(b""))},
            {"name": "b", "n_bytes": 2, "digest": str(Digest.of(b"22"))},
        ],
    } == manifest


def test_copy_says_where_it_came_from():
    """A version that was published again names the original."""
    manifest = json.loads(Manifest.of(V2, "r1", (), copied_from=V1).to_bytes())

    assert V1 == manifest["copied_from"]


def test_manifest_is_read_as_it_was_written():
    """Reading and writing are inverse."""
    manifest = Manifest.of(V2, "r1", FILES, copied_from=V1)

    assert manifest == Manifest.parse(manifest.to_bytes())
