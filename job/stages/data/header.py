"""Check the header of a table: the required columns are present, and no name occurs twice.

The messages show a name of the file only if `job.contracts.shown_names` allows it.  If required
columns are missing, the messages state the likely cause.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Final, Protocol

import structlog

from job.contracts.invisible_characters import (
    escape_for_yaml,
    is_invisible,
    remove_invisible,
    reveal,
)
from job.contracts.messages import name_all, pluralize, quote_list
from job.contracts.settings.dataset import DatasetSpec, show_delimiter
from job.contracts.shown_names import NameRule, find_similar
from job.errors import ContractViolationError
from job.stages.data.wide_columns import find_equal_numbers, wide_columns

log = structlog.get_logger(__name__)

_DELIMITERS: Final = (",", ";", "\t", "|")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_REMOVE_CONTROLS: Final = (
    r"`LC_ALL=C sed -i '1s/[\x01-\x08\x0B\x0C\x0E-\x1F\x7F]//g' FILE` removes it"
)
_BYTE_ORDER_MARK: Final = "\ufeff"


class NamedTable(Protocol):
    """A table whose columns have names, before its rows are read."""

    @property
    def uri(self) -> str:
        """Where the table is."""

    @property
    def format(self) -> str:
        """`csv` or `parquet`."""

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in the order of the file, including duplicates."""

    @property
    def delimiter(self) -> str | None:
        """What separates the cells of a CSV file; None for Parquet."""

    @property
    def encoding(self) -> str | None:
        """Encoding of a CSV file; None for Parquet."""


def read_names(
    table: NamedTable, spec: DatasetSpec, required: frozenset[str]
) -> tuple[dict[str, str], NameRule]:
    """Return the names of the columns, and the rule for showing them.

    Parameters
    ----------
    required
        Columns that must be present, by their names in the settings.

    Returns
    -------
    names
        Names in the source file, by the names in the settings.
    rule
        The rule for names in the source file.

    Raises
    ------
    ContractViolationError
        Required columns are missing, two columns have the same name, or two columns of `prefix*`
        have the same number.
    """
    renamed = tuple(spec.aliases.get(name, name) for name in table.names)
    missing = sorted(name for name in required if not has_column(renamed, name))
    is_header = any(name in spec.known_names for name in renamed)
    rule = NameRule(known=spec.known_names, is_complete=is_header and not missing)
    if missing:
        raise ContractViolationError(
            f"'{table.uri}' lacks the required {name_all('column', missing)}",
            hint="; ".join(_give_hints(table, spec, missing, rule)),
        )
    _require_unique(table.uri, renamed, rule)
    absent = [name for name in sorted(spec.known_names) if not has_column(renamed, name)]
    for advice in _find_disguised(table.names, spec, absent):
        log.warning("column_name_has_invisible_characters", advice=advice)
    _require_one_order(table.uri, renamed, spec.columns.embeddings)
    return dict(zip(renamed, table.names, strict=True)), rule


def _require_unique(uri: str, names: tuple[str, ...], rule: NameRule) -> None:
    """Raise if a name occurs twice; columns whose name may not be shown are numbered."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if not twice:
        return
    shown = [name for name in twice if rule.shows(name)]
    numbers = [n for n, name in enumerate(names, start=1) if name in twice and name not in shown]
    problems = [
        *([f"more than one column named {quote_list(shown)}"] if shown else []),
        *([f"equal names in the columns {quote_list(numbers)}"] if numbers else []),
    ]
    raise ContractViolationError(
        f"'{uri}' has {' and '.join(problems)}",
        hint="rename the duplicate columns, and map only one column to each name in "
        "dataset.aliases",
    )


def _require_one_order(uri: str, names: tuple[str, ...], pattern: str | None) -> None:
    """Raise if two columns of `prefix*` have the same number: their order would be arbitrary."""
    if pattern is None or not pattern.endswith("*"):
        return
    groups = find_equal_numbers(names, pattern)
    if groups:
        twice = [name for group in groups for name in group]
        raise ContractViolationError(
            f"'{uri}' has more than one column with the same number for '{pattern}': "
            f"{quote_list(twice)}",
            hint="number each dimension once, or map the others to other names with "
            "dataset.aliases",
        )


def has_column(names: tuple[str, ...], name: str) -> bool:
    """Return whether a column, or a column for each dimension of `prefix*`, is present."""
    return bool(wide_columns(names, name)) if name.endswith("*") else name in names


def _give_hints(
    table: NamedTable, spec: DatasetSpec, missing: list[str], rule: NameRule
) -> Iterator[str]:
    if table.format == "csv":
        causes = list(_find_causes(table, spec, rule))
        yield from causes
        if any("dataset.csv." in cause for cause in causes):
            return
    yield from _find_disguised(table.names, spec, missing)
    known = [name for name in table.names if rule.shows(name)]
    for name in known:
        is_other = name in rule.known or reveal(name) != name
        meant = None if is_other else find_similar(name, missing)
        if meant:
            yield f"did you mean '{meant}'? --set 'dataset.aliases={{{name}: {meant}}}'"
    yield (
        f"the table has {pluralize(len(table.names), 'column')}: {rule.quote_all(table.names)}; "
        "name its columns, such as --set dataset.columns.target=COLUMN, or map renamed ones: "
        "--set 'dataset.aliases={COLUMN: NAME IN THE SETTINGS}'"
    )
    for role in ("timestamp", "id", "group"):
        if getattr(spec.columns, role) in missing:
            yield f"if the table has no such column: --set dataset.columns.{role}=null"
    if spec.columns.target in missing:
        command = f"pcc-job init {shlex.quote(table.uri)} --target COLUMN"
        yield f"`{command}` writes a settings file, where COLUMN has the labels"
    elif spec.columns.embeddings in missing:
        yield (
            "for a table of texts and labels, add "
            "--set 'features.use=[text]' --set expectations.suite=labelled_text"
        )


def _find_disguised(names: tuple[str, ...], spec: DatasetSpec, missing: list[str]) -> Iterator[str]:
    """Yield the alias for each name that is a missing one with invisible characters or blanks."""
    for name in names:
        plain = remove_invisible(name)
        meant = spec.aliases.get(plain, plain)
        if plain != name and meant in missing:
            alias = f"--set 'dataset.aliases={{{escape_for_yaml(name)}: {meant}}}'"
            remedy = _REMOVE_CONTROLS if _CONTROL.search(name) else alias  # no setting may have one
            yield f"'{reveal(name)}' is '{plain}' with {_describe_difference(name)}: {remedy}"


def _describe_difference(name: str) -> str:
    return "an invisible character" if any(map(is_invisible, name)) else "blanks around it"


def _find_causes(table: NamedTable, spec: DatasetSpec, rule: NameRule) -> Iterator[str]:
    """Yield questions about the file, and the settings or commands that help."""
    names, text = table.names, "\n".join(table.names)
    if "\0" in text:
        yield "is the file UTF-16? --set dataset.csv.encoding=utf-16"
        return
    if not text.isascii() and spec.csv.encoding not in ("auto", "utf-8"):
        yield f"is the file not {spec.csv.encoding}? --set dataset.csv.encoding=auto"
    if _BYTE_ORDER_MARK in text:
        yield (
            "has the file a second byte order mark? "
            r"`LC_ALL=C sed -i '1s/^\(\xEF\xBB\xBF\)*//' FILE` removes them"
        )
    others = [d for d in _DELIMITERS if d in text and d != table.delimiter]
    hidden = [d for d in others if any(map(rule.shows, re.split(f"[{re.escape(d)}\n]", text)))]
    if names and names[0].lower().startswith("sep="):
        yield "the first line is a note for Excel: `sed -i 1d FILE` removes it"
        return
    if not hidden and not any(map(rule.shows, names)):
        yield _ask_for_header(table, spec)
        # NOTE: one column may be a sign of a delimiter that was not found
        hidden = others if len(names) == 1 or spec.csv.delimiter != "auto" else []
    for delimiter in hidden:
        value = "tab" if delimiter == "\t" else delimiter
        yield f"is {show_delimiter(delimiter)} the delimiter? --set 'dataset.csv.delimiter={value}'"


def _ask_for_header(table: NamedTable, spec: DatasetSpec) -> str:
    question = (
        "is the header missing? the first line must be the names of the columns, in their order"
    )
    if table.encoding == "utf-16":  # a command for bytes would damage it
        return question
    delimiter = r"\t" if table.delimiter == "\t" else table.delimiter or ","
    columns = delimiter.join(name for name in (spec.columns.target, spec.columns.text) if name)
    return f"{question}: `sed -i '1i {columns}' FILE` adds such a line"
