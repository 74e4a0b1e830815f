"""Find the columns of a table that a model takes, under their names in the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from job.contracts.messages import name_all, pluralize, quote_list
from job.contracts.ports import SourceTable
from job.contracts.shown_names import NameRule, find_similar
from job.errors import ContractViolationError
from job.stages.data.wide_columns import wide_columns
from job.stages.prediction.input_columns import InputColumns

Sources = Mapping[str, tuple[str, ...]]


def find_source_columns(table: SourceTable, columns: InputColumns, version: str) -> Sources:
    """Return the names in the file of each column that a model takes, and of the id.

    A pattern `prefix*` has several columns; every other name has one.

    Raises
    ------
    ContractViolationError
        A column is missing, or there are several with its name.
    """
    renamed = tuple(columns.aliases.get(name, name) for name in table.names)
    wanted = [*columns.required, *([columns.id] if columns.id is not None else [])]
    sources = {name: _find(name, renamed, table.names) for name in wanted}
    missing = [name for name in columns.required if not sources[name]]
    if missing:
        raise ContractViolationError(
            f"'{table.uri}' lacks the {name_all('column', missing)}: {version} takes "
            f"{columns.describe()}",
            hint="; ".join(_give_hints(table, columns, missing)),
        )
    twice = [name for name, found in sources.items() if _is_ambiguous(name, found, table.names)]
    if twice:
        raise ContractViolationError(
            f"'{table.uri}' has more than one column named {quote_list(sorted(twice))}",
            hint="rename the duplicate columns, and map only one column to each name in "
            "dataset.aliases",
        )
    return {name: names for name, names in sources.items() if names}


def _find(name: str, renamed: tuple[str, ...], names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns of the file with a name, after aliases or, if there are none, before."""
    for candidates in (renamed, names):
        found = wide_columns(candidates, name) if name.endswith("*") else (name,)
        sources = tuple(names[n] for f in found for n, c in enumerate(candidates) if c == f)
        if sources:
            return sources
    return ()


def _is_ambiguous(name: str, found: tuple[str, ...], names: tuple[str, ...]) -> bool:
    is_pattern = name.endswith("*")
    return (len(found) > 1 and not is_pattern) or any(names.count(source) > 1 for source in found)


def _give_hints(table: SourceTable, columns: InputColumns, missing: list[str]) -> Iterator[str]:
    known = {*columns.required, *columns.aliases, *columns.aliases.values()}
    rule = NameRule(known=known, is_complete=False)
    by_role = {columns.text: "text", columns.embeddings: "embeddings", columns.id: "id"}
    for name in missing:
        similar = [n for n in table.names if n not in known and find_similar(n, [name])]
        if similar and name not in by_role:
            yield f"did you mean {name}? --set 'dataset.aliases={{{similar[0]}: {name}}}'"
        elif name in by_role:
            column = similar[0] if similar else "COLUMN"
            yield f"name it: --set dataset.columns.{by_role[name]}={column}"
        else:
            yield f"map it: --set 'dataset.aliases={{COLUMN: {name}}}'"
    yield f"the table has {pluralize(len(table.names), 'column')}: {rule.quote_all(table.names)}"
