"""The commands that messages name exist, with these options."""

import ast
import re
import shlex

import pytest
import typer
from support.markdown import ROOT

from job.cli.commands.app import app

MODULES = sorted((ROOT / "job").rglob("*.py"))
COMMANDS = typer.main.get_command(app)


def sentences(source):
    """Yield the texts of a module; `X` stands for each value that an f-string inserts."""
    tree = ast.parse(source)
    inner = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (p.value if isinstance(p, ast.Constant) else "X" for p in node.values)
            yield "".join(map(str, parts))
        elif (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner
        ):
            yield node.value


def named_commands(source):
    """Return the commands in backquotes, and texts that are a whole command."""
    found = []
    for text in sentences(source):
        found += re.findall(r"`(pcc-job [^`]+)`", text)
        found += [text] if re.fullmatch(r"pcc-job [a-z][^`.;]*", text) else []
    return found


def problem_of(command):
    """Return what the command line refuses in a command; None if it accepts the command."""
    words = shlex.split(command.replace("...", "").replace("..", ""))[1:]
    group = COMMANDS
    while hasattr(group, "commands") and words and words[0] != "X":
        name = words.pop(0)
        if name not in group.commands:
            return f"no command {name}"
        group = group.commands[name]
    if hasattr(group, "commands"):
        return None if words else "a group, not a command"
    options = {name for parameter in group.params for name in (*parameter.opts, "--help")}
    unknown = [word for word in words if word.startswith("-") and word not in options]
    return f"no option {unknown}" if unknown else None


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_in_messages_exist(module):
    problems = {command: problem_of(command) for command in named_commands(module.read_text())}

    assert {} == {command: problem for command, problem in problems.items() if problem}


@pytest.mark.parametrize(
    "command",
    [
        *("pcc-job modles list", "pcc-job models lst", "pcc-job run --overide REASON"),
        *("pcc-job models", "pcc-job init T --targt C"),
    ],
)
def test_command_that_does_not_exist_is_seen(command):
    assert [command] == named_commands(f'hint = "run `{command}` first"')
    assert problem_of(command)
