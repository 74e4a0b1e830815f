"""All moves of a channel can be read, and determine the previous champion."""

import pytest
from support.memory_store import MemoryStore
from support.versions import publish_small

from job.contracts.identity import canonical_json
from job.errors import IntegrityError
from job.registry.channels import MoveReason, move_channel
from job.registry.history import previous_version, read_moves

POINTER = "channels/production.json"
HISTORY = "channels/production/history/"
V1, V2, V3, V4 = publish_small(MemoryStore(), "a", "b", "c", "d")


@pytest.fixture
def store():
    store = MemoryStore()
    publish_small(store, "a", "b", "c", "d")
    return store


def move(store, version, action="promote", copy_of=None):
    move_channel(
        store,
        "production",
        version,
        expected=store.get(POINTER),
        reason=MoveReason(at="noon", by="r1", why="", action=action, copy_of=copy_of),
    )


def versions_in_history(store):
    return [move.to for move in read_moves(store, "production")]


def test_move_without_an_entry_is_read(store):
    """It is read from the pointer before the next move writes the entry."""
    move(store, V1)
    store.delete(f"{HISTORY}000001.json")

    assert [V1] == versions_in_history(store)


def test_moves_are_read_without_the_pointer(store):
    """The pointer can be restored from them."""
    move(store, V1)
    store.delete(POINTER)

    assert [V1] == versions_in_history(store)


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("000001.json", b""),
        ("000001.json", b"{}"),
        ("000001.json", b"[]"),
        ("000001.json", b'{"to": "../../evil"}'),
        ("000001.json", b'{"to": 5}'),
        ("notes.txt", canonical_json({"to": V1})),
    ],
)
@pytest.mark.parametrize("act", [read_moves, previous_version])
def test_damaged_entry_is_named(store, name, raw, act):
    """The operator must know which file is damaged."""
    store.objects[HISTORY + name] = raw

    with pytest.raises(IntegrityError, match=HISTORY + name):
        act(store, "production")


@pytest.mark.parametrize(
    ("moves", "previous"),
    [
        ([], None),
        ([(V1, "promote")], None),
        ([(V1, "promote"), (V2, "promote")], V1),
        ([(V1, "promote"), (V2, "promote"), (V1, "rollback")], None),
        ([(V1, "promote"), (V2, "promote"), (V3, "promote"), (V2, "rollback")], V1),
        ([(V1, "promote"), (V2, "promote"), (V1, "rollback"), (V3, "promote")], V1),
        (
            [(V1, "promote"), (V2, "promote"), (V1, "promote"), (V3, "promote"), (V1, "rollback")],
            V2,
        ),
    ],
)
def test_previous_version_skips_those_rolled_back(store, moves, previous):
    """A second rollback goes one version further back."""
    for version, action in moves:
        move(store, version, action)

    assert previous == previous_version(store, "production")


def test_rollback_to_a_copy_stands_for_its_origin(store):
    """V3 is V1 published again: there is no version before it."""
    for arguments in ((V1,), (V2,), (V3, "rollback", V1)):
        move(store, *arguments)

    assert previous_version(store, "production") is None


def test_copy_is_gone_back_to_as_any_other(store):
    """A version after it can be rolled back to it."""
    for arguments in ((V1,), (V2,), (V3, "rollback", V1), (V4,)):
        move(store, *arguments)

    assert V3 == previous_version(store, "production")


def test_removed_versions_are_passed_over(store):
    """`models prune` keeps only one version before the champion."""
    for version in (V1, V2, V3):
        move(store, version)
    store.delete(f"{V2}/manifest.json")

    assert V1 == previous_version(store, "production")


def test_present_champion_is_not_before_itself(store):
    """Its pointer was lost, and the version was promoted again."""
    move(store, V1)
    store.delete(POINTER)
    move(store, V1)

    assert previous_version(store, "production") is None
