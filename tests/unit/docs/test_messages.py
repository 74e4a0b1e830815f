"""Every error has a hint, and the commands and settings that messages name exist."""

import ast
import re

import pytest
from support.markdown import ROOT

from job import errors
from job.settings import known_keys

MODULES = sorted((ROOT / "job").rglob("*.py"))
ERRORS = {
    name
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, errors.JobError)
}
SECTIONS = {key.split(".")[0] for key in known_keys() if "." in key}
GROUPS = {".".join(key.split(".")[:n]) for key in known_keys() for n in (1, 2, 3)}


def without_hint(source):
    """Return the lines on which an error of the job is made without a hint."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).split(".")[-1] in ERRORS
        and not {"hint", None} & {keyword.arg for keyword in node.keywords}
    ]


def without_f_prefix(source):
    """Return the lines of sentences with a name of their function in braces, as in an f-string."""
    lines = set()
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        nodes = list(ast.walk(function))
        names = {node.arg for node in nodes if isinstance(node, ast.arg)}
        names |= {node.id for node in nodes if isinstance(node, ast.Name)}
        for node in nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
                in_braces = set(re.findall(r"{([a-z_]\w*)}", node.value))
                lines |= {node.lineno} if in_braces & names else set()
    return sorted(lines)


def unknown_settings(source):
    """Return the settings that sentences name and that do not exist.

    A name that follows `--set` is one, and so is a dotted name that begins with a section.  Files
    and templates, which name the values of a report, are left out.
    """
    sentences = " ".join(
        node.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value
        if "{%" not in node.value and "{{" not in node.value
    )
    after_set = re.findall(r"--set '?([a-z0-9_]+(?:\.[a-z0-9_]+)*)=", sentences)
    dotted = re.findall(r"(?<![\w./`(:])([a-z0-9_]+(?:\.[a-z0-9_]+)+)(?![\w/(.])", sentences)
    named = {*after_set, *(name for name in dotted if name.split(".")[0] in SECTIONS)}
    named = {name for name in named if not name.endswith(".json")}
    return sorted(name for name in named if not is_setting(name))


def is_setting(name):
    """Return whether it is a key, a group of keys, or an entry of a free-form setting."""
    parts = name.split(".")
    return name in GROUPS or any(".".join(parts[:n]) in set(known_keys()) for n in (2, 3))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_error_has_a_hint(module):
    assert [] == without_hint(module.read_text())


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_sentence_lacks_an_f_prefix(module):
    assert [] == without_f_prefix(module.read_text())


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_settings_in_sentences_exist(module):
    assert [] == unknown_settings(module.read_text())


def test_error_without_a_hint_is_seen():
    assert [2] == without_hint("x = 1\nraise TrainingError('no rows')")
    assert [] == without_hint("raise TrainingError('no rows', hint='add rows')")


def test_missing_f_prefix_is_seen():
    start, sentence = "def show(version):\n    return ", "'run show {version}'"

    assert [2] == without_f_prefix(start + sentence)
    assert [2] == without_f_prefix(start + "f'{version}: ' " + sentence)
    assert [] == without_f_prefix(start + "f" + sentence)


def test_unknown_setting_is_seen():
    assert ["search.fold"] == unknown_settings("hint = 'lower search.fold, or search.folds'")
    assert ["fold"] == unknown_settings("hint = 'try --set fold=3 or --set search.folds=3'")
