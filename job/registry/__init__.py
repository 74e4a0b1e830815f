"""What one does with published versions: resolve, compare, fetch, promote, roll back."""

from job.registry.fetching import check_load, fetch
from job.registry.moves import promote, promote_anchor, roll_back
from job.registry.reading import (
    diff,
    list_anchor_history,
    list_history,
    read_metadata,
    resolve,
    verify,
)
from job.stages.anchors import list_anchors
from job.stages.channels import list_channels
from job.stages.prune import prune
from job.stages.versions import list_versions, read_verified

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
