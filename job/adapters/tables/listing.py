"""List the files of a table, which is one file or a folder of files."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from job.adapters.tables.formats import ENDINGS, suggest_conversion, table_format
from job.contracts.messages import quote, shorten
from job.errors import ConfigurationError, DatasetNotFoundError, DatasetUnreadableError

_MAX_LABEL: Final = 1000


def list_files(uri: str, path: Path) -> tuple[Path, ...]:
    """Return the file at `path`, or the sorted tables of the folder; all have one format.

    Parameters
    ----------
    uri
        Name of the table in messages.

    Raises
    ------
    ConfigurationError
        The file has an unknown file name extension.
    DatasetNotFoundError
        There is no such file, or the folder has no table.
    DatasetUnreadableError
        The folder has tables of both formats.
    """
    if not os.path.exists(path):  # noqa: PTH110  # False for every error
        raise DatasetNotFoundError(
            f"file {quote(uri)} does not exist",
            hint="check --dataset (dataset.uri), and whether the upstream export has finished",
        )
    if path.is_file():
        _require_known_ending(uri, path)
        return (path,)
    if not path.is_dir():
        raise DatasetNotFoundError(
            f"{quote(uri)} is a pipe or a device, not a file or folder",
            hint="check --dataset (dataset.uri), and write the table to a file",
        )
    return _list_folder(uri, path)


def _list_folder(uri: str, path: Path) -> tuple[Path, ...]:
    """Return the sorted tables of a folder, which have one format."""
    files = [p for p in path.rglob("*") if p.is_file() and not _is_hidden(p, path)]
    parts = tuple(sorted(p for p in files if table_format(p) is not None))
    if not parts:
        raise DatasetNotFoundError(
            f"folder '{uri}' has no Parquet or CSV files",
            hint="check --dataset (dataset.uri), or rename the files so that they end in "
            f"{ENDINGS}",
        )
    if len({table_format(p) for p in parts}) > 1:
        raise DatasetUnreadableError(
            f"folder '{uri}' has both CSV and Parquet files; expected one format",
            hint="remove the files of one format, or use --dataset with a single file",
        )
    return parts


def _require_known_ending(uri: str, path: Path) -> None:
    if table_format(path) is None:
        command = suggest_conversion(path.name)
        raise ConfigurationError(
            f"the name of '{uri}' does not show whether it is CSV or Parquet",
            hint=f"convert it: `{command}`"
            if command
            else f"rename it so that it ends in {ENDINGS}",
        )


def _is_hidden(path: Path, root: Path) -> bool:
    return any(name.startswith((".", "_")) for name in path.relative_to(root).parts)


def label_file(uri: str, root: Path, path: Path) -> str:
    """Return the name of a file in messages, without the values of partitions (`key=value`)."""
    if path == root:
        return shorten(uri, _MAX_LABEL)
    inner = re.sub(r"=[^/]*(?=/)", "=...", path.relative_to(root).as_posix())
    return shorten(f"{uri.rstrip('/')}/{inner}", _MAX_LABEL)
