"""All moves of a channel can be read, and determine the previous champion."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.memory_store import MemoryStore
from support.versions import publish_small

from job.contracts.identity import canonical_json
from job.errors import IntegrityError
from job.registry.channels import MoveReason, move_channel
from job.registry.history import (
    N_NEWEST,
    append_history,
    list_entries,
    previous_version,
    read_moves,
    read_pointer,
)

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
    """The operator must know which file is damaged; no pointer lists the champions here."""
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


def forget_champions(store):
    """Let the pointer be one of an earlier release."""
    content = json.loads(store.objects[POINTER])
    del content["champions"]
    store.objects[POINTER] = canonical_json(content)


def champions(store):
    return json.loads(store.objects[POINTER]).get("champions")


def replay(moves):
    """Return the version that a rollback returns to, from all moves."""
    stack = []
    for version, action in moves:
        if action == "rollback":
            stack = stack[: len(stack) - stack[::-1].index(version) - 1]
        stack.append(version)
    return next((name for name in stack[::-1] if name != stack[-1]), None)


@given(wanted=st.lists(st.sampled_from([V1, V2, V3, V4, None]), max_size=12), n=st.integers(0, 12))
def test_pointer_knows_what_all_moves_tell(wanted, n):
    """None is a rollback, where one is possible; before move n, the pointer loses its champions."""
    store, moves = MemoryStore(), []
    publish_small(store, "a", "b", "c", "d")
    for number, version in enumerate(wanted):
        if number == n and POINTER in store.objects:
            forget_champions(store)
        target = version or previous_version(store, "production")
        if target is not None and target not in [to for to, _ in moves[-1:]]:
            moves.append((target, "promote" if version else "rollback"))
            move(store, *moves[-1])

    assert replay(moves) == previous_version(store, "production")
    assert [to for to, _ in moves] == versions_in_history(store)


def test_pointer_lists_earlier_champions_newest_first(store):
    """A rollback removes the version that it returns to, and newer ones."""
    for version in (V1, V2, V3):
        move(store, version)

    assert [V2, V1] == champions(store)
    move(store, V2, "rollback")
    assert [V1] == champions(store)


def test_list_of_champions_is_bounded(store):
    """So is the size of the pointer."""
    for n in range(N_NEWEST + 30):
        move(store, (V1, V2)[n % 2])

    assert N_NEWEST == len(champions(store))


def test_next_move_restores_the_list_of_champions(store):
    """An earlier release has moved the channel, or a person has restored the pointer."""
    for version in (V1, V2):
        move(store, version)
    store.objects[POINTER] = canonical_json({"version": V2})
    move(store, V3)

    assert V2 == previous_version(store, "production")
    assert [V2, V2, V1] == champions(store)


def test_damaged_entry_does_not_stop_a_promotion(store):
    """Without a list of champions, a rollback needs the entry, and names it."""
    for version in (V1, V2):
        move(store, version)
    forget_champions(store)
    store.objects[f"{HISTORY}000001.json"] = b""
    move(store, V3)

    with pytest.raises(IntegrityError, match=f"{HISTORY}000001.json"):
        previous_version(store, "production")
    store.delete(f"{HISTORY}000001.json")
    assert V2 == previous_version(store, "production")


def test_version_that_was_rolled_back_long_ago_does_not_come_back(store):
    """The rollback went to a version that is not among the moves that are read."""
    move(store, V1)
    for _ in range(N_NEWEST):
        move(store, V2)
        move(store, V3)
    move(store, V1, "rollback")
    forget_champions(store)

    assert previous_version(store, "production") is None


def test_version_before_the_moves_that_are_read_is_known(store):
    """The oldest of these moves names it."""
    move(store, V1)
    for _ in range(N_NEWEST // 2):
        move(store, V2)
        move(store, V3)
    store.delete(f"{V2}/manifest.json")
    forget_champions(store)

    assert V1 == previous_version(store, "production")


def test_newest_moves_are_read(store):
    """All of them are read on demand."""
    for n in range(N_NEWEST + 1):
        move(store, (V1, V2)[n % 2])

    assert N_NEWEST == len(read_moves(store, "production"))
    assert N_NEWEST + 1 == len(read_moves(store, "production", list_entries(store, "production")))


def test_entries_are_ordered_by_number(store):
    """A number of seven digits comes after one of six."""
    for version in (V2, V1):
        move(store, version)
    store.objects[f"{HISTORY}1000000.json"] = store.objects.pop(f"{HISTORY}000002.json")
    store.objects[f"{HISTORY}999999.json"] = store.objects.pop(f"{HISTORY}000001.json")

    assert [V2, V1] == versions_in_history(store)


@pytest.mark.parametrize("number", [0, 1, 2, 3, 9])
def test_move_of_a_restored_pointer_is_appended_once(store, number):
    """Its number is unknown, taken, free, or leaves a gap; the next number is higher than any."""
    for version in (V1, V2):
        move(store, version)
    raw = canonical_json({"version": V3, "move": number})
    store.objects[POINTER] = raw
    first, second = (
        append_history(store, "production", read_pointer("production", raw)) for _ in range(2)
    )
    move(store, V1)

    assert first == second == max(number, 3)
    assert [V1, V2, V3, V1] == versions_in_history(store)


@pytest.mark.parametrize("name", ["1000003.json", f"{10**15 - 1}.json", f"{10**15}.json", "notes"])
@pytest.mark.parametrize("first", [1, 2])
def test_foreign_entries_do_not_stop_moves(store, first, name):
    """The job writes entries that it can read, although a number is taken and another is too high.

    If the foreign entry has the number 1, there is no pointer before the first move.
    """
    foreign = [f"{HISTORY}{first:06d}.json", HISTORY + name]
    move(store, V1) if first == 2 else None
    store.objects |= dict.fromkeys(foreign, b"{}")
    for version in (V1, V2, V3):
        move(store, version)
    with pytest.raises(IntegrityError, match=HISTORY):
        read_moves(store, "production")
    for key in foreign:
        store.delete(key)
    move(store, V4)

    assert {V1, V2, V3, V4} == set(versions_in_history(store))
    assert V4 == versions_in_history(store)[-1]
    assert V3 == previous_version(store, "production")
    assert all(len(key) == len(f"{HISTORY}000001.json") for key in store.keys(HISTORY))


def test_first_move_beside_a_foreign_entry_with_a_high_number(store):
    """Its number is not continued from there."""
    store.objects[f"{HISTORY}{10**15 - 1}.json"] = b"{}"
    move(store, V1)

    assert 1 == read_pointer("production", store.get(POINTER)).move


@pytest.mark.parametrize("number", [10**12 + 1, 10**15 - 1])
def test_pointer_with_an_impossible_number(store, number):
    """The number counts as unknown, so that the entry of the next move can be read."""
    move(store, V1)
    store.objects[POINTER] = canonical_json({"version": V2, "move": number})
    move(store, V3)

    assert [f"{HISTORY}00000{n}.json" for n in (1, 2, 3)] == list(store.keys(HISTORY))
    assert [V1, V2, V3] == versions_in_history(store)
