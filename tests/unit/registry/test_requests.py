"""The number of requests does not grow with versions and moves, except for pages of listings."""

import math
from datetime import UTC, datetime

import pytest
from support.memory_store import MemoryStore
from support.versions import FILES, name_of

from job import registry
from job.contracts.identity import canonical_json
from job.errors import ConfigurationError
from job.registry.channels import MoveReason, move_channel, read_channel
from job.registry.publish import name_version, publish
from job.registry.readable import list_readable

POINTER = "channels/production.json"
AT = datetime(2026, 2, 1, tzinfo=UTC)


class CountingStore(MemoryStore):
    """A store that counts requests as S3 would: a listing takes one for each 1,000 keys."""

    def __init__(self):
        super().__init__()
        self.n_requests = self.n_pages = 0

    def get(self, key, **bounds):
        self.n_requests += 1
        return super().get(key, **bounds)

    def head(self, key):
        self.n_requests += 1
        return super().head(key)

    def pieces(self, key):
        self.n_requests += 1
        data = self.objects.get(key)
        yield from () if data is None else [data]

    def put_if_absent(self, key, data):
        self.n_requests += 1
        return super().put_if_absent(key, data)

    def compare_and_swap(self, key, expected, data):
        self.n_requests += 2
        return super().compare_and_swap(key, expected, data)

    def keys(self, prefix, after=""):
        return iter(self._page(super().keys(prefix, after)))

    def entries(self, prefix, after=""):
        for key in self.keys(prefix, after):
            yield key, MemoryStore.head(self, key)

    def names(self, prefix):
        keys = MemoryStore.keys(self, prefix)
        ends = ((key, key.find("/", len(prefix)) + 1) for key in keys)
        return iter(self._page(sorted({key[:end] if end else key for key, end in ends})))

    def _page(self, names):
        names = list(names)
        self.n_requests += 1
        self.n_pages += math.ceil(len(names) / 1000) or 1
        return names

    def count(self, act):
        """Return the number of requests of a function, with each listing as one, and of pages."""
        self.n_requests = self.n_pages = 0
        act(self)
        return self.n_requests, self.n_pages


def make_store(n_versions):
    """Return a store whose channel has moved to each version."""
    store = CountingStore()
    for n in range(n_versions):
        version = name_version(f"r{n}", datetime.fromtimestamp(AT.timestamp() + n, UTC))
        publish(store, version, f"r{n}", FILES)
        move(store, version)
    return store


@pytest.fixture(scope="module")
def stores():
    return {n: make_store(n) for n in (100, 700)}


def move(store, version):
    reason = MoveReason(at="noon", by="r1", why="")
    expected = read_channel(store, "production")[1]
    move_channel(store, "production", version, expected=expected, reason=reason)


def forget_champions(store):
    """Let the pointer be one that a person has restored."""
    version, _ = read_channel(store, "production")
    store.objects[POINTER] = canonical_json({"version": version})


def roll_back(store):
    registry.roll_back(
        store, "production", at=AT, by="alice", is_republished=False, is_dry_run=True
    )


def prune(store):
    registry.prune_versions(store, before=AT, keep=20, is_dry_run=True, token="t")


def fail_to_resolve(store):
    with pytest.raises(ConfigurationError):
        registry.resolve_version(store, "nosuch")


@pytest.mark.parametrize(
    ("act", "limit"),
    [
        (lambda s: registry.resolve_version(s, name_version("r0", AT)), 1),
        (lambda s: registry.resolve_version(s, "production"), 1),
        (lambda s: registry.resolve_version(s, "latest"), 2),
        (fail_to_resolve, 3),
        (registry.list_versions, 1),
        (registry.list_channels, 2),
        (lambda s: registry.list_models(s, 20), 26),
        (lambda s: list_readable(s, None), 5),
        (lambda s: registry.list_history(s, "production"), 52),
        (roll_back, 10),
        (prune, 10),
    ],
    ids=[
        *(
            "name",
            "channel",
            "latest",
            "unknown name",
            "list",
            "channels",
            "models",
            "readable",
            "history",
        ),
        *("rollback", "prune"),
    ],
)
def test_requests_of_a_command_do_not_grow(stores, act, limit):
    """Seven times as many versions and moves take the same number of requests."""
    few, many = (store.count(act)[0] for store in stores.values())

    assert few == many <= limit


@pytest.mark.parametrize(
    "act", [lambda s: registry.resolve_version(s, "latest"), lambda s: list_readable(s, None)]
)
def test_newest_versions_take_few_pages(stores, act):
    """The files of older versions are not listed; a listing of all takes three pages."""
    pages = [store.count(act)[1] for store in stores.values()]

    assert pages[0] == pages[1]
    assert [1, 3] == [store.count(registry.list_versions)[1] for store in stores.values()]


@pytest.mark.parametrize("prepare", [lambda _: None, forget_champions], ids=["list", "no list"])
def test_requests_of_a_move_do_not_grow(prepare):
    """A restored pointer has neither champions nor the number of its move."""
    counts = []
    for n in (60, 300):
        store = make_store(n)
        version = name_of("next", 1)
        publish(store, version, "next", FILES)
        prepare(store)
        counts.append(store.count(lambda s, version=version: move(s, version))[0])

    assert counts[0] == counts[1] <= 70


def test_all_moves_are_read_on_demand(stores):
    """One request each, the listing and the pointer."""
    requests, _ = stores[700].count(
        lambda s: registry.list_history(s, "production", shows_all=True)
    )

    assert 702 == requests
