"""The page on privacy names every file that a version has, and every folder that it has not."""

import json
import re

import pytest
from support.markdown import ROOT

from job.contracts.store_keys import _FOLDERS
from job.registry.lineage_files import SUFFIXES
from job.registry.lineage_keys import STORED_KEY

MANIFESTS = sorted((ROOT / "tests/golden/published").glob("*/manifest.json"))


def read_section(page, title):
    """Return the text below a heading, up to the next heading."""
    text = (ROOT / page).read_text()
    return re.split(r"^##+ ", text.partition(f"## {title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def published_files():
    """Return the names of all files of the kept versions; figures are one name."""
    contents = [json.loads(path.read_text()) for path in MANIFESTS]
    names = {entry["name"] for content in contents for entry in content["files"]}
    return {re.sub(r"^figures/.*", "figures/*.svg", name) for name in names} | {"manifest.json"}


@pytest.mark.parametrize(
    ("page", "title"), [("docs/privacy.md", "What is in a version"), ("docs/artifact.md", "Files")]
)
def test_every_file_of_a_version_is_listed(page, title):
    section = read_section(page, title)

    assert [] == [name for name in sorted(published_files()) if f"`{name}`" not in section]


def test_files_outside_of_a_version_are_listed():
    section = read_section("docs/privacy.md", "What is not in a version")
    names = [*(f"lineage/<version>{suffix}" for suffix in SUFFIXES), STORED_KEY, "runs/<run_id>/"]

    assert [] == [name for name in names if f"`{name}`" not in section]


def test_permissions_are_about_every_folder():
    """A folder that is new must be given to a role, or to none, on purpose."""
    section = read_section("docs/operations.md", "Permissions on the store")

    assert [] == [folder for folder in _FOLDERS if not re.search(rf"`{folder}/", section)]


def test_kept_versions_are_found():
    assert {"model.joblib", "figures/*.svg"} <= published_files()
