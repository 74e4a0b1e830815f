"""Find versions and channels by name, and read their content."""

from __future__ import annotations

from typing import Final

import structlog

from job.contracts.identity import is_version
from job.contracts.messages import quote_list
from job.contracts.ports import ArtifactStore
from job.contracts.reports.channel import ChannelMove
from job.contracts.reports.results import VersionDiff
from job.contracts.store_keys import anchor_pointer, is_channel, promote_command
from job.errors import ConfigurationError
from job.registry.anchors import list_anchors
from job.registry.channels import missing_channel, read_channel
from job.registry.history import N_NEWEST, list_entries, read_moves
from job.registry.list_versions import list_newest
from job.registry.metadata_diff import compare_metadata
from job.registry.publish import is_complete
from job.registry.read_version import read_metadata

log = structlog.get_logger(__name__)
_N_SHOWN: Final = 10


def resolve_version(store: ArtifactStore, name: str) -> str:
    """Return the version that a name stands for: a version's name, `latest` or a channel's name.

    Raises
    ------
    ConfigurationError
        No such version exists.
    """
    if is_version(name):
        found = name if is_complete(store, name) else None
    elif name == "latest":
        found = next(iter(list_newest(store, 1)), None)
    else:
        found = read_channel(store, name)[0] if is_channel(name) else None
    if found is None:
        newest = list_newest(store, _N_SHOWN)[::-1]
        raise ConfigurationError(
            f"no version or channel '{name}' in '{store.uri}'",
            hint="use a version or a channel; the newest versions: "
            f"{quote_list(newest) or 'none yet'}",
        )
    return found


def list_history(
    store: ArtifactStore, channel: str, *, shows_all: bool = False
) -> list[ChannelMove]:
    """Return the newest moves of a channel, oldest first.

    Parameters
    ----------
    shows_all
        Whether to return all moves; otherwise only the newest 50.

    Raises
    ------
    ConfigurationError
        The channel does not exist.
    """
    moves = _read_counted(store, channel, shows_all=shows_all)
    if not moves:
        raise missing_channel(store, channel)
    return moves


def list_anchor_history(
    store: ArtifactStore, channel: str, *, shows_all: bool = False
) -> list[ChannelMove]:
    """Return the newest moves of a channel's anchor, oldest first, as `list_history` does.

    Raises
    ------
    ConfigurationError
        The channel has no anchor.
    """
    pointer = anchor_pointer(channel)
    moves = _read_counted(store, pointer, shows_all=shows_all)
    if not moves:
        raise ConfigurationError(
            f"channel '{channel}' has no anchor in '{store.uri}'",
            hint="channels with an anchor: "
            f"{quote_list(sorted(list_anchors(store))) or 'none yet'}; "
            f"{promote_command(pointer, 'VERSION')} sets one",
        )
    return moves


def _read_counted(store: ArtifactStore, pointer: str, *, shows_all: bool) -> list[ChannelMove]:
    """Read moves, one request each; if a pointer has many moves, first log their number."""
    keys = list_entries(store, pointer)
    shown = keys if shows_all else keys[-N_NEWEST:]
    if len(keys) > N_NEWEST:
        advice = "" if shows_all else "--all reads and prints all of them"
        log.info("history_counted", n_moves=len(keys), n_requests=len(shown) + 1, advice=advice)
    return read_moves(store, pointer, shown)


def diff(store: ArtifactStore, before: str, after: str) -> VersionDiff:
    """Return the differences between the metadata of two versions, as in the report."""
    changed = compare_metadata(read_metadata(store, before), read_metadata(store, after))
    return VersionDiff(before=before, after=after, changed=changed)
