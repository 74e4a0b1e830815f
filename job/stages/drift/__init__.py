"""Drift: the profile of a table, stored with a model, and how far later tables are from it."""

from job.stages.drift.measures import measure_drift
from job.stages.drift.profile import TableProfile, keep, load_profile
from job.stages.drift.snapshot import TableSnapshot, observe

__all__ = ["TableProfile", "TableSnapshot", "keep", "load_profile", "measure_drift", "observe"]
