"""Run the commands that validate a table or compare versions, and publish nothing."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from job.cli.begin_table import begin_table
from job.cli.composition import (
    load_libraries,
    make_copier,
    make_ports,
    open_store,
    working_folder,
)
from job.cli.lineage_keys import read_mounted_keys
from job.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from job.cli.progress import Progress
    from job.contracts.ports import ArtifactStore
    from job.contracts.reports.results import GateResult
    from job.contracts.reports.validation import ValidationReport
    from job.pipeline.run_context import RunContext
    from job.settings import EffectiveSettings
    from job.signals import SignalWatcher


def validate_only(
    effective: EffectiveSettings, watcher: SignalWatcher, progress: Progress
) -> ValidationReport:
    """Read and validate the table, without access to a store."""
    from job.adapters.stores.directory import DirectoryStore

    store = DirectoryStore(Path(os.devnull))
    with _read_only_run(effective, store, watcher, progress, "validate") as context:
        from job.pipeline.intake import load_tables

        tables = load_tables(context)
    return tables.validation


def gate_only(
    effective: EffectiveSettings,
    candidate: str,
    champion: str,
    watcher: SignalWatcher,
    progress: Progress,
) -> GateResult:
    """Run the gate on two published versions, without writing to the store."""
    from job.registry import resolve_version

    settings = effective.settings
    store = open_store(settings, must_exist=True)
    names = resolve_version(store, candidate), resolve_version(store, champion)
    with _read_only_run(effective, store, watcher, progress, "gate") as context:
        from job.pipeline.judge_versions import judge_versions

        return judge_versions(context, *names)


@contextmanager
def _read_only_run(
    effective: EffectiveSettings,
    store: ArtifactStore,
    watcher: SignalWatcher,
    progress: Progress,
    name: str,
) -> Iterator[RunContext]:
    """Provide the `RunContext` of a command; no record of the run is written."""
    with progress, working_folder() as folder:
        watcher.set_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
        recorder = Recorder(store, name, time.perf_counter, progress)
        with recorder.stage("loading"):
            copy = make_copier(effective.settings, folder)
            beginning = begin_table(effective, copy)
            memory, settings = load_libraries(), beginning.settings
            ports = make_ports(settings, store, progress, copy, memory=memory, folder=folder)
        from job.contracts.plan import Plan
        from job.pipeline.run_context import RunContext
        from job.registry.lineage_keys import LineageKeys

        plan = Plan(
            settings=settings,
            suite=beginning.suite,
            dataset_uri=beginning.uri,
            run_id=name,
            started_at=datetime.now(UTC),
            is_dry_run=True,
            environment={},
        )
        keys = LineageKeys(store, read_mounted_keys(settings, os.environ))
        yield RunContext(plan=plan, ports=ports, keys=keys, recorder=recorder)
