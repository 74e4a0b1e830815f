"""The list of versions: newest first, with what metadata.json of any release tells."""

import json

import pytest
from support.memory_store import MemoryStore
from support.versions import publish_small

from job import registry
from job.registry.channels import MoveReason, move_channel

METADATA = {
    "trained_on": {"trained_at": "2026-01-01T00:00:00+00:00"},
    "dataset": {"n_rows": 1000},
    "settings": {"search": {"metric": "f1_macro"}},
    "metrics": {"f1_macro": 0.9, "accuracy": 0.8},
}


@pytest.fixture
def store():
    return MemoryStore()


def write_metadata(store, version, content):
    store.objects[f"{version}/metadata.json"] = json.dumps(content).encode()


def test_newest_version_is_first_and_has_its_facts(store):
    """The score is that of the metric of its search."""
    old, new = publish_small(store, "a", "b")
    write_metadata(store, new, METADATA)
    move_channel(
        store, "production", new, expected=None, reason=MoveReason(at="noon", by="r1", why="")
    )
    listed = registry.list_models(store, 20)

    assert [new, old] == [v.version for v in listed.versions]
    assert ("f1_macro", 0.9, 1000, ("production",)) == (
        listed.versions[0].metric,
        listed.versions[0].score,
        listed.versions[0].n_rows,
        listed.versions[0].channels,
    )
    assert listed.is_complete


@pytest.mark.parametrize(
    ("limit", "n", "is_complete"), [(1, 1, False), (3, 3, True), (None, 3, True)]
)
def test_limit_cuts_the_oldest(store, limit, n, is_complete):
    """The result says whether there are more."""
    names = publish_small(store, "a", "b", "c")
    listed = registry.list_models(store, limit)

    assert names[::-1][:n] == [v.version for v in listed.versions]
    assert is_complete == listed.is_complete


@pytest.mark.parametrize(
    "content",
    [
        [],
        {"dataset": []},
        {"dataset": {"n_rows": -1}, "metrics": {"f1_macro": "high"}},
        {"dataset": {"n_rows": True}, "settings": {"search": {"metric": 3}}},
    ],
)
def test_forged_metadata_leaves_the_facts_out(store, content):
    """One damaged version does not hide the others."""
    [version] = publish_small(store, "a")
    write_metadata(store, version, content)
    [listed] = registry.list_models(store, 20).versions

    assert (version, None, None, None) == (
        listed.version,
        listed.n_rows,
        listed.metric,
        listed.score,
    )


def test_bytes_that_are_no_json_leave_the_facts_out(store):
    """`models verify` names the damage."""
    [version] = publish_small(store, "a")
    store.objects[f"{version}/metadata.json"] = b"\x00"

    assert version == registry.list_models(store, 20).versions[0].version
