"""Make cases of hostile settings: values, grids and texts that settings should not contain.

Each case changes one to three settings to a hostile value, and may damage the text of the settings
file.  The settings are given as a file, as `--set` options or as variables.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from job.contracts.settings.job_settings import JobSettings
from job.settings import known_keys

_BOMB: Final = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)
_MERGE_BOMB: Final = "a0: &a0 {x: 1}\n" + "".join(
    f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 12)
)
# values of a setting, as YAML or JSON can write them
_VALUES: Final[tuple[object, ...]] = (
    *(None, True, False, 0, -0.0, -1, 1, 3, 2**31, 2**63, 10**30, -(10**30), 1e308, 5e-324, 0.5),
    *(float("nan"), float("inf"), -float("inf")),
    *("", " ", "\n", "x", "latest", "auto", "a\nb", "\x1b[31mred", "\x00", "\ud800", "\ufeff", "é"),
    *("x" * 5000, "x" * 1_000_000, "\x1b" * 3000, "'" * 20, "{}", "%s", "{0.__class__}", "$HOME"),
    *["/", "//[", "//[x]y", "/dev/zero", "/dev/null", "FIFO", "FOLDER", "..", "~"],
    *("x/" * 3000, "file://[", "file:///", "file:///%00", "file:/x", "http://[", "http://[::1"),
    *(
        "s3://",
        "s3://b",
        "S3://b/c",
        "s3:/b",
        "s3://b/../c",
        "s3://b/\n",
        "s3://?/x",
        "s3://u:p@b/c",
    ),
    *("http://127.0.0.1:1", "http://127.0.0.1:0", "http://127.0.0.1:99999", "https://"),
    *("(", "(a+)+$", "[", "2026-99-99", "1:99:99", "0x_", "nan", ".inf", "<<", "=", "null"),
    *([], [[]], [[[[]]]], [None], [1], ["x"], ["x", "x"], [["x"]], [{}], [True], [1e308]),
    *({}, {"": ""}, {"x": "y"}, {"x": None}, {"x": {"y": {}}}, {"x": ["y"]}, {"a\nb": "c"}),
    *({"x" * 5000: 1}, {"\x1b[31m": []}, {"\ud800": 1}, {"x": "z" * 5000}),
    ["x" * 3000] * 20,
    list(range(2000)),
    {str(n): n for n in range(2000)},
)
# grids of the estimators
_GRIDS: Final[tuple[object, ...]] = (
    *({"C": [value]} for value in _VALUES[:60]),
    *({"C": value} for value in (0, -1, "x", None, [[1]], [0], [-1], ["x"], [None], {"a": 1})),
    *({"strategy": value} for value in ("stratified", "uniform", "constant", "x", 1, ["prior", 1])),
    {"C": list(range(1, 2000)), "tol": list(range(1, 2000)), "max_iter": list(range(1, 2000))},
    *(
        {name: [value]}
        for name in ("class_weight", "solver", "n_jobs", "verbose", "random_state")
        for value in ("x", {}, {"a": "b"}, {"a": 1}, -1, 2**62, None, [1], "liblinear", "balanced")
    ),
    *({"n_centers": [value], "temperature": [0.05]} for value in (0, -1, 2**62, 1.5, "x", True)),
    {"x" * 5000: [1]},
)
# text in a settings file
_SNIPPETS: Final = (
    *("\t", "\x00", "\x1b[31m", "\ufeff", "\u2028", "\x85", "&a ", "*a ", "<<: *a\n", "<<: 5\n"),
    *(
        "!!binary x\n",
        "!!set {a, b}\n",
        "!!python/object:os.system {}\n",
        "!!int x\n",
        "!!int ''\n",
    ),
    *(
        "!!float x\n",
        "!!bool x\n",
        "!!timestamp x\n",
        "!!omap [1]\n",
        "!!pairs [1]\n",
        "!!null x\n",
    ),
    *(
        "!x y\n",
        "!!str [1]\n",
        "!!seq x\n",
        "!!map x\n",
        "!<x> y\n",
        "--- \n",
        "...\n",
        "%YAML 9.9\n",
    ),
    *(
        "? [a]\n: b\n",
        "? {a: b}\n: c\n",
        "{[a]: b}\n",
        "{{a: b}: c}\n",
        "? ",
        "- ",
        ": ",
        "| \n",
        "> \n",
    ),
    *("2026-99-99\n", "2026-01-01\n", "2026-01-01 25:99:99\n", "x: 0x_\n", "x: 0b_\n", "x: ._\n"),
    *(
        "9" * 5000,
        "0x" + "f" * 5000,
        "1" + ":59" * 3000,
        "1" + ":59" * 3000 + ".5",
        "1e99999",
        "x: =\n",
    ),
    *("[" * 10_000, "{a: " * 10_000, "- " * 10_000, "? " * 5000, "&a [*a]", "x: &a {b: *a}\n"),
    *(
        "x: &a\n  <<: *a\n",
        '"\\ud800"',
        '"\\0"',
        '"\\x1b"',
        "'",
        '"',
        "#",
        "@",
        "`",
        "\\",
        "{",
        "}",
        "]",
    ),
    *(_BOMB, _MERGE_BOMB, "search: {}\nsearch: {}\n", "a" * 100_000, "k: v\n" * 5000),
    "".join(f"k{n}: v\n" for n in range(20_000)),
)
_ENCODINGS: Final = (
    "utf-8",
    "utf-8",
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-be",
    "utf-32",
    "latin-1",
)
_COMMANDS: Final = (
    ("config", "check"),
    ("config", "check"),
    ("config", "show"),
    ("config", "show", "--output", "table"),
    ("doctor",),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The arguments, variables and settings file of a command."""

    arguments: tuple[str, ...]
    environment: dict[str, str]
    content: bytes | None


def make_case(rng: random.Random, folder: Path) -> Case:
    """Return a random case; its settings file, if there is one, is `folder/job.yaml`."""
    settings = {key: _value(rng, key, folder) for key in _choose_keys(rng)}
    command, environment = rng.choice(_COMMANDS), {}
    arguments, content = [*command], None
    way = rng.choice(("file", "file", "text", "text", "options", "variables"))
    if way == "options":
        for key, value in settings.items():
            arguments += ["--set", f"{key}={_write(rng, value)}"]
    elif way == "variables":
        for key, value in settings.items():
            name = f"PCC_JOB_{key.replace('.', '__').upper()}"
            environment[name] = value if isinstance(value, str) else _write(rng, value)
    else:
        text = _write_file(rng, settings)
        for _ in range(rng.randint(1, 3) if way == "text" else 0):
            text = _damage(rng, text)
        encoding = rng.choice(_ENCODINGS)
        errors = "replace" if encoding == "latin-1" else "surrogatepass"
        content = text.encode(encoding, errors)
        if rng.random() < 0.05:
            content += bytes(rng.randrange(256) for _ in range(8))
        arguments += ["--config", str(folder / "job.yaml")]
    environment = {name: _pass_on(value) for name, value in environment.items()}
    arguments = [_pass_on(argument) for argument in arguments]
    return Case(arguments=tuple(arguments), environment=environment, content=content)


def _pass_on(text: str) -> str:
    """Return a text as a process receives it: bytes that are not UTF-8 are lone surrogates."""
    data = text.replace("\0", "")[:100_000].encode("utf-8", "surrogatepass")
    return data.decode("utf-8", "surrogateescape")


def _choose_keys(rng: random.Random) -> list[str]:
    keys = [*known_keys(), *["search.estimators"] * 10, "expectations.suite", "lineage.key_file"]
    chosen = rng.sample(keys, rng.choice((1, 1, 1, 2, 3)))
    return [f"{key}x" if rng.random() < 0.02 else key for key in chosen]


def _value(rng: random.Random, key: str, folder: Path) -> Any:
    if key == "search.estimators" and rng.random() < 0.9:
        name = rng.choice(("logistic_regression", "linear_svc", "dummy", "prototypes", "x", ""))
        return {name: rng.choice(_GRIDS)}
    value = rng.choice(_VALUES)
    return {"FIFO": str(folder / "fifo"), "FOLDER": str(folder)}.get(str(value), value)


def _write(rng: random.Random, value: object) -> str:
    return json.dumps(value, ensure_ascii=rng.random() < 0.5)


def _write_file(rng: random.Random, settings: dict[str, object]) -> str:
    """Return a settings file with these settings and a few that are valid."""
    content: dict[str, Any] = JobSettings().model_dump(mode="json")
    content = {
        k: content[k] for k in rng.sample(sorted(content), 5) if isinstance(content[k], dict)
    }
    for key, value in settings.items():
        *sections, name = key.split(".")
        place = content
        for section in sections:
            place = place.setdefault(section, {})
        place[name] = value
    if rng.random() < 0.5:
        return json.dumps(content, ensure_ascii=rng.random() < 0.5, indent=1)
    return yaml.safe_dump(content, allow_unicode=rng.random() < 0.5)


def _damage(rng: random.Random, text: str) -> str:
    """Return a text with a snippet, without a part, or with a part twice."""
    start = rng.randrange(len(text) + 1)
    end = min(len(text), start + rng.randrange(40))
    line = text.rfind("\n", 0, start) + 1
    match rng.randrange(6):
        case 0:
            return text[:start] + text[end:]
        case 1:
            return text[:end] + text[start:]
        case 2:
            return text[:line] + rng.choice(_SNIPPETS) + text[line:]
        case 3:
            colon = text.find(": ", start)
            place = colon + 2 if colon >= 0 else 0
            return text[:place] + rng.choice(_SNIPPETS) + text[place:]
        case 4:
            return rng.choice(_SNIPPETS)
        case _:
            return text[:start] + rng.choice(_SNIPPETS) + text[start:]
