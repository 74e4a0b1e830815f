"""Drift: the profile of a model's table, and the distance of later tables from this profile."""

from job.stages.drift.measures import measure_drift
from job.stages.drift.profile import TableProfile, build_profile, load_profile
from job.stages.drift.snapshot import TableSnapshot, take_snapshot

__all__ = [
    "TableProfile",
    "TableSnapshot",
    "build_profile",
    "load_profile",
    "measure_drift",
    "take_snapshot",
]
