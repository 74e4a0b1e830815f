"""Check that the parts of a folder belong together, and that none of them is there twice."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from job.adapters.tables.heads import read_head, split_rows
from job.adapters.tables.listing import same_part
from job.adapters.tables.parts import CsvPart, ParquetPart
from job.contracts.messages import quote
from job.errors import DatasetUnreadableError

_HEAD_BYTES: Final = 2**16
_PACKED: Final = re.compile(r"(?i)\.(?:gz|bz2|zst)$")


def check_parts(uri: str, root: Path, parts: Sequence[ParquetPart | CsvPart]) -> None:
    """Check the parts of a table, which may be a single file.

    Raises
    ------
    DatasetUnreadableError
        The parts have different columns, two of them have the same rows, or a column of the
        settings is in the names of folders only.
    """
    first = parts[0]
    for part in parts[1:]:
        if sorted(part.names) != sorted(first.names):
            raise DatasetUnreadableError(
                f"'{part.file.label}' does not have the same columns as '{first.file.label}'",
                hint="export all files of the folder with the same columns, or remove the others",
            )
    _check_partitions(uri, root, first)
    _refuse_copies(uri, root, parts)


def _check_partitions(uri: str, root: Path, part: ParquetPart | CsvPart) -> None:
    """Raise if a column of the settings is a part of folder names, as in `intent=delete/`."""
    folders = part.file.path.relative_to(root).parent.parts
    keys = {folder.partition("=")[0] for folder in folders if "=" in folder}
    lost = sorted((keys & part.file.known_names) - set(part.names))
    if lost:
        raise DatasetUnreadableError(
            f"column '{lost[0]}' of {quote(uri)} is only in the names of its folders, which the "
            "job does not read",
            hint="write the column into the files: with Spark, write without `partitionBy`; with "
            f"pandas: `pandas.read_parquet(FOLDER).astype({{'{lost[0]}': str}})"
            ".to_parquet('NEW.parquet')`",
        )


def _refuse_copies(uri: str, root: Path, parts: Sequence[ParquetPart | CsvPart]) -> None:
    """Raise if two parts have the same bytes, or differ in their compression only."""
    by_name: dict[Path, Path] = {}
    by_size: dict[int, list[ParquetPart | CsvPart]] = defaultdict(list)
    for part in parts:
        path = part.file.path
        twin = by_name.setdefault(path.with_name(_PACKED.sub("", path.name)), path)
        if twin is not path:
            raise same_part(uri, root, twin, path)
        by_size[path.stat().st_size].append(part)
    for alike in by_size.values():
        by_digest: dict[str, Path] = {}
        for part in (p for p in alike if len(alike) > 1 and not _is_empty(p)):
            twin = by_digest.setdefault(part.file.sha256(), part.file.path)
            if twin is not part.file.path:
                raise same_part(uri, root, twin, part.file.path)


def _is_empty(part: ParquetPart | CsvPart) -> bool:
    """Return whether a part has no rows; Spark writes many such parts, which are all equal."""
    if part.n_rows is not None:
        return part.n_rows == 0
    head, is_complete = read_head(part.file.path, _HEAD_BYTES)
    return is_complete and len(list(split_rows(head.decode("latin-1"), "\0"))) < 2
