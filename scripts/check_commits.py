"""Check that the subjects of commits are short and in the imperative.

    python -m scripts.check_commits                  the commits of this branch
    python -m scripts.check_commits --message FILE   one message, as a commit-msg hook does

The commits of a branch are those that `origin/main` does not have; if there are none, the last 20.
Only the form of the first word and short lists of words are checked, so some nouns pass.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

MAX_LENGTH: Final = 60
LAST_COMMITS: Final = 20
BASE: Final = "origin/main"
# subjects that git writes
_BY_GIT: Final = re.compile(r"Merge (branch|branches|commit|pull request|remote-tracking|tag)\b")
# the author rewrites these before the branch is merged
_UNFINISHED: Final = re.compile(r"(amend|fixup|squash)! ")
_PAST_OR_PROGRESSIVE: Final = re.compile(r"(ed|ing)$")
_VERBS: Final = (
    "bleed breed bring cling embed exceed feed fling heed need ping precede proceed ring seed shed "
    "sing speed spring sting string succeed swing wring"
)
_ENDS_IN_S: Final = "alias bias canvas"
_NO_VERBS: Final = (
    "a all an and another any both built each every few for from gave if in is it kept made many "
    "more most my new no none on one our some taken than that the their these this those took was "
    "we were what when where which with wrote"
)
_HELP: Final = "see 'Commits' in CONTRIBUTING.md"


def find_problem(subject: str) -> str | None:
    """Return what is wrong with a subject; None if it is short and imperative."""
    if _BY_GIT.match(subject):
        return None
    if not subject.strip():
        return "it is empty"
    if len(subject) > MAX_LENGTH:
        return f"it has {len(subject)} characters, at most {MAX_LENGTH} are allowed"
    if subject.endswith("."):
        return "it ends with a period"
    return _find_problem_of_verb(subject.split()[0])


def _find_problem_of_verb(word: str) -> str | None:
    if word.endswith((":", "!")):
        return f"it begins with the prefix '{word}'; begin with a verb"
    if not word[0].isupper():
        return f"'{word}' does not begin with a capital letter"
    name = word.lower()
    if name in _NO_VERBS.split():
        return f"'{word}' is not a verb in the imperative"
    if _PAST_OR_PROGRESSIVE.search(name) and name not in _VERBS.split():
        return f"'{word}' is not in the imperative; write 'Add', not 'Added' or 'Adding'"
    if re.search(r"[^su]s$", name) and name not in _ENDS_IN_S.split():
        return f"'{word}' is not in the imperative; write 'Add', not 'Adds'"
    return None


def read_subject(message: str) -> str:
    """Return the subject of a message: the first paragraph, without git's comments, on one line."""
    lines = [line for line in message.splitlines() if not line.startswith("#")]
    paragraph = "\n".join(lines).strip().split("\n\n")[0]
    return " ".join(paragraph.split("\n"))


def list_subjects(commits: str | None = None) -> list[tuple[str, str]] | None:
    """Return short hash and subject of each commit except merges; None if git has no history.

    Parameters
    ----------
    commits
        A range such as `v1.0..HEAD`.  If None, the commits that `origin/main` does not have.  If
        there are none, or if there is no `origin/main`, the last 20 commits.
    """
    if _git("rev-parse", "--show-prefix") != "\n":
        return None  # no repository, or a copy of the files inside another one
    if commits is not None:
        return _log(commits)
    return _log(f"{BASE}..HEAD") or _log(f"--max-count={LAST_COMMITS}", "HEAD")


def _log(*words: str) -> list[tuple[str, str]] | None:
    lines = _git("log", "--no-merges", "--format=%h %s", *words, "--")
    if lines is None:
        return None
    pairs = (line.partition(" ") for line in lines.splitlines())
    return [(commit, subject) for commit, _, subject in pairs]


def _git(*words: str) -> str | None:
    """Return what git prints; None if it fails or is not installed."""
    try:
        done = subprocess.run(("git", *words), capture_output=True, text=True)
    except OSError:
        return None
    return None if done.returncode else done.stdout


def check_message(path: Path) -> int:
    """Check the message of one commit, and return the exit code."""
    subject = read_subject(path.read_text(encoding="utf-8"))
    problem = None if _UNFINISHED.match(subject) else find_problem(subject)
    if problem is None:
        return 0
    print(f"commit subject '{subject}': {problem}; {_HELP}", file=sys.stderr)
    return 1


def check_branch(commits: str | None) -> int:
    """Check the commits of a range, or those of this branch, and return the exit code."""
    found = list_subjects(commits)
    if found is None and commits is not None:
        print(f"git knows no commits '{commits}'", file=sys.stderr)
        return 2
    if found is None:
        print("commit subjects: skipped, because there is no git history here")
        return 0
    problems = [(commit, subject, find_problem(subject)) for commit, subject in found]
    wrong = [f"{commit} '{subject}': {problem}" for commit, subject, problem in problems if problem]
    if wrong:
        print("\n".join([*wrong, f"{_HELP}; reword them with `git rebase -i`"]), file=sys.stderr)
        return 1
    print(f"commit subjects: {len(found)} checked")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Check what the command line names, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--message", type=Path, metavar="FILE", help="file with one commit's message")
    what.add_argument("--range", metavar="REVISIONS", help="commits to check, such as v1.0..HEAD")
    given = parser.parse_args(arguments)
    return check_message(given.message) if given.message else check_branch(given.range)


if __name__ == "__main__":
    sys.exit(main())
