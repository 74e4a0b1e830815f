"""What a person sees on a terminal, kept as files in tests/golden/terminal.

`make golden` renews the files; look at the difference.
"""

import os
import re
from pathlib import Path

import pytest
from support.small_runs import SETTINGS, write_letters
from support.terminal import run_in_terminal

GOLDEN = Path(__file__).parents[1] / "golden" / "terminal"
OPTIONS = [word for value in SETTINGS for word in ("--set", value)]
RUN = ("run", "--dataset", "table.parquet", *OPTIONS)
_VERSION = re.compile(r"v[0-9]{8}_[0-9]{6}_[0-9a-f]{8}")
_MASKS = (
    (_VERSION, "v00000000_000000_00000000"),
    (re.compile(r"^(✓ .{14}) +[0-9.]+ s$", re.MULTILINE), r"\1     0.0 s"),
    (re.compile(r"\([0-9.]+ s\)"), "(0.0 s)"),
    (re.compile(r"key_id [0-9a-f]{16}"), f"key_id {16 * '0'}"),
    (re.compile(r"\b(?=[a-f]*[0-9])[0-9a-f]{12,}\b"), "0" * 12),  # digests, and the revision
    (re.compile(r"[0-9]"), "0"),
    (re.compile(r"class '[a-z]+'"), "class 'name'"),
    (re.compile(r"[+-](?=0\.0)"), "+"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a table, and a store with a published version."""
    path = tmp_path_factory.mktemp("terminal")
    write_letters().to_parquet(path / "table.parquet")
    shown = run_in_terminal((*RUN, "--run-id", "night-1"), path)
    assert 0 == shown.code, shown.screen
    check("run-published-80", shown.screen)
    assert re.search(r"\x1b\[3[0-9]m", shown.raw)  # has colors
    return path


@pytest.fixture(scope="module")
def rejected(folder):
    """The folder, after a run that the gate has rejected."""
    words = (*RUN, "--run-id", "night-2", "--set", "gate.floors.accuracy=1")
    shown = run_in_terminal(words, folder, columns=120)
    assert 6 == shown.code, shown.screen
    check("run-rejected-120", shown.screen)
    return folder


def mask(screen):
    for pattern, text in _MASKS:
        screen = pattern.sub(text, screen)
    return screen


def check(name, screen):
    """Compare a screen, with its numbers and names masked, with the kept one."""
    path, masked = GOLDEN / f"{name}.txt", mask(screen)
    if os.environ.get("PCC_RENEW_TERMINAL"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(masked)
    assert path.read_text() == masked


def show(folder, *words, columns=80, code=0, **environment):
    shown = run_in_terminal(words, folder, columns=columns, **environment)
    assert code == shown.code, shown.screen
    return shown


def widest(screen):
    return max(len(line) for line in screen.splitlines())


def test_stages_and_result_of_a_run(folder):
    """The first run publishes; the fixture has compared its screen."""
    assert (folder / "models" / "channels" / "production.json").exists()


def test_rejected_run_names_what_is_unmet_once(rejected):
    """The error is not repeated below the result."""
    text = (GOLDEN / "run-rejected-120.txt").read_text()

    assert 1 == text.count("accuracy 0.0000")
    assert "error:" not in text


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("models-list", ("models", "list")),
        ("models-show", ("models", "show", "latest")),
        ("runs-list", ("runs", "list")),
        ("models-history", ("models", "history")),
        (
            "config-changed",
            ("config", "show", "--changed", "--set", "split.salt=b", "--set", "search.folds=4"),
        ),
        ("report", ("report", "night-2")),
    ],
)
def test_table_of_a_command(rejected, name, words, columns):
    """No line is wider than the terminal."""
    shown = show(rejected, *words, columns=columns)

    check(f"{name}-{columns}", shown.screen)
    assert widest(shown.screen) <= columns


@pytest.mark.parametrize(
    "words",
    [("config", "show"), ("models", "diff", "latest", "latest")],
)
def test_long_result_is_not_wider_than_the_terminal(folder, words):
    """Values are wrapped, and digests cut."""
    shown = show(folder, *words)

    assert widest(shown.screen) <= 80
    assert not re.search(r"[0-9a-f]{64}", shown.screen)


VALIDATE = ("validate", "--dataset", "table.parquet", *OPTIONS)


def test_validation_lists_only_broken_rules(folder):
    """The stage that found them is marked."""
    broken = (*VALIDATE, "--set", "dataset.min_rows=1000", "--set", "dataset.max_rows=2000")

    check("validate-80", show(folder, *VALIDATE).screen)
    check("validate-broken-80", show(folder, *broken, code=4).screen)


def test_result_in_a_pipe_leaves_the_stages_on_the_terminal_without_colors(folder):
    """They are on stderr; see https://no-color.org."""
    shown = show(folder, *VALIDATE, to_pipe=("stdout",), NO_COLOR="1")

    assert "✓ validate" in shown.screen
    assert "rules hold" not in shown.screen
    assert not re.search(r"\x1b\[[0-9;]*m", shown.raw)


def test_quiet_command_shows_its_result_only(folder):
    """No stage and no warning."""
    assert show(folder, *VALIDATE, "-q").screen.startswith("16 of 16 rules hold")


def test_verbose_command_shows_the_log(folder):
    """As a log collector gets it, in readable lines."""
    assert "dataset_validated" in show(folder, *VALIDATE, "-v").screen


@pytest.mark.parametrize("name", ["prune", "rollback", "promote"])
def test_command_that_changes_the_store_asks(folder, name):
    """No is the default, and leaves everything as it was."""
    words = ("models", name, *(("latest", "--anchor") if name == "promote" else ()))
    shown = run_in_terminal(words, folder, keys=b"\n")

    assert 130 == shown.code
    assert "[y/N]" in shown.screen


def test_yes_moves_and_the_reason_is_in_the_history(folder):
    """The anchor is set after the answer."""
    words = ("models", "promote", "latest", "--anchor", "--reason", "agreed with Ada")
    shown = run_in_terminal(words, folder, keys=b"y\n")
    history = show(folder, "models", "history", "--anchor").screen

    assert 0 == shown.code, shown.screen
    assert "agreed with Ada" in history
