"""Write the settings file of `pcc-job init`: roles of the columns, and what was stated."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import yaml

from job.adapters.small_files import UnusableFileError, read_small_file
from job.adapters.yaml_values import MAX_BYTES
from job.cli.composition import open_store
from job.cli.init_roles import ROLE_WORDS, count_values, find_look
from job.contracts.messages import quote
from job.contracts.settings.addresses import local_path
from job.contracts.settings.job_settings import JobSettings
from job.errors import ConfigurationError, JobError
from job.stages.data.find_roles import FoundRoles
from job.stages.data.usual_names import Role
from job.table_settings import follow_columns

if TYPE_CHECKING:
    from job.cli.begin_table import TableHead
    from job.settings import EffectiveSettings

_SUGGESTED: Final[Mapping[Role, str]] = {
    "group": "rows with equal values stay together in every split, such as those of one person",
    "id": "identifies rows in label_issues.json",
}
_BARE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_YAML_WORDS: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_WRITTEN: Final = ("features", "expectations")  # sections that are written by themselves


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
        What `--set` states in them is written, too.
    store
        The store, if it differs from the default.

    Raises
    ------
    ConfigurationError
        The file exists with other content, or cannot be written.
    """
    text = "\n".join(_format_settings(found, head, effective, store)) + "\n"
    try:
        if os.path.lexists(path):
            _require_equal(path, text.encode())
            return
        temporary = path.with_name(f".{path.name[:100]}.tmp")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise ConfigurationError(
            f"cannot write {quote(str(path))}: {error.strerror}",
            hint="choose another file with --out FILE",
        ) from error


def _require_equal(path: Path, data: bytes) -> None:
    """Raise if a file has other content than `data`, or if it is not a regular file."""
    try:
        present = read_small_file(path, MAX_BYTES)
    except UnusableFileError:
        present = b""
    if present != data:
        raise ConfigurationError(
            f"{quote(str(path))} already exists with other content",
            hint="choose another file with --out FILE, or remove it",
        )


def _format_settings(
    found: FoundRoles, head: TableHead, effective: EffectiveSettings, store: str | None
) -> Iterator[str]:
    yield "# Settings of pcc-training-job; everything else has its default."
    yield "# `pcc-job config show` lists all settings."
    stated = _list_stated(effective)
    yield "dataset:"
    yield f"  uri: {_format_text(head.uri)}"
    if not found.is_upstream:
        yield from _format_columns(found, head)
    yield from _format_section({"dataset": stated.pop("dataset", {})})[1:]
    if store is not None:
        yield "# a store of its own, because the default store has the champion of another table"
        yield "store:"
        yield f"  uri: {_format_text(store)}"
    if not found.is_upstream:
        followed = follow_columns(effective, _accept(found)).settings
        yield "features:"
        yield f"  use: [{', '.join(followed.features.use)}]"
        yield "expectations:"
        yield f"  suite: {_format_text(followed.expectations.suite)}"
        yield "# A candidate must be better than the majority class; set minimum scores if needed:"
        yield "# gate:"
        yield "#   floors:"
        yield "#     f1_macro: 0.80"
        stated = {name: stated[name] for name in stated if name not in _WRITTEN}
    for name, content in stated.items():
        yield from _format_section({name: content})


def _accept(found: FoundRoles) -> FoundRoles:
    """Return the roles as if the settings named them, because the file will."""
    roles = {role: replace(chosen, source="settings") for role, chosen in found.roles.items()}
    return replace(found, roles=roles, has_header=True)


def _list_stated(effective: EffectiveSettings) -> dict[str, dict[str, object]]:
    """Return the values that `--set` has stated, by section; those of the columns are written."""
    stated: dict[str, dict[str, object]] = {}
    content = effective.settings.model_dump(mode="json")
    for key, origin in sorted(effective.origins.items()):
        section, _, rest = key.partition(".")
        if not origin.startswith("--set") or key.startswith("dataset.columns.") or not rest:
            continue
        value: object = content[section]
        place = stated.setdefault(section, {})
        *parts, last = rest.split(".")
        for part in parts:
            assert isinstance(value, dict)
            value, place = value[part], place.setdefault(part, {})  # type: ignore[assignment]
        assert isinstance(value, dict)
        place[last] = value[last]
    return stated


def _format_section(content: Mapping[str, object]) -> list[str]:
    text = yaml.safe_dump(content, default_flow_style=False, allow_unicode=False, sort_keys=True)
    return text.splitlines()


def _format_columns(found: FoundRoles, head: TableHead) -> Iterator[str]:
    """Yield the lines of the roles; roles that are only suggested are comments."""
    yield "  columns:"
    for role in ROLE_WORDS:
        column = found.column(role)
        look = find_look(found, role)
        note = f"  # {count_values(look, head)}" if role == "target" and look else ""
        yield f"    {role}: {'null' if column is None else _format_text(column)}{note}"
    for role, note in _SUGGESTED.items():
        column = found.column(role)
        if column is not None:
            yield f"    # {note}:"
            yield f"    # {role}: {_format_text(column)}"


def _format_text(text: str) -> str:
    """Return a YAML text: as it is, or in quotes."""
    if _BARE.fullmatch(text) and text.lower() not in _YAML_WORDS:
        return text
    # NOTE: some characters that JSON leaves as they are end a line in YAML, or are forbidden there
    quoted = json.dumps(text, ensure_ascii=not text.isprintable())
    return quoted.replace("\x7f", r"\u007f")
