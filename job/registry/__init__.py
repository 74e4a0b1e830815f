"""The registry of published versions: resolve, compare, fetch, promote, roll back, prune.

The champion is the version that a channel points to, and that consumers of the channel use.
"""

from job.registry.anchors import list_anchors
from job.registry.channels import list_channels
from job.registry.fetch import check_copy, fetch_version
from job.registry.promotion import promote, promote_anchor
from job.registry.prune import prune_versions
from job.registry.read_version import list_versions, read_metadata, read_verified, verify_files
from job.registry.resolve import (
    diff,
    list_anchor_history,
    list_history,
    resolve_version,
)
from job.registry.rollback import roll_back

__all__ = [
    "check_copy",
    "diff",
    "fetch_version",
    "list_anchor_history",
    "list_anchors",
    "list_channels",
    "list_history",
    "list_versions",
    "promote",
    "promote_anchor",
    "prune_versions",
    "read_metadata",
    "read_verified",
    "resolve_version",
    "roll_back",
    "verify_files",
]
