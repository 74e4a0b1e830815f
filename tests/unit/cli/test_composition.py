"""A store is opened by the scheme of its URI."""

import pytest
from pydantic import ValidationError
from support.memory_store import MemoryStore

from job.cli.composition import STORES, open_store
from job.contracts.settings.addresses import STORE_SCHEMES
from job.contracts.settings.job_settings import JobSettings


def settings_of(uri):
    return JobSettings.model_validate({"store": {"uri": uri}})


def test_each_scheme_of_the_settings_can_be_opened():
    """A scheme that the settings accept never causes a `KeyError`."""
    assert sorted(STORE_SCHEMES) == sorted(STORES)


@pytest.mark.parametrize("prefix", ["", "file://", "FILE://"])
def test_path_and_file_uri_open_a_folder(tmp_path, prefix):
    """A path has the scheme `file`."""
    assert str(tmp_path) in open_store(settings_of(f"{prefix}{tmp_path}")).uri


def test_added_scheme_opens_its_own_store(monkeypatch):
    """A store needs a name in the settings and a line in the table."""
    store = MemoryStore()
    monkeypatch.setitem(STORES, "memory", lambda settings, must_exist: store)
    monkeypatch.setattr("job.contracts.settings.store.STORE_SCHEMES", (*STORE_SCHEMES, "memory"))

    assert store is open_store(settings_of("memory://anything"))


def test_unknown_scheme_is_refused_with_the_known_ones():
    """The message lists the alternatives."""
    with pytest.raises(
        ValidationError, match=r"unsupported URI scheme 'memory'.* file:// or s3://"
    ):
        settings_of("memory://anything")
