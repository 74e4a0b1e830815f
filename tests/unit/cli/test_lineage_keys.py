"""Mounted keys come from a file or from a variable, and errors do not quote them."""

import pytest
from support.lineage import KEY, OTHER_KEY

from job.cli.lineage_keys import read_mounted_keys
from job.contracts.lineage_key import KEY_VARIABLE
from job.contracts.settings.job_settings import JobSettings
from job.errors import ConfigurationError


def settings(path=None):
    return JobSettings(lineage={"key_file": None if path is None else str(path)})


def test_nothing_is_mounted_by_default():
    assert () == read_mounted_keys(settings(), {}).keys


def test_keys_of_a_file_and_of_a_variable_are_read(tmp_path):
    path = tmp_path / "keys"
    path.write_text(f"{KEY.to_text()}\n{OTHER_KEY.to_text()}\n")
    variable = {KEY_VARIABLE: f"{KEY.to_text()} {OTHER_KEY.to_text()}"}

    assert (KEY, OTHER_KEY) == read_mounted_keys(settings(path), {}).keys
    assert (KEY, OTHER_KEY) == read_mounted_keys(settings(), variable).keys


def test_both_are_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="both"):
        read_mounted_keys(settings(tmp_path / "keys"), {KEY_VARIABLE: KEY.to_text()})


@pytest.mark.parametrize("text", ["", "half " + KEY.to_text()[:40], KEY.to_text() + "00"])
def test_text_that_is_no_key_is_refused_without_being_quoted(text):
    """An empty secret must not pass as no secret."""
    with pytest.raises(ConfigurationError, match=KEY_VARIABLE) as caught:
        read_mounted_keys(settings(), {KEY_VARIABLE: text})

    assert "keygen" in caught.value.hint
    assert KEY.to_text()[:8] not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("content", [None, b"\xff\xfe", bytes(range(224, 256))])
def test_file_that_cannot_be_read_is_named(tmp_path, content):
    """A file that is not text can be read, so permissions are not the cause."""
    path = tmp_path / "keys"
    if content is not None:
        path.write_bytes(content)
    reason = "does not exist" if content is None else "is invalid: .* 64 hex digits"
    with pytest.raises(ConfigurationError, match=f"{path}' {reason}"):
        read_mounted_keys(settings(path), {})


def test_key_in_place_of_a_path_is_not_quoted():
    """Somebody has taken the setting for the key."""
    with pytest.raises(ConfigurationError, match="path of a file") as caught:
        read_mounted_keys(settings(KEY.to_text()), {})

    assert KEY.to_text()[:8] not in caught.value.message + caught.value.hint
