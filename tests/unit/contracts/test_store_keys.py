"""Names of keys and channels: which are the job's, and which are invalid."""

import pytest

from job.contracts.store_keys import anchor_pointer, anchored_channel, is_channel, is_job_key


@pytest.mark.parametrize(
    "key",
    [
        "v20260101_000000_00000000/a",
        *(
            "runs/r/1.json",
            "channels/production.json",
            "channels/production.anchor.json",
            "probe/x",
            "removals/v/x",
        ),
    ],
)
def test_own_keys(key):
    assert is_job_key(key)


@pytest.mark.parametrize(
    "key", ["backup/a", "v1/a", "runs", "runsome/a", "", "vacation/a", "/runs/a"]
)
def test_keys_of_others(key):
    assert not is_job_key(key)


@pytest.mark.parametrize("name", ["production", "a", "0-b_c", "latest2", "x" * 63])
def test_channels(name):
    assert is_channel(name)


@pytest.mark.parametrize(
    "name",
    ["latest", "v20260101_000000_00000000", "", "-a", "A", "a/b", "..", "x" * 64, "a\n"],
)
def test_invalid_channel_names(name):
    assert not is_channel(name)


@pytest.mark.parametrize("channel", ["production", "anchor", "0-b_c", "x" * 63])
def test_anchor_is_named_by_its_channel(channel):
    """The pointer's name is not a valid channel name."""
    pointer = anchor_pointer(channel)

    assert (channel, False) == (anchored_channel(pointer), is_channel(pointer))


@pytest.mark.parametrize(
    "name", ["production", "anchor", ".anchor", "A.anchor", "latest.anchor", "a.anchor.anchor"]
)
def test_pointers_that_are_not_anchors(name):
    assert anchored_channel(name) is None
