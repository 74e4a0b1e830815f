"""List the runs of a store, and read the report of a run that published no version.

How it works
------------
1. The names of runs say nothing about their time.  So all keys below `runs/` are listed, one
   request for each 1,000, and the records are sorted by the time at which they were written.
2. Only the records of the newest runs are read, one request each.
3. The report of a run is below `runs/RUN_ID/ATTEMPT/`; the highest attempt that has one is used.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Final, NamedTuple

from job.contracts.messages import quote
from job.contracts.ports import ArtifactStore
from job.contracts.reports.lists import ListedRun, RunList
from job.contracts.reports.run_record import RunRecord
from job.contracts.store_bounds import MAX_JSON_BYTES
from job.contracts.store_keys import is_key
from job.contracts.version_files import (
    EVALUATION_FILE,
    METADATA_FILE,
    REPORT_FILE,
    VALIDATION_FILE,
)
from job.errors import ConfigurationError, IntegrityError

_N_THREADS: Final = 4
_MAX_RUN_ID: Final = 200  # characters
_RECORD: Final = re.compile(r"runs/([^/]+)/([0-9]{1,9})\.json")


class _Attempt(NamedTuple):
    written_at: datetime
    run_id: str
    number: int


def list_runs(store: ArtifactStore, limit: int | None) -> RunList:
    """Return the latest attempts of the newest `limit` runs; None returns those of all runs."""
    latest: dict[str, _Attempt] = {}
    for key, info in store.entries("runs/"):
        if match := _RECORD.fullmatch(key):
            attempt = _Attempt(info.modified_at, match[1], int(match[2]))
            known = latest.get(attempt.run_id)
            if known is None or known.number < attempt.number:
                latest[attempt.run_id] = attempt
    shown = sorted(latest.values(), reverse=True)[:limit]
    with ThreadPoolExecutor(_N_THREADS) as pool:
        runs = tuple(pool.map(lambda attempt: _describe(store, attempt), shown))
    return RunList(store_uri=store.uri, runs=runs, is_complete=len(runs) == len(latest))


def _describe(store: ArtifactStore, attempt: _Attempt) -> ListedRun:
    record = _read_record(store, attempt.run_id, attempt.number)
    known = ListedRun(
        run_id=attempt.run_id, attempt=attempt.number, ended_at=attempt.written_at.isoformat()
    )
    if record is None:
        return known
    return known.copy_with(
        outcome=record.outcome,
        version=record.version,
        reason=record.reason or record.error or record.signal,
    )


def _read_record(store: ArtifactStore, run_id: str, attempt: int) -> RunRecord | None:
    """Return the record of an attempt; None if it does not exist or cannot be read."""
    try:
        raw = store.get(f"runs/{run_id}/{attempt}.json", max_bytes=MAX_JSON_BYTES)
        return None if raw is None else RunRecord.parse(raw)
    except (ValueError, IntegrityError):
        return None


def find_run(store: ArtifactStore, run_id: str) -> RunRecord | None:
    """Return the record of a run's latest attempt; None if the store has no readable one."""
    if "/" in run_id or len(run_id) > _MAX_RUN_ID or not is_key(run_id):
        return None
    numbers = _list_attempts(store, run_id)
    return _read_record(store, run_id, numbers[-1]) if numbers else None


def read_run_report(store: ArtifactStore, record: RunRecord) -> dict[str, bytes]:
    """Return the report of a run that published no version, and the files it is made of.

    Raises
    ------
    ConfigurationError
        No attempt of the run has stored a report.
    """
    names = (REPORT_FILE, METADATA_FILE, EVALUATION_FILE)
    for attempt in reversed(_list_attempts(store, record.run_id)):
        folder = f"runs/{record.run_id}/{attempt}"
        wanted = (*names, VALIDATION_FILE)  # absent if a release before it stored the run
        found = {name: store.get(f"{folder}/{name}", max_bytes=MAX_JSON_BYTES) for name in wanted}
        files = {name: data for name, data in found.items() if data is not None}
        if files.keys() >= set(names):
            return files
    why = f": {record.reason}" if record.reason else ""
    raise ConfigurationError(
        f"run {quote(record.run_id)} has no report; it ended as '{record.outcome}'{why}",
        hint="only runs whose candidate was evaluated have a report; `pcc-job runs list` shows "
        "the others with their reasons",
    )


def _list_attempts(store: ArtifactStore, run_id: str) -> list[int]:
    """Return the numbers of a run's attempts that have a record, in order."""
    matches = (_RECORD.fullmatch(name) for name in store.names(f"runs/{run_id}/"))
    return sorted(int(match[2]) for match in matches if match)
