"""Drift: what is kept of a table beside a model, and how far the next table is from it."""

from job.stages.drift.measures import measure_drift
from job.stages.drift.profile import KeptTable, keep, load_kept
from job.stages.drift.snapshot import ObservedTable, observe

__all__ = ["KeptTable", "ObservedTable", "keep", "load_kept", "measure_drift", "observe"]
