"""docs/settings.md has each setting once, and its example is a settings file."""

import re

from support.markdown import ROOT, read_block

from job.settings import known_keys, load_settings
from scripts.generate_docs import ADVANCED, settings_tables

PAGE = (ROOT / "docs/settings.md").read_text()


def test_each_setting_is_described_once():
    rows = re.findall(r"^\| `([a-z0-9_.]+)` \| .+ \| (.+) \|$", PAGE, re.MULTILINE)

    assert sorted(known_keys()) == sorted(key for key, _ in rows)
    assert [] == [key for key, description in rows if description == "None"]


def test_advanced_settings_exist():
    """A renamed key is renamed in the list, too."""
    assert set() == ADVANCED - set(known_keys())


def test_advanced_settings_are_folded():
    """Readers see the other settings first."""
    folded = "".join(re.findall(r"<details>(.*?)</details>", settings_tables(), re.DOTALL))

    assert set(re.findall(r"^\| `([a-z0-9_.]+)`", folded, re.MULTILINE)) == ADVANCED


def test_each_section_has_a_heading():
    sections = [key.partition(".")[0] for key in known_keys()]

    assert list(dict.fromkeys(sections)) == re.findall(r"^## ([a-z0-9_]+)$", PAGE, re.MULTILINE)


def test_example_is_a_settings_file(tmp_path):
    path = tmp_path / "job.yaml"
    path.write_text(read_block("docs/settings.md", "settings-file", "yaml"))
    settings = load_settings(path, {"PCC_JOB_SEARCH__FOLDS": "5"}, ()).settings

    assert (2000, 0.9, 5) == (
        settings.dataset.min_rows,
        settings.gate.floors.accuracy,
        settings.search.folds,
    )
