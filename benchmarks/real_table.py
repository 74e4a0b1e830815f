"""Read a real table like a run does: validated, with its near-duplicates grouped."""

from __future__ import annotations

import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from job.cli.commands.options import Options
from job.cli.composition import load_libraries, load_suite, make_copier, make_ports, open_store
from job.cli.progress import Progress
from job.contracts.dataset import Rows
from job.contracts.lineage_key import KeyRing
from job.contracts.plan import Plan
from job.contracts.ports import Ports
from job.pipeline.intake import find_near_duplicates, load_tables
from job.pipeline.run_context import RunContext
from job.recorder import Recorder
from job.registry.lineage_keys import LineageKeys


def read_table(uri: str, sets: list[str]) -> tuple[Plan, Ports, Rows]:
    """Return the plan, the ports and the rows for a run that only reads the table."""
    folder = Path(tempfile.mkdtemp())
    options = Options(dataset=uri, store=str(folder / "store"), sets=sets)
    settings = options.effective_settings().settings
    memory, copy, store = load_libraries(), make_copier(settings, folder), open_store(settings)
    plan = Plan(
        settings=settings,
        suite=load_suite(settings, copy),
        dataset_uri=uri,
        run_id="benchmark",
        started_at=datetime.now(UTC),
        is_dry_run=True,
        environment={},
    )
    progress = Progress()
    progress.begin_stage(plan.run_id)
    ports = make_ports(settings, store, progress, copy, memory=memory, folder=folder)
    recorder = Recorder(store, plan.run_id, time.perf_counter)
    keys = LineageKeys(store, KeyRing())
    context = RunContext(plan=plan, ports=ports, keys=keys, recorder=recorder)
    return plan, ports, find_near_duplicates(context, load_tables(context))[0].rows
