"""A channel moves by compare-and-swap, and each move is written down."""

import json

import pytest
from support.memory_store import MemoryStore

from job.contracts.digest import canonical_json
from job.contracts.stored import ProbeStep
from job.errors import ConfigurationError, IntegrityError, VersionConflictError
from job.stages.channels import (
    finish_promotion,
    list_history,
    previous_version,
    promote,
    read_channel,
    require_conditions,
)

POINTER = "channels/production.json"
HISTORY = "channels/production/history/"
MOVE = {"at": "noon", "by": "r1", "action": "promote"}
V1, V2, V3 = (f"v2026010{n}_000000_0000000{n}" for n in (1, 2, 3))


def move(store, version, expected, why="accepted"):
    promote(store, "production", version, expected=expected, at="noon", by="r1", why=why)


def move_on(store, version):
    move(store, version, store.get(POINTER))


def finish(store, version):
    finish_promotion(store, "production", version, at="later", by="r2")


def champion(store):
    return read_channel(store, "production")[0]


def history(store):
    return [json.loads(store.get(key)) for key in store.keys(HISTORY)]


def moved_meanwhile(store):
    store.objects[POINTER] = canonical_json({"version": V3})


@pytest.fixture
def store():
    return MemoryStore()


def test_channel_that_never_moved_has_no_champion(store):
    """The first run has nothing to be compared with."""
    assert (None, None) == read_channel(store, "production")


def test_channel_is_read_with_the_bytes_of_its_pointer(store):
    """The bytes are what a later swap expects."""
    move(store, V1, None)

    assert (V1, store.objects[POINTER]) == read_channel(store, "production")


def test_channel_moves_from_the_pointer_that_was_read(store):
    """Nobody moved it meanwhile."""
    move(store, V1, None)
    move(store, V2, store.get(POINTER))

    assert V2 == champion(store)


def test_other_channels_stay(store):
    """A promotion is of one channel."""
    move(store, V1, None)

    assert (None, None) == read_channel(store, "staging")


@pytest.mark.parametrize("expected", [None, canonical_json({"version": V1})])
def test_channel_moved_meanwhile_is_a_conflict(expected):
    """Neither the first promotion nor a later one overrules another run's."""
    store = MemoryStore(before_swap=moved_meanwhile)

    with pytest.raises(VersionConflictError, match="production"):
        move(store, V2, expected)


def test_conflict_leaves_the_pointer_untouched():
    """The other run's move stands."""
    store = MemoryStore(before_swap=moved_meanwhile)
    with pytest.raises(VersionConflictError):
        move(store, V2, None)

    assert V3 == champion(store)


def test_conflict_is_no_move_in_the_history():
    """What did not happen is not written down."""
    store = MemoryStore(before_swap=moved_meanwhile)
    with pytest.raises(VersionConflictError):
        move(store, V2, None)

    assert [] == history(store)


def test_history_says_who_when_from_where_and_why(store):
    """The format that an auditor reads."""
    move(store, V1, None, why="accepted")
    move(store, V2, store.get(POINTER), why="better")

    assert [
        {**MOVE, "from": None, "to": V1, "why": "accepted"},
        {**MOVE, "from": V1, "to": V2, "why": "better"},
    ] == history(store)


def test_history_is_numbered_from_one(store):
    """Six digits, so that they sort as numbers do."""
    for version in (V1, V2, V3):
        move_on(store, version)

    assert [f"{HISTORY}00000{n}.json" for n in (1, 2, 3)] == list(store.keys(HISTORY))


def test_entry_left_out_by_a_killed_process_is_written_by_the_next(store):
    """The pointer holds its whole move."""
    move_on(store, V1)
    store.delete(f"{HISTORY}000001.json")
    move_on(store, V2)

    assert [V1, V2] == [entry["to"] for entry in history(store)]


def test_history_knows_the_move_that_was_not_written_down(store):
    """Whoever asks before the next move sees it too."""
    move_on(store, V1)
    store.delete(f"{HISTORY}000001.json")

    assert [V1] == [entry["to"] for entry in list_history(store, "production")]


def test_channel_at_the_version_already_does_not_move(store):
    """Another attempt of the same run was quicker."""
    move_on(store, V1)
    move_on(store, V1)

    assert [V1] == [entry["to"] for entry in history(store)]


def test_channel_moved_by_a_twin_is_no_conflict():
    """Two attempts of one run promote the same version."""
    store = MemoryStore(before_swap=lambda s: s.objects.update({POINTER: twin}))
    twin = canonical_json({"version": V2, "run_id": "r1"})
    move(store, V2, None)

    assert V2 == champion(store)


def test_conflict_names_both_versions():
    """The operator must decide between them."""
    store = MemoryStore(before_swap=moved_meanwhile)

    with pytest.raises(VersionConflictError, match=f"{V3}.*{V2}"):
        move(store, V2, None)


@pytest.mark.parametrize(
    ("moves", "previous"),
    [
        ([], None),
        ([(V1, "promote")], None),
        ([(V1, "promote"), (V2, "promote")], V1),
        ([(V1, "promote"), (V2, "promote"), (V1, "rollback")], None),
        ([(V1, "promote"), (V2, "promote"), (V3, "promote"), (V2, "rollback")], V1),
        ([(V1, "promote"), (V2, "promote"), (V1, "rollback"), (V3, "promote")], V1),
    ],
)
def test_previous_version_is_past_those_rolled_back(store, moves, previous):
    """A second rollback goes further back, not forth again."""
    for version, action in moves:
        promote(
            store,
            "production",
            version,
            expected=store.get(POINTER),
            at="noon",
            by="r1",
            why="",
            action=action,
        )

    assert previous == previous_version(store, "production")


@pytest.mark.parametrize("name", ["creates_once", "swaps"])
def test_store_that_ignores_conditions_moves_no_channel(name):
    """Its answer is in the message."""
    steps = (ProbeStep(name=name, is_met=False, answer="200"),)

    with pytest.raises(ConfigurationError, match="answered 200"):
        require_conditions("s3://b", steps)


def test_store_that_keeps_conditions_is_accepted():
    """Other abilities are not asked for here."""
    require_conditions("s3://b", (ProbeStep(name="lists", is_met=False, answer="absent"),))


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"\xff", b"null", b"[]", b'"v1"', b"{}", b'{"run_id": "r1"}']
)
def test_damaged_pointer_is_refused(store, raw):
    """A channel that cannot be read is not one that never moved."""
    store.objects[POINTER] = raw

    with pytest.raises(IntegrityError, match=POINTER):
        read_channel(store, "production")


def test_promotion_of_a_run_that_was_ended_before_is_finished(store):
    """The version is published, and the channel has not moved since."""
    move_on(store, V1)
    finish(store, V2)

    assert V2 == champion(store)


def test_finished_promotion_says_so_in_the_history(store):
    """The entry is that of the later attempt."""
    finish(store, V1)

    assert [("r2", None, V1)] == [(e["by"], e["from"], e["to"]) for e in history(store)]


@pytest.mark.parametrize("present", [V2, V3], ids=["done", "gone on"])
def test_channel_at_this_version_or_a_later_one_is_left_alone(store, present):
    """A repeated run never takes a channel back."""
    move_on(store, present)
    finish(store, V2)

    assert [present] == [entry["to"] for entry in history(store)]


def test_channel_that_was_rolled_back_is_left_alone(store):
    """The run has moved it once; somebody had a reason to take it back."""
    for version in (V1, V2, V1):
        move_on(store, version)
    finish(store, V2)

    assert V1 == champion(store)


def test_finished_promotion_may_meet_a_conflict(store):
    """The later attempt swaps as the first one would have."""
    store = MemoryStore(before_swap=moved_meanwhile)

    with pytest.raises(VersionConflictError):
        finish(store, V2)
