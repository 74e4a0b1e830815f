"""What helps if a version that consumers or runs read is damaged or forged.

A run cannot replace a damaged champion: it has to compare its candidate with that version first.
"""

from __future__ import annotations

from typing import Final

_MOVE: Final = (
    "move each channel that points to it to another version: "
    "`pcc-job models promote VERSION --channel CHANNEL`"
)

RESTORE_VERSION: Final = f"restore the version from a backup, or {_MOVE}"
AVOID_VERSION: Final = f"do not use this version; find out who wrote it, and {_MOVE}"
"""Hint for a file that no run of this job has written, although its digest matches."""
RESTORE_LINEAGE: Final = (
    "restore the file from a backup; or delete it, and promote a candidate that cannot be compared "
    "with the version: `pcc-job run --override REASON`"
)
