"""The registry of published versions: resolve, compare, fetch, promote, roll back, prune.

The champion is the version that a channel points to, and that consumers of the channel use.
"""

from job.registry.anchors import list_anchors
from job.registry.channels import list_channels
from job.registry.fetch import check_copy, fetch_version
from job.registry.list_models import list_models
from job.registry.list_versions import list_versions
from job.registry.parse_file import parse_object
from job.registry.promotion import ManualMove, promote, promote_anchor
from job.registry.prune import prune_versions
from job.registry.read_version import read_metadata, read_verified, verify_files
from job.registry.resolve import (
    diff,
    list_anchor_history,
    list_history,
    resolve_version,
)
from job.registry.rollback import roll_back
from job.registry.runs import find_run, list_runs, read_run_report

__all__ = [
    "ManualMove",
    "check_copy",
    "diff",
    "fetch_version",
    "find_run",
    "list_anchor_history",
    "list_anchors",
    "list_channels",
    "list_history",
    "list_models",
    "list_runs",
    "list_versions",
    "parse_object",
    "promote",
    "promote_anchor",
    "prune_versions",
    "read_metadata",
    "read_run_report",
    "read_verified",
    "resolve_version",
    "roll_back",
    "verify_files",
]
