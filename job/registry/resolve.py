"""Find versions and channels by name, and read their content."""

from __future__ import annotations

from job.contracts.messages import quote_list
from job.contracts.ports import ArtifactStore
from job.contracts.reports.channel import ChannelMove
from job.contracts.reports.results import VersionDiff
from job.contracts.store_keys import anchor_pointer, is_channel, promote_command
from job.errors import ConfigurationError
from job.registry.anchors import list_anchors
from job.registry.channels import list_channels, read_channel
from job.registry.history import read_moves
from job.registry.metadata_diff import compare_metadata
from job.registry.read_version import list_versions, read_metadata


def resolve_version(store: ArtifactStore, name: str) -> str:
    """Return the version that a name stands for: a version's name, `latest` or a channel's name.

    Raises
    ------
    ConfigurationError
        No such version exists.
    """
    versions = list_versions(store)
    if name in versions:
        return name
    if name == "latest" and versions:
        return versions[-1]
    champion = read_channel(store, name)[0] if is_channel(name) else None
    if champion is None:
        raise ConfigurationError(
            f"no version or channel '{name}' in '{store.uri}'",
            hint="use a version or a channel; versions: "
            f"{quote_list(versions[::-1]) or 'none yet'}",
        )
    return champion


def list_history(store: ArtifactStore, channel: str) -> list[ChannelMove]:
    """Return all moves of a channel, oldest first.

    Raises
    ------
    ConfigurationError
        The channel does not exist.
    """
    moves = read_moves(store, channel)
    if not moves:
        raise ConfigurationError(
            f"channel '{channel}' does not exist in '{store.uri}'",
            hint="use an existing channel; channels: "
            f"{quote_list(sorted(list_channels(store))) or 'none yet'}",
        )
    return moves


def list_anchor_history(store: ArtifactStore, channel: str) -> list[ChannelMove]:
    """Return all moves of a channel's anchor, oldest first.

    Raises
    ------
    ConfigurationError
        The channel has no anchor.
    """
    pointer = anchor_pointer(channel)
    moves = read_moves(store, pointer)
    if not moves:
        raise ConfigurationError(
            f"channel '{channel}' has no anchor in '{store.uri}'",
            hint="channels with an anchor: "
            f"{quote_list(sorted(list_anchors(store))) or 'none yet'}; "
            f"{promote_command(pointer, 'VERSION')} sets one",
        )
    return moves


def diff(store: ArtifactStore, before: str, after: str) -> VersionDiff:
    """Return the differences between the metadata of two versions, as in the report."""
    changed = compare_metadata(read_metadata(store, before), read_metadata(store, after))
    return VersionDiff(before=before, after=after, changed=changed)
