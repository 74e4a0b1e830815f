"""Obey the hint of a refusal word for word, and repeat the refused command.

How it works
------------
1. A case makes what its command needs in a folder of its own, and returns the command.
2. The command ends in a refusal.  The hint is searched for in the error, then in the log, then in
   the result.
3. Each command in backquotes is run: those of `pcc-job` in this process, others by the shell.  Each
   option, such as `--set KEY=VALUE`, is added to the first command.  Names in capital letters that
   stand for the user's own are filled in, and nothing else is changed.
4. The first command is repeated.  It must succeed, or end in the later refusal that the case names.
"""

import io
import json
import re
import shlex
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from support.commands import run_here

_COMMAND = re.compile(r"`((?:[A-Z_]+=\w+ )?[a-z][\w-]* [^`]*)`")
_OPTION = re.compile(r"--set (?:'[^']*'|\S*[^\s,;.`)])|(?<!without )(?<!--)--[a-z][a-z-]+")
_VALUES = r"v\d{8}_\w+|[\w./-]*[./][\w-]+|json|yaml|table|csv|parquet"
_SWITCHES = ("--anew", "--force", "--republish", "--open", "--all")


@dataclass(frozen=True)
class Case:
    """A refusal, and what its hint names.

    Attributes
    ----------
    says
        Part of the hint, as the source has it; `{}` is what an f-string inserts.
    first
        Function that returns the refused command, a list of words, for a `Place`.
    code
        Exit code of the refusal.
    take
        Pattern of the part of the hint that is obeyed; by default, the whole hint.
    own
        The user's own names, by the name that stands for them in the hint; a name can be a
        function of the place.
    by_hand
        Function of the place that does what the hint asks for before its command: `delete it`.
    change
        Function of place, words and outputs of the hint's commands.  It returns the words of the
        repeated command, for a hint that is followed by a hand: `use another --run-id`.
    drop
        Options that the repeated command does not have, because the hint says so.
    then, later
        Exit code of the repeated command, and words of its error if it is another refusal.
    ends
        Exit code of the commands that the hint names.
    name
        What tells the case from another one for the same hint.
    """

    says: str
    first: Callable
    code: int
    take: str = "(?s).*"
    own: Mapping[str, str | Callable] = field(default_factory=dict)
    by_hand: Callable | None = None
    change: Callable | None = None
    drop: tuple[str, ...] = ()
    then: int = 0
    later: str = ""
    ends: int = 0
    name: str = ""


class Place:
    """A folder with `table.parquet` and a store, which settings in variables name."""

    def __init__(self, folder, patch):
        self.folder, self._patch, self.stdin = Path(folder), patch, b""
        patch.chdir(folder)

    def set(self, **settings):
        """Set settings by variables; `__` separates the levels."""
        for name, value in settings.items():
            self._patch.setenv(f"PCC_JOB_{name.upper()}", str(value))

    def unset(self, *names):
        """Remove settings that `set` has set."""
        for name in names:
            self._patch.delenv(f"PCC_JOB_{name.upper()}")

    def run(self, *words):
        """Run the command line; `stdin` is its standard input."""
        with self._patch.context() as patch:
            patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(self.stdin)))
            return run_here(*words)

    def read(self, name):
        """Return the content of a JSON file."""
        return json.loads((self.folder / name).read_text())


def obey(case, place):
    """Obey the hint of a case; raise `AssertionError` if it does not help."""
    words = [str(word) for word in case.first(place)]
    refused = place.run(*words)
    assert refused.crash is None, repr(refused.crash)
    text = find_text(refused, case.says)
    assert case.code == refused.code, (refused.code, refused.message, refused.hint)
    found = re.search(case.take, text)
    assert found, f"not in the hint: {text}"
    own = {name: value(place) if callable(value) else value for name, value in case.own.items()}
    part = fill_in(found[0], own)
    if case.by_hand:
        case.by_hand(place)
    is_command = part.startswith("pcc-job ")
    commands, rest = ([part], "") if is_command else (_COMMAND.findall(part), part)
    outputs = [_run_command(command, place, case.ends) for command in commands]
    if case.change is None and any(_is_same(command, words) for command in commands):
        return  # the hint has the whole command
    options = list_options(_COMMAND.sub("", rest), [*own.values()])
    again = with_options(_without(words, case.drop), options)
    if case.change:
        again = [str(word) for word in case.change(place, again, outputs)]
    assert outputs or case.change or again != words, f"nothing to obey: {text}"
    done = place.run(*again)
    assert done.crash is None, repr(done.crash)
    assert case.then == done.code, (part, again, done.code, done.message, done.hint)
    assert case.later in done.message, done.message
    assert not case.then or (case.later and refused.message != done.message), done.message


def _is_same(command, words):
    """Return whether a command of the hint is the one that was refused."""
    given = shlex.split(command)[1:]
    n = 2 if words[0] in ("models", "runs", "config", "lineage") else 1
    return command.startswith("pcc-job ") and given[:n] == words[:n]


def find_text(ended, says):
    """Return the hint, a sentence of the log or one of the result that contains `says`."""
    said = re.compile(".*?".join(map(re.escape, re.split(r"{\d*}", says))))
    texts = (ended.hint, *_texts_of(ended.stderr), *_texts_of(ended.stdout))
    found = [text for text in texts if said.search(text)]
    seen = (ended.code, ended.message, ended.hint, ended.stderr[-1500:], ended.stdout[-500:])
    assert found, f"'{says}' is not said: {seen}"
    return found[0]


def _texts_of(stream):
    """Return all texts in JSON lines or one JSON document, and the stream itself."""
    texts = []
    for part in (stream, *stream.splitlines()):
        try:
            texts += _strings(json.loads(part))
        except ValueError:
            continue
    return [*texts, stream]


def _strings(value):
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = value.values()
    return [s for item in value for s in _strings(item)] if hasattr(value, "__iter__") else []


def fill_in(text, own):
    """Return the text with the user's own names in the places that stand for them."""
    for name, value in own.items():
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", lambda _, v=value: v, text)
    return text


def list_options(text, own=()):
    """Return the options of a sentence that have all their values, as lists of words."""
    values = "".join(f"|{re.escape(value)}" for value in own)
    found = []
    for match in _OPTION.finditer(text):
        option, rest = match[0], text[match.end() :]
        if option.startswith("--set "):
            found.append(shlex.split(option))
        elif option in _SWITCHES:
            found.append([option])
        elif value := re.match(rf" ({_VALUES}{values})(?!\w)", rest):
            found.append([option, value[1]])
    return found


def with_options(words, options):
    """Return the command with these options; an option of the command is replaced."""
    for option in options:
        name = option[0]
        if name != "--set":
            words = _without(words, (name,))
        words = [*words, *option]
    return words


def _without(words, names):
    """Return the words without these options and their values."""
    kept, words = [], list(words)
    while words:
        word = words.pop(0)
        if word not in names:
            kept.append(word)
        elif words and not words[0].startswith("--") and word not in _SWITCHES:
            words.pop(0)
    return kept


def _run_command(command, place, ends):
    """Run a command of a hint; return what it prints."""
    words = shlex.split(command)
    if words.pop(0) == "pcc-job":
        done = place.run(*words)
        assert done.crash is None, (command, repr(done.crash))
        assert ends == done.code, (command, done.code, done.message, done.hint)
        return done.stdout
    shell = ["/bin/sh", "-c", command]
    done = subprocess.run(
        shell, cwd=place.folder, input=place.stdin, capture_output=True, check=False
    )
    assert 0 == done.returncode, (command, done.stderr)
    return done.stdout
