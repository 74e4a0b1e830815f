"""Write the settings file of `pcc-job init`: roles of the columns, and what was stated."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from job.cli.composition import open_store
from job.cli.init_roles import ROLE_WORDS, count_values, find_look
from job.contracts.messages import quote
from job.contracts.settings.addresses import local_path
from job.contracts.settings.job_settings import JobSettings
from job.errors import ConfigurationError, JobError, TransientError
from job.stages.data.find_roles import FoundRoles, Role

if TYPE_CHECKING:
    from job.cli.begin_table import TableHead
    from job.settings import EffectiveSettings

_SUGGESTED: Final[Mapping[Role, str]] = {
    "group": "rows with equal values stay together in every split, such as those of one person",
    "id": "identifies rows in label_issues.json",
}
_BARE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_YAML_WORDS: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_CARRIED: Final = ("dataset.csv.delimiter", "dataset.csv.encoding")


def choose_store(settings: JobSettings, table: str) -> str | None:
    """Return a folder named after the table if the default store has a champion of another table.

    A candidate cannot be compared with the champion of another table, and would be rejected.
    Return None to keep the store of the settings.
    """
    default = JobSettings().store.uri
    if settings.store.uri != default or not (local_path(default) / "channels").is_dir():
        return None
    if _names_of_tables(settings) <= {Path(table).name}:
        return None
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(table.rstrip("/")).name.partition(".")[0])
    return f"{default}-{stem.strip('-').lower() or 'own'}"


def _names_of_tables(settings: JobSettings) -> set[str]:
    """Return the file names of the champions' tables; a damaged champion has no name."""
    from job.registry import list_channels, read_metadata

    names = set()
    store = open_store(settings)
    try:
        for version in filter(None, list_channels(store).values()):
            names.add(Path(read_metadata(store, version).dataset.uri).name)
    except (JobError, ValueError):
        names.add("")
    return names


def write_settings(
    path: Path,
    found: FoundRoles,
    head: TableHead,
    effective: EffectiveSettings,
    store: str | None,
) -> None:
    """Write a settings file with the roles of the columns.

    Parameters
    ----------
    effective
        Its stated settings of the CSV file are written, too.
    store
        The store, if it differs from the default.

    Raises
    ------
    ConfigurationError
        The file exists with other content.
    TransientError
        The file cannot be written.
    """
    text = "\n".join(_format_settings(found, head, effective, store)) + "\n"
    try:
        if path.exists() and path.read_text(encoding="utf-8") != text:
            raise ConfigurationError(
                f"{quote(str(path))} already exists with other content",
                hint="choose another file with --out FILE, or remove it",
            )
        path.write_text(text, encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise TransientError(
            f"cannot write {quote(str(path))}",
            hint="choose a file in another folder with --out FILE",
        ) from error


def _format_settings(
    found: FoundRoles, head: TableHead, effective: EffectiveSettings, store: str | None
) -> Iterator[str]:
    yield "# Settings of pcc-training-job; everything else has its default."
    yield "# `pcc-job config show` lists all settings."
    yield "dataset:"
    yield f"  uri: {_format_text(head.uri)}"
    stated = [key for key in _CARRIED if key in effective.origins]
    if stated:
        yield "  csv:"
    for name in (key.rpartition(".")[2] for key in stated):
        yield f"    {name}: {_format_text(getattr(effective.settings.dataset.csv, name))}"
    if not found.is_upstream:
        yield from _format_columns(found, head)
    if store is not None:
        yield "# a store of its own, because the default store has the champion of another table"
        yield "store:"
        yield f"  uri: {_format_text(store)}"
    if not found.is_upstream:
        yield "# Features and expectation suite follow from the columns. A candidate must be better"
        yield "# than the majority class; minimum scores are yours to set:"
        yield "# gate:"
        yield "#   floors:"
        yield "#     f1_macro: 0.80"


def _format_columns(found: FoundRoles, head: TableHead) -> Iterator[str]:
    """Yield the lines of the roles; roles that are only suggested are comments."""
    yield "  columns:"
    for role in ROLE_WORDS:
        column = found.column(role)
        if column is not None:
            look = find_look(found, role)
            note = f"  # {count_values(look, head)}" if role == "target" and look else ""
            yield f"    {role}: {_format_text(column)}{note}"
    for role, note in _SUGGESTED.items():
        column = found.column(role)
        if column is not None:
            yield f"    # {note}:"
            yield f"    # {role}: {_format_text(column)}"


def _format_text(text: str) -> str:
    """Return a YAML text: as it is, or in quotes."""
    if _BARE.fullmatch(text) and text.lower() not in _YAML_WORDS:
        return text
    # NOTE: some characters that JSON leaves as they are end a line in YAML
    return json.dumps(text, ensure_ascii=not text.isprintable())
