"""Commands, options and make targets that the pages name exist."""

import re
import shlex

import pytest
import typer
from support.markdown import ROOT, committed_pages

from job.cli.commands.app import app

# decision records and the changelog also name commands of earlier releases
PAGES = [
    page for page in committed_pages() if "adr" not in page.parts and page.name != "CHANGELOG.md"
]
GROUP = typer.main.get_command(app)


def commands(text):
    """Yield the words of each `pcc-job ...` in code; continued lines are one command."""
    joined = text.replace("\\\n", " ")
    inline = re.findall(r"`pcc-job ([^`\n]+)`", joined)
    lines = re.findall(r"^ *pcc-job ([^\n`]+)$", joined, re.MULTILINE)
    for command in (*inline, *lines):
        yield shlex.split(re.sub(r"[|(\[\])]", " ", command), comments=True)


def unknown(words):
    """Return the words that are neither a command of the job nor an option of the command."""
    command, rest = GROUP, list(words)
    while rest and getattr(command, "commands", None) and not rest[0].startswith("-"):
        if rest[0] not in command.commands:
            return [rest[0]]
        command = command.commands[rest.pop(0)]
    options = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    return [w for w in rest if w.startswith("--") and w.partition("=")[0] not in options]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_and_options_exist(page):
    """Pages are updated when an option is renamed."""
    found = {" ".join(words): unknown(words) for words in commands(page.read_text())}

    assert {} == {command: words for command, words in found.items() if words}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_make_targets_exist(page):
    """`make x` in a page is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z][a-z-]*)", page.read_text(), re.MULTILINE))

    assert set() == named - targets


def test_unknown_words_are_seen():
    assert ["go"] == unknown(["models", "go", "x"])
    assert ["--nope"] == unknown(["models", "rollback", "--nope"])
    assert [] == unknown(["models", "promote", "v1", "--expect", "v0"])


def test_each_command_is_on_the_page_of_commands():
    """docs/commands.md is complete."""
    text = (ROOT / "docs/commands.md").read_text()
    names = [
        *(name for name, command in GROUP.commands.items() if not hasattr(command, "commands")),
        *(
            f"{group} {name}"
            for group, command in GROUP.commands.items()
            for name in getattr(command, "commands", ())
        ),
    ]

    assert [] == [
        name for name in names if not re.search(rf"`(pcc-job )?{name}\b|`{name.split()[-1]} ", text)
    ]
