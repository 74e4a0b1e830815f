"""Read and set the anchor of a channel: a fixed version that every candidate is compared with.

Each promotion may lose a little accuracy, and the gate cannot detect so small a loss.  If
candidates were compared with the champion only, many such losses could add up unnoticed.  A channel
has one pointer to its champion and a second pointer to its anchor.  Each of the two pointers has a
history.
"""

from __future__ import annotations

from job.contracts.ports import ArtifactStore
from job.contracts.store_keys import anchor_pointer, anchored_channel
from job.registry.channels import (
    MoveReason,
    create_pointer,
    list_pointers,
    move_channel,
    read_channel,
)


def read_anchor(store: ArtifactStore, channel: str) -> tuple[str | None, bytes | None]:
    """Return the version that is the anchor of a channel, and the bytes of the anchor's pointer.

    Both are None if the channel has no anchor.

    Raises
    ------
    IntegrityError
        The pointer is damaged.
    """
    return read_channel(store, anchor_pointer(channel))


def set_anchor(
    store: ArtifactStore,
    channel: str,
    version: str,
    *,
    expected: bytes | None,
    reason: MoveReason,
) -> bool:
    """Set the anchor of a channel, and return whether this call has set it.

    Parameters
    ----------
    expected
        The bytes of the anchor's pointer when the caller read it.  The anchor moves only if the
        pointer still has these bytes.  If the channel had no anchor, pass None: the pointer is
        created.  If another process has created it meanwhile, the result is False, unless that
        process belongs to the same run (the same `reason.by`) and has set the same version.

    Raises
    ------
    VersionConflictError
        Another run or operator has moved the anchor since, or `models prune` is removing the
        version.
    IntegrityError
        The pointer is damaged.
    """
    pointer = anchor_pointer(channel)
    if expected is None:
        return create_pointer(store, pointer, version, reason)
    move_channel(store, pointer, version, expected=expected, reason=reason)
    return True


def list_anchors(store: ArtifactStore) -> dict[str, str]:
    """Return the version of each channel's anchor, by channel."""
    channels = [anchored_channel(pointer) for pointer in list_pointers(store)]
    versions = {name: read_anchor(store, name)[0] for name in channels if name is not None}
    return {name: version for name, version in sorted(versions.items()) if version is not None}


def pointed_versions(store: ArtifactStore) -> set[str]:
    """Return the names of all versions to which a channel or an anchor points."""
    versions = {read_channel(store, pointer)[0] for pointer in list_pointers(store)}
    return {version for version in versions if version is not None}
