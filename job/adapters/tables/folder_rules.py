"""Decide by their names which files of a folder are parts of the table; refuse what is unclear.

The names are those of a local folder or of the objects below an S3 prefix.

How it works
------------
1. Folders of table formats that need a reader of their own (Delta, Iceberg, Hudi) are refused:
   their files also hold rows that were deleted.
2. Folders that a program is still writing are refused.
3. Names that begin with `.` or `_` are left out, as Spark and Hive do; but a file that has such a
   name and the ending of a table is refused.
4. All other files must be tables of one format, except for documentation and checksums.
   Everything else could be a part of the table, and is named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Final

import structlog

from job.adapters.tables.formats import ENDINGS, suggest_conversion, table_format
from job.contracts.messages import quote, shorten
from job.errors import DatasetNotFoundError, DatasetUnreadableError, JobError

log = structlog.get_logger(__name__)

_EXPORT: Final = "export its current rows as Parquet into a new folder: "
# what gives a table format away, its name, and how its rows are exported
_FORMATS: Final = (
    (
        re.compile(r"(?:^|/)_delta_log(?:/|$)"),
        "a Delta table",
        f"{_EXPORT}`spark.read.format('delta').load(FOLDER).write.parquet(NEW)`",
    ),
    (
        re.compile(r"(?:^|/)metadata/[^/]*\.metadata\.json$"),
        "an Iceberg table",
        f"{_EXPORT}`spark.read.format('iceberg').load(FOLDER).write.parquet(NEW)`",
    ),
    (
        re.compile(r"(?:^|/)\.hoodie(?:/|$)"),
        "a Hudi table",
        f"{_EXPORT}`spark.read.format('hudi').load(FOLDER).write.parquet(NEW)`",
    ),
)
_UNFINISHED: Final = re.compile(
    r"(?:^|/)(?P<name>_temporary|\.spark-staging-[^/]*|\.hive-staging[^/]*)(?:/|$)"
)
_STARTED: Final = re.compile(r"(?:^|/)_started_(?P<id>[^/]+)$")
_HIDDEN: Final = re.compile(r"(?:^|/)[._]")
_HIDDEN_PART: Final = re.compile(r"(?i)(?:^|/)[._][^/]*\.(?:csv|tsv|parquet|pq)(?:\.[^/]*)?$")
# endings of files that are not complete yet
_IN_PROGRESS: Final = re.compile(
    r"(?i)\.(?:tmp|part|partial|filepart|crdownload|download|inprogress|_copying_|icloud)$"
)
# names of files that are known to have no rows of the table
_BOOKKEEPING: Final = re.compile(
    r"(?:^|/)(?:_SUCCESS|_metadata|_common_metadata|_(?:committed|started)_[^/]*|\.[^/]*\.crc"
    r"|\._[^/]*|\.DS_Store|\.gitkeep|\.keep|\.\.[^/]*|\.ipynb_checkpoints)(?:/|$)"
)
_DOCUMENTATION: Final = re.compile(
    r"(?i)(?:^|/)(?:readme|license|licence|changelog|(?:sha\d+|md5|check)sums?|thumbs\.db"
    r"|desktop\.ini)[^/]*$|\.(?:md|sha\d+|md5|metadata\.json)$"
)
_MAX_LABEL: Final = 1000


def select_parts(uri: str, names: Iterable[str]) -> tuple[str, ...]:
    """Return the sorted names of the files that are parts of the table.

    Parameters
    ----------
    uri
        Name of the folder in messages.
    names
        Paths relative to the folder, with `/`; the name of a folder ends with `/`.

    Raises
    ------
    DatasetNotFoundError
        No file is a part of a table.
    DatasetUnreadableError
        A file may or may not be a part, the folder has parts of both formats, or it is a folder of
        another table format.
    """
    known = sorted(names)
    _refuse_other_formats(uri, known)
    _refuse_unfinished(uri, known)
    files = [name for name in known if not name.endswith("/")]
    left_out = [n for n in known if _HIDDEN.search(n) and not _BOOKKEEPING.search(n)]
    hidden_part = next((n for n in left_out if _HIDDEN_PART.search(n)), None)
    if hidden_part is not None:
        raise _hidden_part(uri, hidden_part)
    visible = [name for name in files if not _HIDDEN.search(name)]
    formats = {name: table_format(PurePosixPath(name)) for name in visible}
    parts = [name for name in visible if formats[name] is not None]
    others = [n for n in visible if formats[n] is None and not _DOCUMENTATION.search(n)]
    if not parts:
        raise _no_parts(uri, others)
    if others:
        raise _unknown_file(uri, others[0], len(others))
    if len({formats[name] for name in parts}) > 1:
        raise DatasetUnreadableError(
            f"folder {quote(uri)} has both CSV and Parquet files; expected one format",
            hint="remove the files of one format, or use --dataset with a single file",
        )
    if left_out:
        log.warning("entries_left_out", n_entries=len(left_out), names_begin_with=["_", "."])
    return tuple(parts)


def label_part(uri: str, name: str) -> str:
    """Return the name of a part in messages, without the values of partitions (`key=value`).

    Without a `name`, it is the table itself.
    """
    inner = re.sub(r"=[^/]*(?=/)", "=...", name)
    return shorten(f"{uri.rstrip('/')}/{inner}" if name else uri, _MAX_LABEL)


def _refuse_other_formats(uri: str, names: list[str]) -> None:
    for mark, kind, hint in _FORMATS:
        if any(mark.search(name) for name in names):
            raise DatasetUnreadableError(
                f"folder {quote(uri)} is {kind}, whose files also hold deleted rows; expected a "
                "folder of Parquet or CSV files",
                hint=hint,
            )


def _refuse_unfinished(uri: str, names: list[str]) -> None:
    unfinished = next((m["name"] for n in names if (m := _UNFINISHED.search(n))), None)
    if unfinished is None:
        finished = "\n".join(names)
        started = (m["id"] for n in names if (m := _STARTED.search(n)))
        found = next((id_ for id_ in started if f"_committed_{id_}" not in finished), None)
        unfinished = None if found is None else f"_started_{found}"
    if unfinished is not None:
        raise DatasetUnreadableError(
            f"folder {quote(uri)} has {quote(unfinished)}: a program is still writing it, or was "
            "interrupted",
            hint="wait for the export, or repeat it into an empty folder",
        )


def _no_parts(uri: str, others: list[str]) -> JobError:
    command = suggest_conversion(others[0]) if others else None
    return DatasetNotFoundError(
        f"folder {quote(uri)} has no Parquet or CSV files",
        hint=f"convert them: `{command}`"
        if command
        else f"check --dataset (dataset.uri), or rename the files so that they end in {ENDINGS}",
    )


def _hidden_part(uri: str, name: str) -> JobError:
    return DatasetUnreadableError(
        f"{quote(label_part(uri, name))} looks like a part of the table, but names that begin with "
        "'.' or '_' are not read",
        hint="if it is a part, rename it; if not, move it out of the folder; if a program is still "
        "writing it, wait",
    )


def _unknown_file(uri: str, name: str, n_files: int) -> JobError:
    more = "" if n_files == 1 else f", and {n_files - 1} more"
    label = quote(label_part(uri, name))
    if _IN_PROGRESS.search(name):
        return DatasetUnreadableError(
            f"{label} is not complete: a program is still writing it, or was interrupted{more}",
            hint="wait for the export; if it was interrupted, remove the file and repeat the "
            "export",
        )
    command = suggest_conversion(name)
    remedy = f"convert it: `{command}`" if command else f"rename it to end in {ENDINGS}"
    return DatasetUnreadableError(
        f"{label} is in the folder of the table, but its name does not show whether it is CSV or "
        f"Parquet{more}",
        hint="if it is not a part of the table, move it out of the folder; if it is a part, "
        f"{remedy}",
    )
