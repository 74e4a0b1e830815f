"""Time the stages of a run, and write the run's record whether or not the run succeeds."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import structlog
from pydantic import ValidationError

from job.contracts.ports import ArtifactStore, Timer
from job.contracts.reports.origin import DatasetDescription
from job.contracts.reports.run_record import RecordedOutcome, RunRecord
from job.errors import JobError

log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class RunFacts:
    """Facts about one run that its record contains; None or empty until they are known.

    Attributes
    ----------
    datasets
        Origin of each table that was read, by the table's name in the record.
    digests
        Digests that identify the data and the settings, by their names in metadata.json.
    estimated_memory_bytes
        Estimated peak memory of the training.
    override
        Reason to publish a rejected candidate.
    """

    settings: Mapping[str, object] | None = None
    started_at: datetime | None = None
    settings_digest: str | None = None
    environment: Mapping[str, object] | None = None
    datasets: dict[str, DatasetDescription] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    estimated_memory_bytes: int | None = None
    override: str | None = None
    scores: Mapping[str, float] | None = None
    model_digest: str | None = None

    def to_json(self) -> dict[str, object]:
        """Return the known facts as keys and values of the record."""
        facts = {
            "settings": self.settings,
            "started_at": None if self.started_at is None else self.started_at.isoformat(),
            "settings_digest": self.settings_digest,
            "environment": self.environment,
            "estimated_memory_bytes": self.estimated_memory_bytes,
            "override": self.override,
            "scores": self.scores,
            "model_digest": self.model_digest,
        }
        known = {name: value for name, value in facts.items() if value is not None}
        return {**known, **self.datasets, **self.digests}


class StageObserver(Protocol):
    """What is told when a stage begins and when it ends without an error."""

    def begin_stage(self, name: str) -> None:
        """Receive the name of a stage that begins."""

    def end_stage(self, name: str, seconds: float) -> None:
        """Receive the name and the seconds of a stage that has ended."""


class Recorder:
    """Times the stages of one run, and collects its facts and reports.

    Attributes
    ----------
    reports
        Files to store with the record, by name.
    stages
        Seconds of each completed stage.
    running_stage
        Name of the stage that is running or has failed; None between stages.
    """

    def __init__(
        self,
        store: ArtifactStore,
        run_id: str,
        timer: Timer,
        observer: StageObserver | None = None,
    ) -> None:
        self.store, self._run_id, self._timer = store, run_id, timer
        self._observer = observer
        self._started = timer()
        self._lock = threading.Lock()
        self.facts = RunFacts()
        self.reports: dict[str, bytes] = {}
        self.stages: dict[str, float] = {}
        self.running_stage: str | None = None

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the name of a stage to log events, and the seconds of the `with` block to `stages`.

        If the block raises an error, the name stays in `running_stage`.
        """
        self.running_stage = name
        if self._observer is not None:
            self._observer.begin_stage(name)
        started = self._timer()
        with structlog.contextvars.bound_contextvars(stage=name):
            yield
        seconds = self._timer() - started
        self.stages[name] = round(self.stages.get(name, 0.0) + seconds, 3)
        self.running_stage = None
        if self._observer is not None:
            self._observer.end_stage(name, seconds)

    @property
    def duration_seconds(self) -> float:
        """Seconds since the run began."""
        return round(self._timer() - self._started, 3)

    def write(self, outcome: RecordedOutcome, **end: object) -> None:
        """Write `runs/<run_id>/<attempt>.json` and the reports.

        Only the first call writes.  If writing fails, the failure is logged and not raised.

        Parameters
        ----------
        end
            Facts about the end of the run, such as its exit code.
        """
        if not self._lock.acquire(blocking=False):
            return
        # NOTE: an error here must not replace the error of the run, which the record describes
        try:
            attempt, record = 1, self._make_record(outcome, end)
            while not self.store.put_if_absent(
                f"runs/{self._run_id}/{attempt}.json",
                record.model_copy(update={"attempt": attempt}).to_bytes(),
            ):
                attempt += 1
            for name, data in sorted(self.reports.items()):
                self.store.put_if_absent(f"runs/{self._run_id}/{attempt}/{name}", data)
        except (JobError, ValueError) as error:
            log.warning("record_not_written", reason=type(error).__name__)

    def _make_record(self, outcome: RecordedOutcome, end: Mapping[str, object]) -> RunRecord:
        """Return the record of this process; if a fact is invalid, leave out all facts."""
        course = {
            "run_id": self._run_id,
            "attempt": 1,
            "outcome": outcome,
            "failed_stage": self.running_stage,
            "stages": dict(self.stages),
            "duration_seconds": self.duration_seconds,
        }
        try:
            return RunRecord.model_validate({**self.facts.to_json(), **end, **course})
        except ValidationError as error:
            fields = sorted({str(problem["loc"][0]) for problem in error.errors()})
            log.error("record_incomplete", invalid_fields=fields)
            return RunRecord.model_validate(course)
