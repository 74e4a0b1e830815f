"""What one does with published versions: resolve, compare, fetch, promote, roll back."""

from job.registry.anchors import list_anchors
from job.registry.channels import list_channels
from job.registry.fetch import check_load, fetch
from job.registry.promotion import promote, promote_anchor
from job.registry.prune import prune
from job.registry.resolve import (
    diff,
    list_anchor_history,
    list_history,
    read_metadata,
    resolve,
    verify,
)
from job.registry.rollback import roll_back
from job.registry.versions import list_versions, read_verified

__all__ = [
    "check_load",
    "diff",
    "fetch",
    "list_anchor_history",
    "list_anchors",
    "list_channels",
    "list_history",
    "list_versions",
    "promote",
    "promote_anchor",
    "prune",
    "read_metadata",
    "read_verified",
    "resolve",
    "roll_back",
    "verify",
]
