"""Choose and describe the roles of a table's columns for `pcc-job init`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from job.contracts.messages import did_you_mean, pluralize, quote
from job.contracts.shown_names import is_plain
from job.errors import ConfigurationError, ContractViolationError
from job.stages.data.find_roles import FoundRole, FoundRoles
from job.stages.data.usual_names import Role

if TYPE_CHECKING:
    from job.cli.begin_table import TableHead
    from job.stages.data.column_looks import ColumnLook

ROLE_WORDS: Final[Mapping[Role, str]] = {
    "target": "label",
    "text": "text",
    "embeddings": "embeddings",
    "timestamp": "time",
}


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
                f"cannot tell which column is the label; {len(possible)} of "
                f"{pluralize(len(found.looks), 'column')} could be the label"
                + (f": {', '.join(possible[:10])}" if possible else ""),
                hint=f"use `pcc-job init {shlex.quote(head.uri)} --target COLUMN`, with the name "
                "or the number of the column",
            )
        target = ask(f"Which column is the label ({', '.join(possible)})?")
    role = FoundRole(column=_find_column(found, target), source="settings")
    others = {name: r for name, r in found.roles.items() if r.column != role.column}
    return replace(found, roles={**others, "target": role})


def _no_header(found: FoundRoles, head: TableHead) -> ContractViolationError:
    """Return the error for a table whose first line may be a row; the names are not shown."""
    return ContractViolationError(
        f"{quote(head.uri)} has no column with a usual name, such as 'label' and 'text'",
        hint="if the first line has the names of the columns, use `pcc-job init "
        f"{shlex.quote(head.uri)} --target NUMBER` with the number of the label column, from 1 to "
        f"{len(found.looks)}; if the first line is a row, add a header: "
        "`sed -i '1i text,label' FILE`",
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


def describe_roles(found: FoundRoles, head: TableHead) -> str:
    """Return a line with what was found: label, text, embeddings, and the number of rows."""
    parts = []
    for role, word in ROLE_WORDS.items():
        look = find_look(found, role)
        column = found.column(role)
        if column is None:
            parts += [f"{word}: none"] if role != "timestamp" else []
        elif look is None:
            parts.append(f"{word}: '{column}'")
        else:
            shown = show_column(found, look)
            values = f" ({count_values(look, head)})" if role == "target" else ""
            parts.append(f"{word}: {shown}{values}")
    n_rows = head.preview.n_rows
    parts.append("many rows" if n_rows is None else f"{n_rows:,} rows")
    return " · ".join(parts)


def list_doubts(found: FoundRoles) -> list[str]:
    """Return sentences on what was found by cells alone, and on columns that fit equally well."""
    doubts = []
    if not found.has_header:
        doubts.append("the first line of the file was taken as the names of the columns")
    for role, word in ROLE_WORDS.items():
        chosen = found.roles.get(role)
        is_clear = chosen is None or (chosen.source != "cells" and not chosen.others)
        if chosen is None or is_clear or chosen.column.endswith("*"):
            continue
        look = find_look(found, role)
        shown = f"'{chosen.column}'" if look is None else show_column(found, look)
        by_cells = " by its cells, not by its name" if chosen.source == "cells" else ""
        others = [show_column(found, o) for o in found.looks if o.name in chosen.others]
        also = f"; {', '.join(others)} would also fit" if others else ""
        doubts.append(f"{shown} was chosen as {word}{by_cells}{also}")
    if (group := find_look(found, "group")) is not None:
        doubts.append(
            f"if {show_column(found, group)} identifies persons, remove the # before `group` in "
            "the settings file: the rows of a person then stay together in every split"
        )
    return doubts


def show_column(found: FoundRoles, look: ColumnLook) -> str:
    """Return a column's name in quotes, or its number if the name may be a value of the table."""
    is_shown = found.has_header and look.is_named and is_plain(look.name)
    return f"'{look.name}'" if is_shown else f"column {look.position}"


def find_look(found: FoundRoles, role: Role) -> ColumnLook | None:
    """Return the look of the column of a role; None for numbered columns and no column."""
    column = found.column(role)
    return next((look for look in found.looks if look.name == column), None)


def count_values(look: ColumnLook, head: TableHead) -> str:
    """Return the number of distinct values of a column, in all rows or in the first ones."""
    n_rows = len(head.preview.columns[look.position - 1].cells)
    values = pluralize(look.n_distinct, "value")
    return values if n_rows == head.preview.n_rows else f"{values} in {n_rows:,} of the rows"
