"""The workflows name what exists, and have few permissions and an end."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
WORKFLOWS = {path.stem: path.read_text() for path in (ROOT / ".github/workflows").glob("*.yml")}
JOBS = [
    (name, job, content)
    for name, text in WORKFLOWS.items()
    for job, content in yaml.safe_load(text)["jobs"].items()
]


def test_both_workflows_are_there():
    assert {"ci", "release"} == set(WORKFLOWS)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_token_can_only_read(name):
    content = yaml.safe_load(WORKFLOWS[name])

    assert {"contents": "read"} == content["permissions"]
    assert not any("permissions" in job for job in content["jobs"].values())
    assert {"group", "cancel-in-progress"} == content["concurrency"].keys()


def test_workflows_do_not_cancel_each_other():
    """A workflow that calls another one must not be in its concurrency group."""
    groups = {yaml.safe_load(text)["concurrency"]["group"] for text in WORKFLOWS.values()}

    assert len(WORKFLOWS) == len(groups)


@pytest.mark.parametrize(("name", "job", "content"), JOBS, ids=lambda value: str(value)[:20])
def test_job_ends(name, job, content):
    """A job that hangs would otherwise run for six hours; a called workflow has its own limits."""
    assert ("timeout-minutes" in content) != content.get("uses", "").startswith("./")


@pytest.mark.parametrize("name", WORKFLOWS)
def test_actions_have_a_full_version(name):
    used = re.findall(r"uses: (\S+)", WORKFLOWS[name])
    others = [action for action in used if not action.startswith("./")]

    assert others
    assert [] == [a for a in others if not re.fullmatch(r"[\w./-]+@v\d+\.\d+\.\d+", a)]


def test_checkouts_keep_no_credentials():
    for name, job, content in JOBS:
        for step in content.get("steps", ()):
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False, (name, job)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_commands_name_what_exists(name):
    """Targets of make, modules of scripts, and words of PCC_TEST_REQUIRE."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    commands = re.findall(r"(?:run: |^ +|\()make ((?:[a-z-]+ ?)+)", WORKFLOWS[name], re.MULTILINE)
    named = {word for command in commands for word in command.split() if word != "-s"}
    modules = re.findall(r"-m scripts\.(\w+)", WORKFLOWS[name])

    assert named and named <= targets
    assert all((ROOT / "scripts" / f"{module}.py").is_file() for module in modules)


def test_parts_of_make_check_run():
    """CI runs by parts what `make check` runs."""
    makefile = (ROOT / "Makefile").read_text()
    parts = re.search(r"^check: ([a-z -]+)", makefile, re.MULTILINE)[1].split()

    assert set() == {part for part in parts if not re.search(rf"make.* {part}\b", WORKFLOWS["ci"])}


def test_each_python_of_the_package_is_tested():
    """From the oldest that it can be installed with."""
    package = (ROOT / "pyproject.toml").read_text()
    oldest = re.search(r'requires-python = ">=([\d.]+)"', package)[1]
    content = yaml.safe_load(WORKFLOWS["ci"])
    versions = content["jobs"]["test"]["strategy"]["matrix"]["python"]

    assert oldest == versions[0] == content["env"]["FLOOR"]
    assert versions == re.findall(r'"Programming Language :: Python :: (3\.\d+)"', package)
