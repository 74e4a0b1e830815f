"""Each hint that names a command or a setting is obeyed word for word, and helps."""

import shutil

import pytest
from support.hint_cases import CASES
from support.hint_cases.places import make_base, set_defaults
from support.obeying import Place, obey

from job.contracts.lineage_key import KEY_VARIABLE


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A folder with a table, and a store with a version in each of two channels."""
    folder = tmp_path_factory.mktemp("base")
    with pytest.MonkeyPatch.context() as patch:
        make_base(Place(folder, patch))
    return folder


@pytest.fixture
def place(base, tmp_path, monkeypatch):
    folder = tmp_path / "here"
    shutil.copytree(base, folder)
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    place = Place(folder, monkeypatch)
    set_defaults(place)
    return place


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.says[:40]}-{case.name}")
def test_the_hint_helps(case, place):
    """The command or the setting is taken out of the hint; then the refused command works."""
    obey(case, place)
