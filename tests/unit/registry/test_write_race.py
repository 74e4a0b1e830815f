"""A store that checks the condition before the write, not with it, is detected."""

import time

import pytest
from support.memory_store import MemoryStore

from job.adapters.stores.directory import DirectoryStore
from job.registry.write_race import probe_concurrent_creates


class TwoSteps(MemoryStore):
    """A store that checks first, and writes later."""

    def put_if_absent(self, key, data):
        if key in self.objects:
            return False
        time.sleep(0.2)
        self.objects[key] = data
        return True


class NoWinner(MemoryStore):
    def put_if_absent(self, key, data):
        return False


@pytest.mark.parametrize("store", [TwoSteps(), NoWinner()], ids=["many", "none"])
def test_race_without_exactly_one_winner_is_not_met(store):
    assert not probe_concurrent_creates(store, "t").is_met


def test_answer_counts_the_winners():
    assert (
        "16 of 16 concurrent writers succeeded" == probe_concurrent_creates(TwoSteps(), "t").answer
    )


def test_folder_has_one_winner(tmp_path):
    assert probe_concurrent_creates(DirectoryStore(tmp_path), "t").is_met


def test_race_leaves_nothing(tmp_path):
    store = DirectoryStore(tmp_path)
    probe_concurrent_creates(store, "t")

    assert [] == list(store.keys(""))
