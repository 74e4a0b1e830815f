"""Conformance tests of the port `ArtifactStore`, for a folder and for each server."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from support.versions import publish_small

from job.errors import ConfigurationError, IntegrityError
from job.registry.anchors import list_anchors, read_anchor, set_anchor
from job.registry.channels import MoveReason, list_channels

N_RIVALS = 8
LARGEST = 2**26
LARGE = bytes(range(256)) * (40 * 2**20 // 256)


def in_threads(function):
    barrier = threading.Barrier(N_RIVALS)

    def call(n):
        barrier.wait()
        return function(n)

    with ThreadPoolExecutor(N_RIVALS) as pool:
        return list(pool.map(call, range(N_RIVALS)))


class StoreConformance:
    """Tests to inherit; a subclass provides the fixture `store`, an empty store.

    `leave_unfinished` begins a write that never ends; `is_unfinished` looks for what it returned.
    """

    @pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)) * 5000])
    def test_bytes_come_back(self, store, data):
        store.put_if_absent("a/b.bin", data)

        assert data == store.get("a/b.bin", max_bytes=LARGEST) == b"".join(store.pieces("a/b.bin"))

    def test_absent_key_is_none(self, store):
        assert (None, None) == (store.get("a/b", max_bytes=LARGEST), store.head("a/b"))

    def test_absent_key_has_no_piece(self, store):
        assert [] == list(store.pieces("a/b"))

    def test_empty_object_is_one_empty_piece(self, store):
        store.put_if_absent("a/b", b"")

        assert [b""] == list(store.pieces("a/b"))

    def test_key_is_created_once(self, store):
        assert [True, False] == [store.put_if_absent("key", data) for data in (b"1", b"2")]

    def test_taken_key_keeps_its_bytes(self, store):
        store.put_if_absent("key", b"first")
        store.put_if_absent("key", b"second")

        assert b"first" == store.get("key", max_bytes=LARGEST)

    def test_unfinished_uploads_of_others_are_left_alone(self, store):
        """Other programs use the bucket or the folder as well."""
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        theirs, ours = self.leave_unfinished(store, "theirs/a"), "v20260101_000000_00000000/a"
        self.leave_unfinished(store, ours)
        cleared = store.clear_unfinished(tomorrow, is_dry_run=False)

        assert [1, True] == [len(cleared), cleared[0].startswith("v20260101_000000_00000000/")]
        assert self.is_unfinished(store, theirs)

    def test_large_object_comes_back(self, store):
        store.put_if_absent("large", LARGE)

        assert LARGE == store.get("large", max_bytes=LARGEST)

    def test_large_object_comes_in_pieces(self, store):
        store.put_if_absent("large", LARGE)
        pieces = list(store.pieces("large"))

        assert LARGE == b"".join(pieces)
        assert max(map(len, pieces)) <= 2**20

    @pytest.mark.parametrize("data", [b"12345", LARGE], ids=["small", "large"])
    def test_object_above_its_bound_is_refused(self, store, data):
        store.put_if_absent("a/key", data)

        assert data == store.get("a/key", max_bytes=len(data))
        with pytest.raises(IntegrityError, match="a/key' has more than"):
            store.get("a/key", max_bytes=len(data) - 1)

    def test_swap_of_an_object_larger_than_expected(self, store):
        store.put_if_absent("key", b"larger")

        assert not store.compare_and_swap("key", b"small", b"after")

    def test_large_object_may_be_read_in_part(self, store):
        store.put_if_absent("large", LARGE)
        with closing(store.pieces("large")) as pieces:
            first = next(pieces)

        assert LARGE.startswith(first)
        assert [] == list(pieces)

    def test_large_object_is_created_once(self, store):
        assert [True, False] == [store.put_if_absent("large", LARGE) for _ in range(2)]

    def test_lost_large_object_leaves_nothing_unfinished(self, store):
        for _ in range(2):
            store.put_if_absent("large", LARGE)
        tomorrow = datetime.now(UTC) + timedelta(days=1)

        assert [] == store.clear_unfinished(tomorrow, is_dry_run=False)

    def test_swap_from_the_present_bytes(self, store):
        store.put_if_absent("key", b"before")

        assert (True, b"after") == (
            store.compare_and_swap("key", b"before", b"after"),
            store.get("key", max_bytes=LARGEST),
        )

    @pytest.mark.parametrize("expected", [b"other", b"", None])
    def test_swap_from_other_bytes(self, store, expected):
        store.put_if_absent("key", b"before")

        assert (False, b"before") == (
            store.compare_and_swap("key", expected, b"after"),
            store.get("key", max_bytes=LARGEST),
        )

    def test_swap_of_an_absent_key(self, store):
        assert (False, None) == (
            store.compare_and_swap("key", b"before", b"x"),
            store.get("key", max_bytes=LARGEST),
        )

    def test_swap_from_none_creates(self, store):
        assert (True, b"x") == (
            store.compare_and_swap("key", None, b"x"),
            store.get("key", max_bytes=LARGEST),
        )

    def test_keys_are_sorted_and_below_the_prefix(self, store):
        for key in ("v2/b", "v10/a", "v2-x/a", "v2/a", "runs/v2/a"):
            store.put_if_absent(key, b"")

        assert ["v10/a", "v2-x/a", "v2/a", "v2/b"] == list(store.keys("v"))

    def test_more_keys_than_a_page(self, store):
        names = [f"n/{n:04d}" for n in range(1100)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda name: store.put_if_absent(name, b""), names))

        assert names == list(store.keys("n/"))

    def test_keys_after_another(self, store):
        """A name that is not a key, such as a folder, can be the start."""
        for key in ("v1/a", "v2/a", "v2/b", "v3/c/d", "w"):
            store.put_if_absent(key, b"")

        assert ["v2/b", "v3/c/d"] == list(store.keys("v", after="v2/a"))
        assert ["v2/a", "v2/b", "v3/c/d"] == list(store.keys("v", after="v2"))
        assert [] == list(store.keys("v", after="v3/c/d"))

    def test_entries_are_the_keys_with_what_head_tells(self, store):
        """The time of a listing has more digits than that of a head in some stores."""
        for key, data in (("v1/a", b"123"), ("v1/b", b""), ("v2/a", b"1")):
            store.put_if_absent(key, data)
        entries = dict(store.entries("v1/"))

        assert {"v1/a": 3, "v1/b": 0} == {key: info.n_bytes for key, info in entries.items()}
        assert ["v1/b"] == [key for key, _ in store.entries("v1/", after="v1/a")]
        for key, info in entries.items():
            assert abs(info.modified_at - store.head(key).modified_at) <= timedelta(seconds=1)

    def test_names_are_keys_up_to_the_next_slash(self, store):
        for key in ("v1/a", "v1/b/c", "v2/a", "vacation", "w/a"):
            store.put_if_absent(key, b"")

        assert ["v1/", "v2/", "vacation"] == list(store.names("v"))
        assert ["v1/a", "v1/b/"] == list(store.names("v1/"))
        assert [] == list(store.names("x/"))

    def test_clock_is_that_of_the_modification_times(self, store):
        """What was just written is not in its future; the clock's answer may have whole seconds."""
        store.put_if_absent("key", b"")
        age = store.read_clock() - store.head("key").modified_at

        assert timedelta(0) <= age < timedelta(minutes=1)

    def test_reading_the_clock_writes_nothing(self, store):
        store.read_clock()

        assert [] == list(store.names(""))

    def test_empty_store_has_no_keys(self, store):
        assert [] == list(store.keys(""))

    def test_head_tells_size_and_age(self, store):
        store.put_if_absent("key", b"12345")
        info = store.head("key")

        assert (5, True) == (
            info.n_bytes,
            abs(datetime.now(UTC) - info.modified_at) < timedelta(minutes=1),
        )

    def test_deleted_key_may_be_created_again(self, store):
        store.put_if_absent("v1/a", b"1")
        store.delete("v1/a")

        assert (True, b"2") == (
            store.put_if_absent("v1/a", b"2"),
            store.get("v1/a", max_bytes=LARGEST),
        )

    def test_delete_leaves_the_neighbors(self, store):
        for key in ("v1/a", "v1/b", "v2/a"):
            store.put_if_absent(key, b"")
        store.delete("v1/a")

        assert ["v1/b", "v2/a"] == list(store.keys(""))

    def test_delete_of_an_absent_key_is_fine(self, store):
        store.delete("v1/b")

        assert [] == list(store.keys(""))

    @pytest.mark.parametrize("key", ["a b/c d", "ä/ö €", "a+b%20c&d=e/f", "日本/語", "a'(b)!*~"])
    def test_key_may_hold_spaces_and_any_script(self, store, key):
        store.put_if_absent(key, b"x")

        assert (b"x", [key]) == (store.get(key, max_bytes=LARGEST), list(store.keys("")))

    @pytest.mark.parametrize(
        "key", ["", "..", "../a", "a/../../b", "/a", "a//b", "a/", "./a", "a\\b", "a\nb"]
    )
    @pytest.mark.parametrize(
        "act",
        [
            lambda s, k: s.put_if_absent(k, b"x"),
            lambda s, k: s.compare_and_swap(k, None, b"x"),
            lambda s, k: s.get(k, max_bytes=LARGEST),
            lambda s, k: list(s.pieces(k)),
            lambda s, k: s.delete(k),
            lambda s, k: s.head(k),
        ],
        ids=["create", "swap", "get", "pieces", "delete", "head"],
    )
    def test_key_that_leads_elsewhere_is_refused(self, store, key, act):
        with pytest.raises(ConfigurationError, match="key"):
            act(store, key)

    def test_probe_finds_every_ability(self, store):
        assert [] == [step for step in store.probe("token") if not step.is_met]

    def test_probe_leaves_nothing(self, store):
        store.probe("token")

        assert [] == list(store.keys(""))

    def test_anchor_is_created_once_and_moved_by_swap(self, store):
        """The anchor is a pointer next to the channel's own pointer, and not a channel."""
        first, second = publish_small(store, "a", "b")
        reason = MoveReason(at="noon", by="r1", why="")
        created = set_anchor(store, "production", first, expected=None, reason=reason)
        pointer = read_anchor(store, "production")[1]
        late = set_anchor(store, "production", second, expected=None, reason=reason)
        moved = set_anchor(store, "production", second, expected=pointer, reason=reason)

        assert (True, False, True) == (created, late, moved)
        assert ({"production": second}, {}) == (list_anchors(store), list_channels(store))
        assert [f"channels/production.anchor/history/00000{n}.json" for n in (1, 2)] == list(
            store.keys("channels/production.anchor/")
        )


class Atomicity:
    """Tests of atomic writes: of two concurrent moves of a channel, only one may succeed."""

    def test_one_of_many_creates(self, store):
        won = in_threads(lambda n: store.put_if_absent("key", bytes([n]) * 9000))

        assert 1 == sum(won)
        assert store.get("key", max_bytes=LARGEST) in [
            bytes([n]) * 9000 for n, is_mine in enumerate(won) if is_mine
        ]

    @pytest.mark.parametrize("before", [b"before", None])
    def test_one_of_many_swaps(self, store, before):
        if before is not None:
            store.put_if_absent("key", before)
        won = in_threads(lambda n: store.compare_and_swap("key", before, bytes([n]) * 9000))

        assert 1 == sum(won)
        assert store.get("key", max_bytes=LARGEST) in [
            bytes([n]) * 9000 for n, is_mine in enumerate(won) if is_mine
        ]

    def test_one_of_many_runs_sets_the_anchor(self, store):
        """It returns False for the other runs, and the anchor stays where the first run set it."""
        versions = publish_small(store, *(f"r{n}" for n in range(N_RIVALS)))
        won = in_threads(
            lambda n: set_anchor(
                *(store, "production", versions[n]),
                expected=None,
                reason=MoveReason(at="noon", by=f"r{n}", why=""),
            )
        )

        assert 1 == sum(won)
        assert {"production": versions[won.index(True)]} == list_anchors(store)
