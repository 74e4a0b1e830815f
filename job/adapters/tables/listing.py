"""List the files of a table, which is one file or a folder of files.

How it works
------------
1. A folder is walked with all its folders, through links, too.  What cannot be followed is refused:
   a link to nothing, a folder that may not be listed, a folder that contains itself.
2. `folder_rules` selects the parts by their names.
3. A file that the folder has twice, by links, is refused.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from job.adapters.tables.folder_rules import label_part, select_parts
from job.adapters.tables.formats import ENDINGS, suggest_conversion, table_format
from job.contracts.machine_errors import explain_open_files
from job.contracts.messages import quote
from job.errors import (
    ConfigurationError,
    DatasetNotFoundError,
    DatasetUnreadableError,
    JobError,
)


def list_files(uri: str, path: Path) -> tuple[Path, ...]:
    """Return the file at `path`, or the sorted parts of the folder; all have one format.

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
        The folder cannot be read as a whole, or it is not clear which of its files are parts.
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
    parts = tuple(path / name for name in select_parts(uri, _walk(uri, path, "", ())))
    _refuse_links_to_same(uri, path, parts)
    return parts


def _walk(uri: str, root: Path, inner: str, above: tuple[tuple[int, int], ...]) -> Iterator[str]:
    """Yield the paths below a folder, relative to the table's folder; `/` follows folders.

    Parameters
    ----------
    inner
        The folder, relative to `root`; empty or with a `/` at its end.
    above
        Device and inode of the folders that contain it.
    """
    try:
        found = (root / inner).stat()
        with os.scandir(root / inner) as scanned:
            entries = list(scanned)
    except OSError as error:
        raise _unlisted(uri, inner, error) from None
    here = (found.st_dev, found.st_ino)
    if here in above:
        raise DatasetUnreadableError(
            f"folder {quote(label_part(uri, inner))} contains itself by a link",
            hint="remove the link, or name the folder with the files in --dataset",
        )
    for entry in entries:
        name = f"{inner}{entry.name}"
        if entry.name.startswith((".", "_")):
            yield f"{name}/" if entry.is_dir(follow_symlinks=False) else name
        elif os.path.isdir(entry.path):  # noqa: PTH112  # False for every error
            yield f"{name}/"
            yield from _walk(uri, root, f"{name}/", (*above, here))
        else:
            _require_utf8(uri, name)
            _require_file(uri, name, entry)
            yield name


def _require_utf8(uri: str, name: str) -> None:
    """Raise if the name of a file is not UTF-8, because Arrow opens no such file."""
    try:
        name.encode()
    except UnicodeEncodeError:
        raise DatasetUnreadableError(
            f"the name of {quote(label_part(uri, name))} is not UTF-8",
            hint="rename the file; if it is a part of the table, keep its ending",
        ) from None


def _require_file(uri: str, name: str, entry: os.DirEntry[str]) -> None:
    """Raise if an entry is a link to nothing, a pipe or a device."""
    if os.path.isfile(entry.path):  # noqa: PTH113  # False for every error
        return
    is_link = entry.is_symlink()
    problem = "a link to a file that does not exist" if is_link else "a pipe or a device"
    if is_link and os.path.exists(entry.path):  # noqa: PTH110  # False for every error
        problem = "a link to a pipe or a device"
    raise DatasetUnreadableError(
        f"{quote(label_part(uri, name))} is {problem}",
        hint="repair or remove it; if it is a part of the table, export the table again",
    )


def _refuse_links_to_same(uri: str, root: Path, parts: tuple[Path, ...]) -> None:
    """Raise if two parts are the same file, by a link."""
    seen: dict[tuple[int, int], Path] = {}
    for part in parts:
        found = part.stat()
        first = seen.setdefault((found.st_dev, found.st_ino), part)
        if first is not part:
            raise same_part(uri, root, first, part)


def same_part(uri: str, root: Path, first: Path, second: Path) -> JobError:
    """Return the error about a part that a folder has twice."""
    names = (p.relative_to(root).as_posix() for p in (first, second))
    labels = " and ".join(quote(label_part(uri, name)) for name in names)
    return DatasetUnreadableError(
        f"the folder has the same part twice: {labels}",
        hint="remove one of them; if the rows are meant to be there twice, write them into one "
        "file",
    )


def _unlisted(uri: str, inner: str, error: OSError) -> JobError:
    label = quote(label_part(uri, inner))
    if isinstance(error, PermissionError):
        return DatasetUnreadableError(
            f"no permission to list the folder {label}",
            hint="check the permissions of the folder; the table is read as a whole or not at all",
        )
    return explain_open_files(error) or DatasetUnreadableError(
        f"the folder {label} cannot be listed: {error.strerror}",
        hint="check the file system, and whether another program changes the folder",
    )


def _require_known_ending(uri: str, path: Path) -> None:
    if table_format(path) is None:
        command = suggest_conversion(path.name)
        raise ConfigurationError(
            f"the name of '{uri}' does not show whether it is CSV or Parquet",
            hint=f"convert it: `{command}`"
            if command
            else f"rename it so that it ends in {ENDINGS}",
        )


def label_file(uri: str, root: Path, path: Path) -> str:
    """Return the name of a file in messages, without the values of partitions (`key=value`)."""
    return label_part(uri, "" if path == root else path.relative_to(root).as_posix())
