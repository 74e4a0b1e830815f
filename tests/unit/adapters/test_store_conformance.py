"""The folder and the tests' own memory store keep the port's promises."""

import pytest
from support.conformance import StoreConformance

from job.adapters.stores.directory import DirectoryStore


class TestDirectory(StoreConformance):
    @pytest.fixture
    def store(self, tmp_path):
        return DirectoryStore(tmp_path / "store with ünicode")
