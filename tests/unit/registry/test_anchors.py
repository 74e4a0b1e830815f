"""The anchor of a channel is created once, and moves by compare-and-swap."""

import json

import pytest
from support.memory_store import MemoryStore
from support.versions import publish_small

from job.contracts.identity import canonical_json
from job.errors import IntegrityError, VersionConflictError
from job.registry.anchors import list_anchors, pointed_versions, read_anchor, set_anchor
from job.registry.channels import MoveReason, list_channels, move_channel, read_channel
from job.registry.history import previous_version, read_moves

POINTER = "channels/production.anchor.json"
HISTORY = "channels/production.anchor/history/"
V1, V2, V3 = publish_small(MemoryStore(), "a", "b", "c")


def make_store(**options):
    store = MemoryStore(**options)
    publish_small(store, "a", "b", "c")
    return store


def set_it(store, version, expected=None, *, channel="production", by="r1"):
    return set_anchor(
        store, channel, version, expected=expected, reason=MoveReason(at="noon", by=by, why="first")
    )


def anchor(store):
    return read_anchor(store, "production")[0]


def set_meanwhile(store):
    store.objects[POINTER] = canonical_json({"version": V3, "run_id": "other"})


@pytest.fixture
def store():
    return make_store()


def test_channel_without_an_anchor(store):
    """It has neither version nor pointer, even if the channel has moved."""
    move_channel(
        store, "production", V1, expected=None, reason=MoveReason(at="noon", by="r1", why="")
    )

    assert (None, None) == read_anchor(store, "production")
    assert {} == list_anchors(store)


def test_anchor_is_read_with_the_bytes_of_its_pointer(store):
    """A later swap expects these bytes."""
    is_set = set_it(store, V1)

    assert (True, V1, store.objects[POINTER]) == (is_set, *read_anchor(store, "production"))


def test_pointer_says_who_when_and_why(store):
    """It has the format of a channel's pointer."""
    set_it(store, V1)

    assert {
        "version": V1,
        "promoted_at": "noon",
        "run_id": "r1",
        "move": 1,
        "from": None,
        "why": "first",
        "action": "promote",
        "champions": [],
    } == json.loads(store.objects[POINTER])


def test_anchor_that_exists_is_not_set_again(store):
    """Another run has set it first: that is not an error, and nothing is written."""
    set_it(store, V1)
    before = dict(store.objects)

    assert not set_it(store, V2, by="r2")
    assert before == store.objects


def test_anchor_that_another_run_sets_meanwhile_stays():
    """Creation is one conditional request; the second one writes nothing."""
    store = make_store(before_swap=set_meanwhile)

    assert not set_it(store, V2)
    assert (V3, []) == (anchor(store), list(store.keys(HISTORY)))


def test_other_run_with_the_same_version_was_first(store):
    """An equal version does not make it this caller's anchor."""
    set_it(store, V1, by="r2")

    assert not set_it(store, V1)


def test_later_attempt_of_the_same_run_has_set_it(store):
    """A killed attempt set it and left its history entry out: the next attempt writes the entry."""
    set_it(store, V1)
    store.delete(f"{HISTORY}000001.json")

    assert set_it(store, V1)
    assert [f"{HISTORY}000001.json"] == list(store.keys(HISTORY))


def test_anchor_moves_from_the_pointer_that_was_read(store):
    """Its history contains both moves."""
    set_it(store, V1)

    assert set_it(store, V2, store.get(POINTER))
    assert [(None, V1), (V1, V2)] == [
        (move.origin, move.to) for move in read_moves(store, "production.anchor")
    ]


def test_anchor_moved_meanwhile_is_a_conflict():
    """The message names the anchor, and the hint the command that moves it."""
    store = make_store()
    set_it(store, V1)
    seen = store.get(POINTER)
    set_meanwhile(store)

    with pytest.raises(VersionConflictError, match="the anchor of channel 'production'") as caught:
        set_it(store, V2, seen)
    assert f"`pcc-job models promote {V2} --channel production --anchor`" in caught.value.hint
    assert V3 == anchor(store)


def test_anchor_leaves_its_channel(store):
    """Channel and anchor have separate pointers and histories."""
    move_channel(
        store, "production", V1, expected=None, reason=MoveReason(at="noon", by="r1", why="")
    )
    set_it(store, V2)
    set_it(store, V3, store.get(POINTER))

    assert (V1, None) == (
        read_channel(store, "production")[0],
        previous_version(store, "production"),
    )


def test_channel_leaves_its_anchor(store):
    """The anchor does not follow the champion."""
    set_it(store, V1)
    for version in (V2, V3):
        pointer = read_channel(store, "production")[1]
        move_channel(
            store,
            "production",
            version,
            expected=pointer,
            reason=MoveReason(at="noon", by="r1", why=""),
        )

    assert (V1, V3) == (anchor(store), read_channel(store, "production")[0])


def test_anchors_are_listed_by_channel_and_are_no_channels(store):
    """This holds even if one channel's name begins with another's."""
    move_channel(store, "a-b", V3, expected=None, reason=MoveReason(at="noon", by="r1", why=""))
    for channel, version in (("a", V1), ("a-b", V2)):
        set_it(store, version, channel=channel)

    assert {"a": V1, "a-b": V2} == list_anchors(store)
    assert ["a", "a-b"] == list(list_anchors(store))
    assert {"a-b": V3} == list_channels(store)
    assert {V1, V2, V3} == pointed_versions(store)


@pytest.mark.parametrize("raw", [b"", b"{", b"null", b"{}", b'{"version": "../../evil"}'])
@pytest.mark.parametrize(
    "act",
    [
        lambda store: read_anchor(store, "production"),
        list_anchors,
        lambda store: set_it(store, V1),
        lambda store: set_it(store, V1, store.get(POINTER)),
    ],
    ids=["read", "list", "create", "move"],
)
def test_damaged_pointer_is_refused(store, raw, act):
    """The message names the key, the hint the command; a run does not set a new anchor over it."""
    store.objects[POINTER] = raw

    with pytest.raises(IntegrityError, match=POINTER) as caught:
        act(store)
    assert "models promote VERSION --channel production --anchor`" in caught.value.hint
    assert HISTORY in caught.value.hint


def marked_meanwhile(store):
    store.objects[f"removals/{V2}/x"] = b""


def test_version_that_is_removed_meanwhile_is_no_anchor():
    """The anchor moves back, as a channel does."""
    store = make_store(before_swap=marked_meanwhile)
    set_it(store, V1)
    with pytest.raises(VersionConflictError, match=f"{V2} is being removed"):
        set_it(store, V2, store.get(POINTER))

    assert V1 == anchor(store)


def test_first_anchor_that_is_removed_meanwhile_is_reported():
    """There is no earlier version to move back to."""
    store = make_store(before_swap=marked_meanwhile)

    with pytest.raises(VersionConflictError, match=f"{V2} is being removed"):
        set_it(store, V2)
