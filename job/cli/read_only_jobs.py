"""The commands that look at data or judge a version, and publish nothing."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from job.cli.composition import (
    copier,
    find_suite,
    load_libraries,
    make_ports,
    open_store,
    working_folder,
)
from job.cli.run_job import dataset_uri
from job.logs import Progress
from job.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from job.contracts.plan import Plan
    from job.contracts.ports import ArtifactStore, Ports
    from job.contracts.settings.job_settings import JobSettings
    from job.settings import EffectiveSettings
    from job.signals import SignalWatcher


def validate_only(effective: EffectiveSettings, watch: SignalWatcher) -> dict[str, Any]:
    """Ingest and validate; the store is not touched."""
    from job.adapters.stores.directory import DirectoryStore

    store = DirectoryStore(Path(os.devnull))
    with _prepared(effective.settings, store, watch, "validate") as (plan, ports, recorder):
        from job.pipeline.intake import load_tables

        tables = load_tables(plan, ports, recorder)
    content: dict[str, Any] = tables.validation.to_json()
    return content


def gate_only(
    effective: EffectiveSettings, candidate: str, champion: str, watch: SignalWatcher
) -> dict[str, Any]:
    """Judge one version beside another; the store is only read."""
    from job.registry import resolve_version

    settings = effective.settings
    store = open_store(settings, must_exist=True)
    names = resolve_version(store, candidate), resolve_version(store, champion)
    with _prepared(settings, store, watch, "gate") as (plan, ports, recorder):
        from job.pipeline.judge_versions import judge_versions

        return judge_versions(plan, ports, recorder, *names)


@contextmanager
def _prepared(
    settings: JobSettings, store: ArtifactStore, watch: SignalWatcher, name: str
) -> Iterator[tuple[Plan, Ports, Recorder]]:
    """Make what a run has, for a command that leaves no record."""
    memory = load_libraries()
    from job.contracts.plan import Plan

    with Progress() as progress, working_folder() as folder:
        watch.set_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
        copy = copier(settings, folder)
        suite, uri = find_suite(settings, copy), dataset_uri(settings)
        plan = Plan(
            settings=settings,
            suite=suite,
            dataset_uri=uri,
            run_id=name,
            started_at=datetime.now(UTC),
            is_dry_run=True,
            environment={},
        )
        ports = make_ports(settings, store, progress, copy, memory=memory, folder=folder)
        yield plan, ports, Recorder(store, name, time.perf_counter, progress.begin_stage)
