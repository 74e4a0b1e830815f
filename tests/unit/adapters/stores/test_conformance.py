"""The folder and the tests' own memory store keep the port's promises."""

from pathlib import Path

import pytest
from support.conformance import Atomicity, StoreConformance

from job.adapters.stores.directory import DirectoryStore


class TestDirectory(StoreConformance, Atomicity):
    @pytest.fixture
    def store(self, tmp_path):
        return DirectoryStore(tmp_path / "store with ünicode")

    def leave_unfinished(self, store, key):
        path = Path(store.uri) / f"{key.rpartition('/')[0]}/.tmp-x"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        return path

    def is_unfinished(self, store, path):
        return path.exists()
