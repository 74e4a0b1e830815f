"""The context of a run, which every step receives: plan, adapters, keys and recorder."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

from job.contracts.plan import Plan
from job.contracts.ports import Ports
from job.contracts.settings.job_settings import JobSettings
from job.recorder import Recorder
from job.registry.lineage_keys import LineageKeys


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """The plan of a run (with its settings), its adapters and lineage keys, and its recorder."""

    plan: Plan
    ports: Ports
    keys: LineageKeys
    recorder: Recorder

    @property
    def settings(self) -> JobSettings:
        """The settings of the plan."""
        return self.plan.settings

    def stage(self, name: str) -> AbstractContextManager[None]:
        """Time the `with` block as a stage of the run, and add the stage's name to log events."""
        return self.recorder.stage(name)
