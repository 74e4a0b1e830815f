"""Results on stdout: JSON, YAML or a table; names from the data cannot control the terminal."""

import json

import pytest
import yaml

from job.cli.output import check_form, write_result
from job.errors import ConfigurationError


@pytest.mark.parametrize("form", ["table", "yaml", "json"])
def test_name_with_control_characters_is_quoted(capsys, form):
    """They could change colors, move the cursor, or reverse the text."""
    write_result({"\x1b[31mred": {"a\u202eb": "\x07"}}, form)

    assert not set("\x1b\x07\u202e") & set(capsys.readouterr().out)


def test_yaml_and_json_have_the_same_content(capsys):
    """YAML keeps letters readable."""
    content = {"b": [1, None, "no"], "a": {"name": "Löschung", "at": "2026-01-01"}}
    for form in ("yaml", "json"):
        write_result(content, form)
    text, line = capsys.readouterr().out.rstrip().rsplit("\n", 1)

    assert content == yaml.safe_load(text) == json.loads(line)
    assert "Löschung" in text


def test_unknown_form_is_refused():
    """The hint lists those that exist."""
    with pytest.raises(ConfigurationError, match="unknown output format 'xml'") as raised:
        check_form("xml")

    assert "--output yaml" in raised.value.hint
