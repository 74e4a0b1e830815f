"""A tag is released only if package and chart have its version."""

import pytest

from job import __version__
from scripts.check_release import PLACES, find_problems, find_versions, main


def test_versions_of_the_repository_agree():
    """Every place states the version of the package."""
    assert {__version__} == set(find_versions().values())
    assert 0 == main([f"v{__version__}"])


@pytest.mark.parametrize("tag", ["v999.0.0", __version__, "v", ""])
def test_other_tag_is_refused_with_each_place(tag, capsys):
    """A tag without the v is another tag."""
    assert 1 == main([tag])
    printed = capsys.readouterr().out
    assert all(path in printed for path in PLACES)


def test_place_without_a_version_is_refused(tmp_path):
    for path in PLACES:
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text("name: x\n")

    assert len(PLACES) == len(find_problems("v1.0.0", find_versions(tmp_path)))


def test_tag_is_required(capsys):
    assert 2 == main([])
    assert "usage" in capsys.readouterr().err
