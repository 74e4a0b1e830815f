"""stdout: the result of a command, once; a table on a terminal, JSON otherwise."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import typer

from job.errors import ConfigurationError


def check_form(form: str | None) -> None:
    """Refuse an output form that does not exist, before any work is done."""
    if form not in (None, "json", "table"):
        raise ConfigurationError(f"no output form '{form}'", hint="json or table")


def write_result(result: Mapping[str, Any], form: str | None) -> None:
    """Write a result to stdout."""
    check_form(form)
    if form == "json" or (form is None and not sys.stdout.isatty()):
        typer.echo(json.dumps(result, sort_keys=True))
        return
    for line in _lines(result):
        typer.echo(line)


def _lines(content: Mapping[str, Any], indent: str = "") -> list[str]:
    """Lay nested mappings out, one value a line."""
    found = []
    for key, value in content.items():
        if isinstance(value, Mapping) and value:
            found += [f"{indent}{key}", *_lines(value, f"{indent}  ")]
        else:
            found.append(f"{indent}{key:<{max(28 - len(indent), 1)}} {_cell(value)}")
    return found


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value)
