"""Find the roles of a table's columns by their names, types and first cells.

How it works
------------
1. A role that the settings state is not looked for; nor is one whose default column is present.
2. A column with a usual name for a role, such as `comment` for the text, gets the role if the cells
   fit.
3. Otherwise the cells decide: few repeated values are labels, long strings are texts, lists of
   numbers (or numbered columns) are embeddings.
4. If several columns fit equally well, none becomes the label; the one with the longest cells
   becomes the text.

A table in which no name is known may have no header.  The names may then be cells: they are hidden.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from job.contracts.settings.dataset import DatasetSpec
from job.contracts.table_preview import TablePreview
from job.stages.data.column_looks import ColumnLook, describe_column
from job.stages.data.header import has_column
from job.stages.data.usual_names import ROLES, USUAL_NAMES, Role

_UPSTREAM: Final = frozenset(
    {
        *("intent", "text", "embeddings", "confidence", "timestamp", "text_length"),
        *("word_count", "has_personal_info", "formality_score", "urgency_score"),
    }
)
_MIN_UPSTREAM: Final = 5  # of these columns make a table the upstream's
_NUMBERED: Final = re.compile(r"([^\W\d](?:[\w.-]{0,38}(?:[^\W\d]|-))?)(\d{1,5})")
_MIN_WIDE: Final = 8  # numbered columns of numbers that make an embedding


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRole:
    """The column of a role, and how it was found.

    Attributes
    ----------
    column
        Name of the column, or `prefix*` for numbered columns.
    source
        `settings`: the settings name it, or its default name is present.  `name`: by a usual name.
        `cells`: by its cells alone.
    others
        Further columns that fit equally well.
    """

    column: str
    source: Literal["settings", "name", "cells"]
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRoles:
    """The roles of a table's columns.

    Attributes
    ----------
    roles
        The columns found, by role.  `id` and `group` are suggestions.
    possible_targets
        Columns that can be the label, if none of them was chosen.
    is_upstream
        Whether the columns are those of the upstream's curated table.
    has_header
        Whether a name of the file is known or usual, so that the first row is a header.
    looks
        What the cells of each column look like, in the order of the file.
    """

    roles: Mapping[Role, FoundRole]
    possible_targets: tuple[str, ...]
    is_upstream: bool
    has_header: bool
    looks: tuple[ColumnLook, ...] = field(repr=False)

    def column(self, role: Role) -> str | None:
        """Return the column of a role; None if no column was found."""
        found = self.roles.get(role)
        return None if found is None else found.column


def find_roles(preview: TablePreview, spec: DatasetSpec, stated: Collection[str]) -> FoundRoles:
    """Return the roles of the columns of a table.

    Parameters
    ----------
    spec
        The settings; their aliases are applied to the names of the file.
    stated
        Roles that the settings state.  They are not looked for, even if their columns are absent.
    """
    renamed = {name: spec.aliases.get(name, name) for name in preview.names}
    looks = tuple(
        replace(describe_column(column, position), name=renamed[column.name])
        for position, column in enumerate(preview.columns, start=1)
    )
    roles: dict[Role, FoundRole] = {}
    for role in ROLES:
        column = getattr(spec.columns, role)
        if column is not None and has_column(tuple(renamed.values()), column):
            roles[role] = FoundRole(column=column, source="settings")
    wanted = [role for role in ROLES if role not in roles and role not in stated]
    for find in (_find_by_name, _find_by_cells):
        for role in wanted:
            free = [look for look in looks if look.name not in _taken(roles)]
            if role not in roles and (found := find(role, free)) is not None:
                roles[role] = found
    free = [look for look in looks if look.name not in _taken(roles)]
    known = spec.known_names & set(renamed.values())
    return FoundRoles(
        roles=roles,
        possible_targets=tuple(look.name for look in free if look.can_be_label),
        is_upstream=len(_UPSTREAM & set(renamed.values())) >= _MIN_UPSTREAM,
        has_header=bool(known) or any(found.source != "cells" for found in roles.values()),
        looks=looks,
    )


def _taken(roles: Mapping[Role, FoundRole]) -> set[str]:
    return {found.column for found in roles.values()}


def _find_by_name(role: Role, looks: Sequence[ColumnLook]) -> FoundRole | None:
    """Return the column with the most usual name of a role, if its cells fit the role."""
    fitting = sorted(
        (look.look == "constant", rank, look.name)
        for look in looks
        if look.is_named
        and (rank := _rank(role, look.name)) is not None
        and _fits(role, look, looks)
    )
    if not fitting:
        return None
    (_, _, column), *rest = fitting
    # a column of one value is no label if there is another
    others = tuple(name for is_constant, _, name in rest if not is_constant)
    is_doubtful = role in ("target", "text")
    return FoundRole(column=column, source="name", others=others if is_doubtful else ())


def _rank(role: Role, name: str) -> int | None:
    """Return the position of a name among the usual names of a role; None if it is not usual."""
    folded, usual = _fold(name), USUAL_NAMES[role]
    if folded in usual:
        return usual.index(folded)
    is_text = role == "text" and folded.endswith("text")
    return len(usual) if is_text else None


def _find_by_cells(role: Role, looks: Sequence[ColumnLook]) -> FoundRole | None:
    """Return the column whose cells fit a role; for the label, None if several columns fit."""
    if role in ("id", "group"):
        return None
    if role == "target":
        labels = [look for look in looks if look.look == "label"]
        return FoundRole(column=labels[0].name, source="cells") if len(labels) == 1 else None
    if role == "embeddings" and (wide := _find_wide(looks)) is not None:
        return FoundRole(column=wide, source="cells")
    look_of = {"text": "text", "embeddings": "embedding", "timestamp": "time"}
    fitting = [look for look in looks if look.look == look_of[role]]
    if not fitting or (role == "timestamp" and len(fitting) > 1):
        return None
    first, *others = sorted(fitting, key=lambda look: (-look.mean_length, look.position))
    return FoundRole(column=first.name, source="cells", others=tuple(look.name for look in others))


def _fits(role: Role, look: ColumnLook, looks: Sequence[ColumnLook]) -> bool:
    """Return whether a column with a usual name of a role also has cells that fit the role.

    A column of short or repeated cells fits the text only if no column looks like a text.
    """
    match role:
        case "target":
            return look.can_be_label
        case "text":
            has_text = any(other.look == "text" for other in looks)
            return look.look == "text" or (not has_text and look.look in ("label", "code"))
        case "embeddings":
            return look.look == "embedding"
        case "timestamp":
            return look.look in ("time", "empty")
        case "id":
            return look.n_distinct == look.n_cells > 0
        case "group":
            return look.look in ("label", "number", "code", "text")


def _find_wide(looks: Sequence[ColumnLook]) -> str | None:
    """Return `prefix*` of the largest set of columns numbered without a gap; None if too small.

    The cells are numbers with many distinct values, unlike the answers of a survey.
    """
    numbers: dict[str, set[int]] = defaultdict(set)
    for look in looks:
        match = _NUMBERED.fullmatch(look.name)
        if match and look.look in ("number", "empty") and not look.can_be_label:
            numbers[match[1]].add(int(match[2]))
    wide = [
        (len(found), prefix)
        for prefix, found in numbers.items()
        if len(found) >= _MIN_WIDE and max(found) - min(found) == len(found) - 1
    ]
    return f"{max(wide)[1]}*" if wide else None


def _fold(name: str) -> str:
    """Return a name in lowercase, without spaces and punctuation."""
    return re.sub(r"[\W_]+", "", name).lower()
