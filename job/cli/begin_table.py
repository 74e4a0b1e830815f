"""Read the beginning of the table, and check what can be checked before the libraries are loaded.

A wrong path, header, setting, suite or store is reported within a second; the libraries of a run
take several.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from job.cli.composition import load_suite
from job.contracts.messages import quote
from job.contracts.settings.addresses import local_path, uri_scheme
from job.errors import ConfigurationError, DatasetNotFoundError
from job.settings.schema import AUTOMATIC
from job.stages.data.header import read_names
from job.stages.data.suite_binding import required_columns
from job.table_settings import (
    find_stated_roles,
    follow_columns,
    list_followed,
    list_stated_roles,
)

if TYPE_CHECKING:
    from job.contracts.settings.dataset import DatasetSpec
    from job.contracts.settings.job_settings import JobSettings
    from job.contracts.suites import Suite
    from job.contracts.table_preview import TablePreview
    from job.settings import EffectiveSettings

log = structlog.get_logger(__name__)
_INIT_FILE: Final = "job.yaml"  # what `pcc-job init` writes by default
_DEFAULT_URIS: Final = (
    "/data/curated_training_data.parquet",
    "/data/curated_training_data.csv",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableHead:
    """Address and preview of a table; `job.stages.data.header` checks the column names."""

    uri: str
    preview: TablePreview

    @property
    def format(self) -> str:
        """`csv` or `parquet`."""
        return self.preview.format

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in the order of the file."""
        return self.preview.names

    @property
    def delimiter(self) -> str | None:
        """What separates the cells of a CSV file; None for Parquet."""
        return self.preview.delimiter

    @property
    def encoding(self) -> str | None:
        """Encoding of a CSV file; None for Parquet."""
        return self.preview.encoding


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """The settings for the table, its expectation suite, and its address.

    `followed` has the keys of the settings that follow from the columns of the table.
    """

    settings: JobSettings
    suite: Suite
    uri: str
    followed: frozenset[str]


def begin_table(effective: EffectiveSettings, copy: Callable[[str], Path]) -> Beginning:
    """Complete the settings from the columns of the table, load the suite, and check the header.

    Raises
    ------
    DatasetNotFoundError, DatasetUnreadableError
        The table does not exist, or its beginning cannot be read.
    ContractViolationError
        Required columns are missing, or columns of roles that the settings state.
    ConfigurationError
        The suite does not exist, or the settings contradict each other.
    """
    uri = resolve_dataset_uri(effective.settings)
    if effective.settings.dataset.uri is None and not Path(uri).exists():
        raise DatasetNotFoundError(
            f"no table was named, and {quote(uri)} does not exist",
            hint="name a table with --dataset, or a settings file with --config"
            + (f", such as --config {_INIT_FILE}" if Path(_INIT_FILE).exists() else ""),
        )
    head = read_head(uri, effective.settings.dataset, copy)
    followed = follow_columns(effective, find_stated_roles(effective, head.preview))
    settings = followed.settings
    suite = load_suite(settings, copy)
    required = required_columns(suite, settings.dataset.columns, settings.features)
    required |= set(settings.evaluation.slices or ())
    required |= _find_stated_columns(effective)
    read_names(head, settings.dataset, required)
    keys = list_followed(followed)
    if keys:
        # what nobody has stated should not go unseen, unlike floors that a stated suite implies
        is_stated = keys.isdisjoint(AUTOMATIC)
        (log.info if is_stated else log.warning)(
            "settings_follow_the_table",
            features=list(settings.features.use),
            suite=settings.expectations.suite,
            min_rows=settings.dataset.min_rows,
            has_floors=any(settings.gate.floors.model_dump().values()),
            advice="state them for unattended runs: `pcc-job init` writes them to a file",
        )
    return Beginning(settings=settings, suite=suite, uri=uri, followed=keys)


def _find_stated_columns(effective: EffectiveSettings) -> set[str]:
    """Return the columns of the roles that the settings state, in use or not."""
    columns = effective.settings.dataset.columns
    names = (getattr(columns, role) for role in list_stated_roles(effective))
    return {name for name in names if name is not None}


def read_head(uri: str, spec: DatasetSpec, copy: Callable[[str], Path]) -> TableHead:
    """Return the beginning of the table at a path or URI; `copy` copies what is on S3."""
    from job.adapters.tables.preview import read_preview

    is_copied = uri_scheme(uri) == "s3"
    path = copy(uri) if is_copied else local_path(uri)
    label = uri if is_copied else str(path)
    preview = read_preview(path, label, spec.csv, known_names=spec.known_names, limits=spec.limits)
    return TableHead(uri=uri, preview=preview)


def check_store_folder(settings: JobSettings) -> None:
    """Raise `ConfigurationError` if the store is a folder in which this user cannot write."""
    if uri_scheme(settings.store.uri) != "file":
        return
    folder = local_path(settings.store.uri).absolute()
    existing = next((path for path in (folder, *folder.parents) if os.path.lexists(path)), folder)
    if not existing.is_dir():
        problem = f"{quote(str(existing))} is not a folder"
    elif not os.access(existing, os.W_OK | os.X_OK):
        problem = f"no permission to write in {quote(str(existing))}"
    else:
        _require_abilities(existing)
        return
    raise ConfigurationError(
        f"cannot use store {quote(settings.store.uri)}: {problem}",
        hint="use another folder with --store (store.uri), or change its permissions",
    )


def _require_abilities(folder: Path) -> None:
    """Test links and locks before a run works for hours; a full disk is found later."""
    from job.adapters.stores.folder_writes import require_abilities

    with contextlib.suppress(OSError):
        require_abilities(folder)


def resolve_dataset_uri(settings: JobSettings) -> str:
    """Return the location of the table: `dataset.uri`, or else the first existing default path.

    If no default path exists, return the first one.
    """
    if settings.dataset.uri is not None:
        return settings.dataset.uri
    return next((uri for uri in _DEFAULT_URIS if Path(uri).exists()), _DEFAULT_URIS[0])
