"""Start the pipeline of a run, and record how the run ends."""

from __future__ import annotations

import os
import re
import shutil
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from job.cli.begin_table import begin_table, check_store_folder
from job.cli.composition import (
    load_libraries,
    make_copier,
    make_ports,
    open_store,
    working_folder,
)
from job.cli.confirmation import check_reason
from job.cli.lineage_keys import read_mounted_keys
from job.cli.termination import write_termination_message
from job.contracts.identity import canonical_json
from job.contracts.machine_errors import explain_machine_error
from job.contracts.version_files import VALIDATION_FILE
from job.errors import (
    ConfigurationError,
    ContractViolationError,
    ExitCode,
    GateRejectedError,
    JobError,
)
from job.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from job.cli.progress import Progress
    from job.contracts.plan import Plan
    from job.contracts.ports import Ports
    from job.contracts.reports.results import RunResult
    from job.settings import EffectiveSettings
    from job.signals import SignalWatcher

log = structlog.get_logger(__name__)
_RUN_ID: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """Options of a run that are not settings.

    Attributes
    ----------
    override
        Reason to publish a candidate that the gate rejects; None if a rejected candidate must not
        be published.
    """

    run_id: str
    is_dry_run: bool
    override: str | None

    @classmethod
    def of(cls, run_id: str | None, *, is_dry_run: bool, override: str | None) -> RunRequest:
        """Create the request, with a random run id unless one is given.

        Raises
        ------
        ConfigurationError
            The run id or the reason is invalid, or `--override` is combined with a dry run.
        """
        name = uuid.uuid4().hex if run_id is None else run_id
        if not _RUN_ID.fullmatch(name):
            raise ConfigurationError(
                "--run-id is invalid: expected 1 to 200 letters, digits, '.', '_' and '-', not "
                "starting with '.'",
                hint="use another --run-id, or leave it out for a random one",
            )
        reason = _check_override(override, is_dry_run)
        return cls(run_id=name, is_dry_run=is_dry_run, override=reason)


def run_job(
    effective: EffectiveSettings,
    request: RunRequest,
    watcher: SignalWatcher,
    progress: Progress,
) -> RunResult:
    """Run the job, and write the run's record whether or not the run succeeds."""
    settings, run_id = effective.settings, request.run_id
    with progress, working_folder() as folder:
        recorder = Recorder(open_store(settings), run_id, time.perf_counter, progress)
        recorder.facts.settings = settings.model_dump(mode="json")
        recorder.facts.started_at = datetime.now(UTC)

        def clean_up() -> None:
            progress.stop()
            shutil.rmtree(folder, ignore_errors=True)

        watcher.set_cleanup(clean_up)
        watcher.on_signal = partial(_record_signal, recorder, run_id)
        with _recording_failures(recorder, run_id):
            mounted = read_mounted_keys(settings, os.environ)
            with recorder.stage("loading"):
                ports, plan = _prepare(effective, request, recorder, progress, folder)
            from job.pipeline import run
            from job.pipeline.run_context import RunContext
            from job.registry.lineage_keys import LineageKeys

            keys = LineageKeys(recorder.store, mounted)
            result = run(RunContext(plan=plan, ports=ports, keys=keys, recorder=recorder))
            _record_result(recorder, result)
    write_termination_message(
        result.outcome, ExitCode.OK, run_id=run_id, version=result.version, reason=result.reason
    )
    return result


def _record_result(recorder: Recorder, result: RunResult) -> None:
    """Write the record of a run that has ended with exit code 0, and log its end."""
    why = {} if result.reason is None else {"reason": result.reason}
    recorder.write(result.outcome, exit_code=0, version=result.version, **why)
    log.info(
        "run_finished",
        outcome=result.outcome,
        version=result.version,
        duration_seconds=result.duration_seconds,
    )


def _record_signal(recorder: Recorder, run_id: str, signal: str, code: ExitCode) -> None:
    recorder.write("ended", signal=signal, exit_code=int(code))
    log.warning("run_ended", signal=signal, exit_code=int(code), run_id=run_id)
    write_termination_message("ended", code, error=signal, run_id=run_id)


@contextmanager
def _recording_failures(recorder: Recorder, run_id: str) -> Iterator[None]:
    """Write the record of the run if the `with` block raises an error."""
    with structlog.contextvars.bound_contextvars(run_id=run_id):
        try:
            yield
        except GateRejectedError as error:
            error.run_id = run_id
            recorder.write("rejected", exit_code=int(error.exit_code), reason=error.message)
            raise
        except JobError as error:
            error.run_id, error.stage = run_id, recorder.running_stage
            if isinstance(error, ContractViolationError) and error.report is not None:
                report = error.report.to_json()
                recorder.reports = {VALIDATION_FILE: canonical_json(report)}
            recorder.write(
                "failed",
                exit_code=int(error.exit_code),
                error=type(error).__name__,
                reason=error.message,
            )
            raise
        except BaseException as error:
            failure = explain_machine_error(error)
            if failure is not None:
                failure.run_id, failure.stage = run_id, recorder.running_stage
                recorder.write(
                    "failed",
                    exit_code=int(failure.exit_code),
                    error=type(failure).__name__,
                    reason=failure.message,
                )
                raise failure from error
            recorder.write(
                "crashed", exit_code=int(ExitCode.UNFORESEEN), error=type(error).__name__
            )
            raise


def _prepare(
    effective: EffectiveSettings,
    request: RunRequest,
    recorder: Recorder,
    progress: Progress,
    folder: Path,
) -> tuple[Ports, Plan]:
    """Check table, suite and store, and load the libraries; return the adapters and the plan."""
    copy = make_copier(effective.settings, folder)
    beginning = begin_table(effective, copy)
    settings = beginning.settings
    recorder.facts.settings = settings.model_dump(mode="json")
    check_store_folder(settings)
    memory = load_libraries()
    from job.cli.environment import describe_environment
    from job.contracts.plan import Plan

    started_at = recorder.facts.started_at
    assert started_at is not None  # `run_job` sets it
    plan = Plan(
        settings=settings,
        suite=beginning.suite,
        dataset_uri=beginning.uri,
        run_id=request.run_id,
        started_at=started_at,
        is_dry_run=request.is_dry_run,
        environment=describe_environment(),
        attempt_id=uuid.uuid4().hex,
        override=request.override,
        followed=beginning.followed,
    )
    ports = make_ports(settings, recorder.store, progress, copy, memory=memory, folder=folder)
    return ports, plan


def _check_override(reason: str | None, is_dry_run: bool) -> str | None:
    """Return the reason of `--override` as one line; raise `ConfigurationError` if invalid."""
    if reason is None:
        return None
    text = check_reason(reason, "--override")
    if is_dry_run:
        raise ConfigurationError(
            "--override and --dry-run cannot be combined: one publishes, the other does not",
            hint="use only one of them",
        )
    return text
