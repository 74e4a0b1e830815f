"""Choose the roles of a table's columns for `pcc-job init`, and write them as a settings file."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from job.contracts.messages import did_you_mean, pluralize, quote
from job.contracts.settings.addresses import local_path
from job.contracts.settings.dataset import DatasetSpec
from job.contracts.settings.job_settings import JobSettings
from job.contracts.shown_names import is_plain
from job.errors import ConfigurationError, ContractViolationError, TransientError
from job.stages.data.find_roles import FoundRole, FoundRoles, Role

if TYPE_CHECKING:
    from job.cli.begin_table import TableHead
    from job.stages.data.column_looks import ColumnLook

_WORDS: Final[Mapping[Role, str]] = {
    "target": "label",
    "text": "text",
    "embeddings": "embeddings",
    "timestamp": "time",
}
_SUGGESTED: Final[Mapping[Role, str]] = {
    "group": "rows with the same value stay together in every split, such as those of one person",
    "id": "identifies rows in label_issues.json",
}
_BARE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_*.-]*")
_YAML_WORDS: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def choose_target(
    found: FoundRoles, head: TableHead, target: str | None, ask: Callable[[str], str] | None
) -> FoundRoles:
    """Return the roles with a label column: as given, as found, or as the user answers.

    Parameters
    ----------
    target
        Name of the column, or its number from 1; None to use the column that was found.
    ask
        Asks the user a question on a terminal; None if there is no terminal.

    Raises
    ------
    ContractViolationError
        No name of a column is known, so that the table may have no header.
    ConfigurationError
        There is no such column, or several can be the label.
    """
    if target is None and not found.has_header:
        raise _no_header(found, head)
    if target is None and "target" in found.roles:
        return found
    if target is None:
        possible = [show_column(found, look) for look in found.looks if look.can_be_label]
        if ask is None:
            raise ConfigurationError(
                f"cannot tell which column is the label: {len(possible)} of "
                f"{pluralize(len(found.looks), 'column')} can be"
                + (f": {', '.join(possible[:10])}" if possible else ""),
                hint=f"use `pcc-job init {shlex.quote(head.uri)} --target COLUMN`, with the name "
                "or the number of the column",
            )
        target = ask(f"Which column is the label ({', '.join(possible)})?")
    role = FoundRole(column=_find_column(found, target), source="settings")
    others = {name: r for name, r in found.roles.items() if r.column != role.column}
    return replace(found, roles={**others, "target": role}, has_header=True)


def _no_header(found: FoundRoles, head: TableHead) -> ContractViolationError:
    return ContractViolationError(
        f"no role was found by the name of a column in {quote(head.uri)}",
        hint="is the header missing? the first line must be the names of the columns, such as "
        f"`sed -i '1i text,label' FILE`; if there is a header, use `pcc-job init "
        f"{shlex.quote(head.uri)} --target NUMBER` with the number of the label column, from 1 to "
        f"{len(found.looks)}",
    )


def _find_column(found: FoundRoles, target: str) -> str:
    names = [look.name for look in found.looks]
    if target in names:
        return target
    if re.fullmatch(r"\d{1,6}", target) and 1 <= int(target) <= len(names):
        return names[int(target) - 1]
    known = [name for name in names if is_plain(name)] if found.has_header else []
    raise ConfigurationError(
        f"the table has no column {quote(target)}{did_you_mean(target, known)}",
        hint=f"use the name of a column, or its number from 1 to {len(names)}",
    )


def choose_store(settings: JobSettings, table: str) -> str | None:
    """Return a folder named after the table if the default store already has a champion.

    A candidate cannot be compared with the champion of another table, and would be rejected.
    Return None to keep the store of the settings.
    """
    default = JobSettings().store.uri
    if settings.store.uri != default or not (local_path(default) / "channels").is_dir():
        return None
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(table.rstrip("/")).name.partition(".")[0])
    return f"{default}-{stem.strip('-').lower() or 'own'}"


def describe_roles(found: FoundRoles, head: TableHead) -> str:
    """Return a line with what was found: label, text, embeddings, and the number of rows."""
    parts = []
    for role, word in _WORDS.items():
        look = _look(found, role)
        column = found.column(role)
        if column is None:
            parts += [f"{word}: none"] if role != "timestamp" else []
        elif look is None:
            parts.append(f"{word}: '{column}'")
        else:
            shown = show_column(found, look)
            values = f" ({_count_values(look, head)})" if role == "target" else ""
            parts.append(f"{word}: {shown}{values}")
    n_rows = head.preview.n_rows
    parts.append("many rows" if n_rows is None else f"{n_rows:,} rows")
    return " · ".join(parts)


def list_doubts(found: FoundRoles) -> list[str]:
    """Return sentences on what was found by cells alone, and on columns that fit equally well."""
    doubts = []
    for role, word in _WORDS.items():
        chosen = found.roles.get(role)
        if chosen is None or chosen.source != "cells":
            continue
        look = _look(found, role)
        shown = f"'{chosen.column}'" if look is None else show_column(found, look)
        others = [show_column(found, o) for o in found.looks if o.name in chosen.others]
        also = f"; {', '.join(others)} would also fit" if others else ""
        doubts.append(f"{shown} was chosen as {word} by its cells, not by its name{also}")
    if (group := _look(found, "group")) is not None:
        doubts.append(
            f"does {show_column(found, group)} identify persons? then state it as the group: the "
            "settings file has the line"
        )
    return doubts


def show_column(found: FoundRoles, look: ColumnLook) -> str:
    """Return a column's name in quotes if it cannot be a cell, or else `column` and its number."""
    is_shown = found.has_header and look.is_named and is_plain(look.name)
    return f"'{look.name}'" if is_shown else f"column {look.position}"


def write_settings(path: Path, found: FoundRoles, head: TableHead, store: str | None) -> None:
    """Write a settings file with the roles that differ from the defaults.

    Parameters
    ----------
    store
        The store, if it differs from the default.

    Raises
    ------
    ConfigurationError
        The file exists with other content.
    TransientError
        The file cannot be written.
    """
    text = _format_settings(found, head, store)
    try:
        if path.exists() and path.read_text() != text:
            raise ConfigurationError(
                f"{quote(str(path))} already exists with other content",
                hint="choose another file with --out FILE, or remove it",
            )
        path.write_text(text)
    except (OSError, UnicodeDecodeError) as error:
        raise TransientError(
            f"cannot write {quote(str(path))}",
            hint="choose a file in another folder with --out FILE",
        ) from error


def _format_settings(found: FoundRoles, head: TableHead, store: str | None) -> str:
    defaults = DatasetSpec().columns
    columns = []
    for role in _WORDS:
        column = found.column(role)
        if column is not None and column != getattr(defaults, role):
            look = _look(found, role)
            note = f"  # {_count_values(look, head)}" if role == "target" and look else ""
            columns.append(f"    {role}: {_format_text(column)}{note}")
    for role, note in _SUGGESTED.items():
        column = found.column(role)
        if column is not None:
            columns.append(f"    # {role}: {_format_text(column)}  # {note}")
    stated = [line for line in columns if not line.lstrip().startswith("#")]
    lines = [
        "# Settings of pcc-training-job; everything else has its default.",
        "# `pcc-job config show` lists all settings.",
        "dataset:",
        f"  uri: {_format_text(head.uri)}",
        *(["  columns:" if stated else "  # columns:", *columns] if columns else []),
    ]
    if store is not None:
        note = "# a store of its own, because the default store has models of another table"
        lines += [note, "store:", f"  uri: {_format_text(store)}"]
    if not found.is_upstream:
        lines += [
            "# Features and expectation suite follow from the columns. A candidate must be better",
            "# than the majority class; minimum scores are yours to set:",
            "# gate:",
            "#   floors:",
            "#     f1_macro: 0.80",
        ]
    return "\n".join(lines) + "\n"


def _look(found: FoundRoles, role: Role) -> ColumnLook | None:
    """Return the look of the column of a role; None for numbered columns and no column."""
    column = found.column(role)
    return next((look for look in found.looks if look.name == column), None)


def _count_values(look: ColumnLook, head: TableHead) -> str:
    n_rows = len(head.preview.columns[look.position - 1].cells)
    values = pluralize(look.n_distinct, "value")
    return values if n_rows == head.preview.n_rows else f"{values} in the first {n_rows:,} rows"


def _format_text(text: str) -> str:
    """Return a YAML text: as it is, or in quotes."""
    is_bare = _BARE.fullmatch(text) and text.lower() not in _YAML_WORDS and "*" not in text
    return text if is_bare else json.dumps(text, ensure_ascii=False)
