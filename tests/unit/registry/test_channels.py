"""A channel moves by compare-and-swap, and each move is in its history."""

import json

import pytest
from support.memory_store import MemoryStore
from support.versions import publish_small

from job.contracts.identity import canonical_json
from job.contracts.store_keys import ProbeStep
from job.errors import ConfigurationError, IntegrityError, VersionConflictError
from job.registry.channels import (
    MoveReason,
    list_channels,
    move_channel,
    read_channel,
    require_conditions,
)

POINTER = "channels/production.json"
HISTORY = "channels/production/history/"
MOVE = {"at": "noon", "by": "r1", "action": "promote"}
V1, V2, V3 = publish_small(MemoryStore(), "a", "b", "c")


def make_store(**options):
    store = MemoryStore(**options)
    publish_small(store, "a", "b", "c")
    return store


def move(store, version, expected, why="accepted"):
    move_channel(
        store,
        "production",
        version,
        expected=expected,
        reason=MoveReason(at="noon", by="r1", why=why),
    )


def move_on(store, version):
    move(store, version, store.get(POINTER))


def champion(store):
    return read_channel(store, "production")[0]


def history(store):
    return [json.loads(store.get(key)) for key in store.keys(HISTORY)]


def moved_meanwhile(store):
    store.objects[POINTER] = canonical_json({"version": V3})


@pytest.fixture
def store():
    return make_store()


def test_channel_that_never_moved_has_no_champion(store):
    """The first run's candidate has no champion to be compared with."""
    assert (None, None) == read_channel(store, "production")


def test_channel_is_read_with_the_bytes_of_its_pointer(store):
    """A later swap expects these bytes."""
    move(store, V1, None)

    assert (V1, store.objects[POINTER]) == read_channel(store, "production")


def test_channels_from_the_pointer_that_was_read(store):
    """Nobody else has moved it since."""
    move(store, V1, None)
    move(store, V2, store.get(POINTER))

    assert V2 == champion(store)


def test_other_channels_stay(store):
    """A promotion moves one channel only."""
    move(store, V1, None)

    assert (None, None) == read_channel(store, "staging")


@pytest.mark.parametrize("expected", [None, canonical_json({"version": V1})])
def test_channel_moved_meanwhile_is_a_conflict(expected):
    """Neither a first nor a later promotion overwrites another run's."""
    store = make_store(before_swap=moved_meanwhile)

    with pytest.raises(VersionConflictError, match="production"):
        move(store, V2, expected)


def test_channel_removed_meanwhile_is_a_conflict():
    """The message and the hint do not print None."""
    with pytest.raises(VersionConflictError, match="removed its pointer first") as caught:
        move(make_store(), V2, canonical_json({"version": V1}))

    assert "models diff" not in str(caught.value.hint)


def test_conflict_leaves_the_pointer_untouched():
    """The other run's move stands."""
    store = make_store(before_swap=moved_meanwhile)
    with pytest.raises(VersionConflictError):
        move(store, V2, None)

    assert V3 == champion(store)


def test_conflict_is_no_move_in_the_history():
    """A move that failed has no entry."""
    store = make_store(before_swap=moved_meanwhile)
    with pytest.raises(VersionConflictError):
        move(store, V2, None)

    assert [] == history(store)


def test_history_says_who_when_from_where_and_why(store):
    """These are the keys that an auditor reads."""
    move(store, V1, None, why="accepted")
    move(store, V2, store.get(POINTER), why="better")

    assert [
        {**MOVE, "from": None, "to": V1, "why": "accepted"},
        {**MOVE, "from": V1, "to": V2, "why": "better"},
    ] == history(store)


def test_history_is_numbered_from_one(store):
    """Numbers have six digits, so that keys sort by number."""
    for version in (V1, V2, V3):
        move_on(store, version)

    assert [f"{HISTORY}00000{n}.json" for n in (1, 2, 3)] == list(store.keys(HISTORY))


def test_entry_left_out_by_a_killed_process_is_written_by_the_next(store):
    """The pointer contains the whole move."""
    move_on(store, V1)
    store.delete(f"{HISTORY}000001.json")
    move_on(store, V2)

    assert [V1, V2] == [entry["to"] for entry in history(store)]


def test_channel_at_the_version_already_does_not_move(store):
    """Another attempt of the same run was faster."""
    move_on(store, V1)
    move_on(store, V1)

    assert [V1] == [entry["to"] for entry in history(store)]


def test_channel_moved_by_another_attempt_is_no_conflict():
    """Two attempts of one run promote the same version."""
    store = make_store(before_swap=lambda s: s.objects.update({POINTER: twin}))
    twin = canonical_json({"version": V2, "run_id": "r1"})
    move(store, V2, None)

    assert V2 == champion(store)


def test_conflict_names_both_versions():
    """The operator must decide between them."""
    store = make_store(before_swap=moved_meanwhile)

    with pytest.raises(VersionConflictError, match=f"{V2}.*{V3}"):
        move(store, V2, None)


@pytest.mark.parametrize("name", ["creates_once", "swaps"])
def test_store_that_ignores_conditions_moves_no_channel(name):
    """The message contains the store's response."""
    steps = (ProbeStep(name=name, is_met=False, answer="200"),)

    with pytest.raises(ConfigurationError, match="answered 200"):
        require_conditions("s3://b", steps)


def test_store_that_keeps_conditions_is_accepted():
    """Other abilities are not required here."""
    require_conditions("s3://b", (ProbeStep(name="lists", is_met=False, answer="absent"),))


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"{", b"\xff", b"null", b"[]", b'"v1"', b"{}", b'{"run_id": "r1"}'),
        b'{"version": "../../evil"}',
        b'{"version": null}',
        canonical_json({"version": V1, "move": "x"}),
        canonical_json({"version": V1, "move": -1}),
        canonical_json({"version": V1, "from": "x"}),
        canonical_json({"version": V1, "why": 1}),
        canonical_json({"version": V1, "action": "swap"}),
    ],
)
@pytest.mark.parametrize("act", [lambda s: read_channel(s, "production"), lambda s: move_on(s, V1)])
def test_damaged_pointer_is_refused(store, raw, act):
    """An unreadable pointer is not treated as a missing one."""
    store.objects[POINTER] = raw

    with pytest.raises(IntegrityError, match=POINTER):
        act(store)


def test_pointer_with_a_version_alone_is_enough(store):
    """The pointer may have been restored by hand."""
    store.objects[POINTER] = canonical_json({"version": V1})

    assert V1 == champion(store)


def test_channel_without_its_pointer_continues_its_history(store):
    """No number is used twice, and no move is lost."""
    for version in (V1, V2):
        move_on(store, version)
    store.delete(POINTER)
    move(store, V3, None)

    assert [(None, V1), (V1, V2), (None, V3)] == [(e["from"], e["to"]) for e in history(store)]
    assert 3 == json.loads(store.get(POINTER))["move"]


def test_pointer_restored_by_hand_gets_a_history_entry(store):
    """This holds even if the move that it replaces has its number."""
    move_on(store, V1)
    store.objects[POINTER] = canonical_json({"version": V2, "move": 1})
    move_on(store, V3)

    assert [V1, V2, V3] == [entry["to"] for entry in history(store)]


def test_channels_are_listed_without_their_history(store):
    """Each channel has one pointer."""
    move_on(store, V1)

    assert {"production": V1} == list_channels(store)


def removed_meanwhile(store):
    """Let `models prune` remove the second version at the moment of the swap."""
    if json.loads(store.objects.get(POINTER, b"{}")).get("version") != V2:
        for key in list(store.keys(f"{V2}/")):
            store.delete(key)


def marked_meanwhile(store):
    store.objects[f"removals/{V2}/x"] = b""


@pytest.mark.parametrize("meanwhile", [removed_meanwhile, marked_meanwhile])
def test_version_that_is_removed_meanwhile_is_no_champion(meanwhile):
    """The channel moves back, and the history shows it."""
    store = make_store(before_swap=meanwhile)
    move(store, V1, None)

    with pytest.raises(VersionConflictError, match=f"{V2} is being removed"):
        move_on(store, V2)

    assert V1 == champion(store)
    assert [(V1, "promote"), (V2, "promote"), (V1, "rollback")] == [
        (entry["to"], entry["action"]) for entry in history(store)
    ]


def test_first_version_that_is_removed_meanwhile_is_a_conflict():
    """There is no earlier version to move back to."""
    with pytest.raises(VersionConflictError, match=r"being removed.* no version that can be used"):
        move(make_store(before_swap=marked_meanwhile), V2, None)
