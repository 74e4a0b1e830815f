"""Drift: what is kept of a table beside a model, and how far the next table is from it."""

from job.stages.drift.measures import measure_drift
from job.stages.drift.profile import TableProfile, keep, load_profile
from job.stages.drift.snapshot import TableSnapshot, observe

__all__ = ["TableProfile", "TableSnapshot", "keep", "load_profile", "measure_drift", "observe"]
