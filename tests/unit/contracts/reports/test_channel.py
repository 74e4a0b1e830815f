"""The pointer of a channel contains the whole move that led to it."""

import json

import pytest

from job.contracts.reports.channel import ChannelMove, ChannelPointer

V1, V2, V3 = (f"v2026010{n}_000000_aaaaaaaa" for n in (1, 2, 3))
POINTER = {
    "version": V2,
    "promoted_at": "noon",
    "run_id": "r1",
    "move": 2,
    "from": V1,
    "why": "better",
    "action": "promote",
}
MOVE = {"at": "noon", "by": "r1", "from": V1, "to": V2, "why": "better", "action": "promote"}


@pytest.mark.parametrize(
    ("model", "content"), [(ChannelPointer, POINTER), (ChannelMove, {**MOVE, "copy_of": V3})]
)
def test_file_is_written_as_it_was_read(model, content):
    """A key of a copy is absent without one."""
    assert content == json.loads(model.parse(json.dumps(content).encode()).to_bytes())


def test_pointer_has_its_move_for_the_history():
    """The next move writes what a killed process has not written."""
    assert MOVE == ChannelPointer.model_validate(POINTER).last_move.to_json()


def test_keys_of_a_later_release_are_left_out():
    """Such a pointer is equal to one of this release."""
    later = ChannelPointer.parse(json.dumps({**POINTER, "later": 1}).encode())

    assert ChannelPointer.model_validate(POINTER) == later
