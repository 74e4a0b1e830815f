"""Subjects of commits are short and imperative; the check works with any kind of checkout."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.check_commits import find_problem, read_subject

ROOT = Path(__file__).parents[3]


def clean_environment():
    """Return the environment without git's variables, which a hook that runs the tests has."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    names = {
        f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    return {**kept, **names, "PYTHONPATH": str(ROOT), "GIT_CONFIG_GLOBAL": os.devnull}


def git(folder, *words):
    subprocess.run(
        ["git", *words], cwd=folder, env=clean_environment(), check=True, capture_output=True
    )


def check(folder, *words, **changes):
    return subprocess.run(
        [sys.executable, "-m", "scripts.check_commits", *words],
        cwd=folder,
        env={**clean_environment(), **changes},
        capture_output=True,
        text=True,
    )


@pytest.fixture
def commit(tmp_path):
    """Make empty commits in a new repository, and return its folder."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--initial-branch=main")

    def make(*subjects):
        for subject in subjects:
            git(folder, "commit", "--allow-empty", "-m", subject)
        return folder

    return make


@pytest.mark.parametrize(
    "subject",
    [
        "Add a metric",
        "Embed the logo in the report",
        "Need two groups at least",
        "Bring the tests along with the typed parts",
        "Pass one context through a run",
        "Focus the search field",
        "Cross-fit the temperatures",
        "A" * 60,
        "Merge branch 'a-branch-with-a-name-that-is-very-much-longer-than-all-the-others'",
    ],
)
def test_subject_is_accepted(subject):
    """At most 60 characters, and a verb in the imperative first; git's own subjects may be long."""
    assert None is find_problem(subject)


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("A" * 61, "61 characters, at most 60"),
        ("Add a metric.", "period"),
        ("add a metric", "capital letter"),
        ("Added a metric", "'Added' is not in the imperative"),
        ("Adding a metric", "'Adding' is not in the imperative"),
        ("Adds a metric", "'Adds' is not in the imperative"),
        ("The metric is new", "'The' is not a verb"),
        ("Metrics: add one", "prefix 'Metrics:'"),
        ("fixup! Add a metric", "prefix 'fixup!'"),
        (" ", "empty"),
    ],
)
def test_subject_is_refused_with_the_reason(subject, words):
    assert words in find_problem(subject)


@pytest.mark.parametrize(
    ("message", "subject"),
    [
        ("Add a metric\n\nA body.\n# a comment", "Add a metric"),
        ("# a comment\n\nAdd a metric\n", "Add a metric"),
        ("Add a metric\nand its test\n", "Add a metric and its test"),
        ("# only comments\n", ""),
    ],
)
def test_subject_is_the_first_paragraph_as_git_has_it(message, subject):
    assert subject == read_subject(message)


@pytest.mark.parametrize(
    ("message", "code"),
    [("Add a metric\n", 0), ("fixup! Add a metric\n", 0), ("Added a metric\n", 1)],
)
def test_hook_checks_one_message(tmp_path, message, code):
    """A commit that will be squashed is accepted until its branch is checked."""
    (tmp_path / "COMMIT_EDITMSG").write_text(message)

    done = check(tmp_path, "--message", "COMMIT_EDITMSG")

    assert code == done.returncode
    assert ("CONTRIBUTING.md" in done.stderr) == bool(code)


def test_commits_of_a_branch_are_checked(commit):
    """Older commits are not checked, and neither are merges."""
    folder = commit("Older history was different")
    git(folder, "update-ref", "refs/remotes/origin/main", "HEAD")
    commit("Add a metric")
    assert "1 checked" in check(folder).stdout

    commit("Added a metric")
    done = check(folder)

    assert 1 == done.returncode
    assert "'Added a metric'" in done.stderr and "git rebase" in done.stderr
    assert "Older" not in done.stderr
    assert 0 == check(folder, "--range", "origin/main..HEAD~1").returncode


def test_last_commits_are_checked_where_a_branch_has_none(commit):
    """On the main branch, or without a remote, the last 20 are checked."""
    folder = commit("added long ago", *(f"Add metric {n}" for n in range(20)))
    assert "20 checked" in check(folder).stdout

    git(folder, "update-ref", "refs/remotes/origin/main", "HEAD")

    assert "20 checked" in check(folder).stdout
    assert 1 == check(folder, "--range", "HEAD").returncode


def test_shallow_clone_is_checked(commit, tmp_path):
    folder = commit("added long ago", "Add a metric", "Add a test")
    git(tmp_path, "clone", "--depth=2", folder.as_uri(), "shallow")

    assert "2 checked" in check(tmp_path / "shallow").stdout


def test_checkout_without_history_is_skipped_with_a_message(commit, tmp_path):
    """An unpacked archive has no history, even if it is inside of another repository."""
    inner = commit("added") / "archive"
    inner.mkdir()

    for folder in (tmp_path, inner):
        done = check(folder)
        assert 0 == done.returncode and "skipped" in done.stdout
    assert "skipped" in check(inner, PATH=str(inner)).stdout


def test_unknown_range_is_an_error(commit):
    done = check(commit("Add a metric"), "--range", "no-such-tag..HEAD")

    assert 2 == done.returncode and "no-such-tag" in done.stderr
