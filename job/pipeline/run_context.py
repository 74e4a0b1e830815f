"""The context of a run, which every step receives: plan, adapters, keys and recorder."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from job.contracts.plan import Plan
from job.contracts.ports import Ports
from job.contracts.settings.job_settings import JobSettings
from job.recorder import Recorder
from job.registry.lineage_keys import LineageKeys


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """What every stage of a run needs.

    Attributes
    ----------
    plan
        The settings, and where, when and why the run takes place.
    ports
        The store, the files and the libraries that the run uses.
    keys
        The secret keys with which the training rows are digested.
    recorder
        Measures the time of the stages, and writes the record of the run.
    """

    plan: Plan
    ports: Ports
    keys: LineageKeys
    recorder: Recorder

    @property
    def settings(self) -> JobSettings:
        """The settings of the plan."""
        return self.plan.settings

    def now(self) -> datetime:
        """Return the time: the start of the run plus the seconds since then."""
        return self.plan.started_at + timedelta(seconds=self.recorder.duration_seconds)

    def stage(self, name: str) -> AbstractContextManager[None]:
        """Time the `with` block as a stage of the run, and add the stage's name to log events."""
        return self.recorder.stage(name)
