"""Name and time each stage, and write the record of the run whether or not it succeeds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

import structlog

from job.contracts.ports import ArtifactStore, Timer
from job.contracts.reports.results import Outcome, RunDataset, RunResult
from job.contracts.reports.run_record import RecordedOutcome, RunRecord
from job.errors import JobError

log = structlog.get_logger(__name__)
P = ParamSpec("P")
R = TypeVar("R")


class Recorder:
    """Facts of one run, collected as they become known."""

    def __init__(
        self,
        store: ArtifactStore,
        run_id: str,
        timer: Timer,
        on_stage: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.store, self._run_id, self._timer = store, run_id, timer
        self._on_stage = on_stage
        self._started = timer()
        self._lock = threading.Lock()
        self.facts: dict[str, Any] = {"run_id": run_id}
        self.reports: dict[str, bytes] = {}
        self.stages: dict[str, float] = {}
        self.stage: str | None = None

    def run(self, name: str, stage: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a stage with its name bound to the log; add its seconds to `stages`."""
        self.stage = name
        self._on_stage(name)
        started = self._timer()
        with structlog.contextvars.bound_contextvars(stage=name):
            result = stage(*args, **kwargs)
        self.stages[name] = round(self.stages.get(name, 0.0) + self._timer() - started, 3)
        self.stage = None
        return result

    @property
    def duration_seconds(self) -> float:
        """Seconds since the run began."""
        return round(self._timer() - self._started, 3)

    def summarize(
        self, outcome: Outcome, version: str | None, scores: Mapping[str, float]
    ) -> RunResult:
        """Return the result of the run, as it is written to stdout."""
        dataset = self.facts["dataset"]
        return RunResult(
            run_id=self._run_id,
            outcome=outcome,
            version=version,
            store_uri=self.store.uri,
            scores=dict(scores),
            dataset=RunDataset(
                uri=dataset.uri,
                n_rows=dataset.n_rows,
                file_digest=dataset.file_digest,
                content_digest=dataset.content_digest,
            ),
            stages=dict(self.stages),
            duration_seconds=self.duration_seconds,
            override=self.facts.get("override"),
        )

    def write(self, outcome: RecordedOutcome, **facts: object) -> None:
        """Write `runs/<run_id>/<attempt>.json` once; a failure is logged and not raised."""
        if not self._lock.acquire(blocking=False):
            return
        record = {
            **self.facts,
            **facts,
            "outcome": outcome,
            "failed_stage": self.stage,
            "stages": dict(self.stages),
            "duration_seconds": self.duration_seconds,
        }
        # NOTE: a failure to write the record must not hide the failure that it describes
        try:
            attempt = 1
            while not self.store.put_if_absent(
                f"runs/{self._run_id}/{attempt}.json",
                RunRecord.model_validate({**record, "attempt": attempt}).to_bytes(),
            ):
                attempt += 1
            for name, data in sorted(self.reports.items()):
                self.store.put_if_absent(f"runs/{self._run_id}/{attempt}/{name}", data)
        except (JobError, ValueError) as error:
            log.warning("record_not_written", reason=type(error).__name__)
