"""The commands that move a channel or its anchor, and the one that prints their history."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from job.cli.commands.options import Options, Version, takes_options
from job.cli.output import lay_out_columns, write_result
from job.errors import ConfigurationError

if TYPE_CHECKING:
    from job.contracts.reports.channel import ChannelMove
    from job.contracts.settings.job_settings import JobSettings

Channel = Annotated[
    str | None, typer.Option("--channel", help="Name of the channel; unset: publish.channel.")
]


@takes_options("config", "store", "sets", "output")
def promote(
    version: Version,
    channel: Channel = None,
    expect: Annotated[
        str | None,
        typer.Option(help="Version that the channel (with --anchor: its anchor) is at, or exit 7."),
    ] = None,
    anchor: Annotated[
        bool, typer.Option("--anchor", help="Move the channel's anchor, and not the channel.")
    ] = False,
    *,
    options: Options,
) -> None:
    """Move a channel, or its anchor, to a version, after verifying it."""
    from job import registry

    artifact_store, settings = options.open_store()
    target = _choose_channel(channel, settings)
    name, at = registry.resolve_version(artifact_store, version), datetime.now(UTC)
    move = registry.promote_anchor if anchor else registry.promote
    result = move(artifact_store, target, name, at=at, by=_describe_user(at), expect=expect)
    write_result(result, options.output)


@takes_options("config", "store", "sets", "output")
def rollback(
    channel: Channel = None,
    republish: Annotated[
        bool, typer.Option("--republish", help="Copy it under a newer name, for today's PCC.")
    ] = False,
    *,
    options: Options,
) -> None:
    """Move a channel back to the champion before the present one."""
    from job import registry

    artifact_store, settings = options.open_store()
    target, at = _choose_channel(channel, settings), datetime.now(UTC)
    user = _describe_user(at)
    result = registry.roll_back(artifact_store, target, at=at, by=user, is_republished=republish)
    write_result(result, options.output)


@takes_options("config", "store", "sets", "output")
def history(
    channel: Channel = None,
    anchor: Annotated[
        bool, typer.Option("--anchor", help="Print the moves of the channel's anchor.")
    ] = False,
    *,
    options: Options,
) -> None:
    """Print every move of a channel, or of its anchor: who, when, from, to, why."""
    from job.contracts.reports.results import AnchorHistory, ChannelHistory
    from job.registry import list_anchor_history, list_history

    artifact_store, settings = options.open_store()
    name = _choose_channel(channel, settings)
    if anchor:
        moves = tuple(list_anchor_history(artifact_store, name))
        title = f"anchor of channel {name}"
        write_result(
            AnchorHistory(channel=name, anchor_moves=moves),
            options.output,
            lambda result: [title, *_lay_out_moves(result.anchor_moves)],
        )
    else:
        moves = tuple(list_history(artifact_store, name))
        write_result(
            ChannelHistory(channel=name, moves=moves),
            options.output,
            lambda result: [f"channel {name}", *_lay_out_moves(result.moves)],
        )


def _lay_out_moves(moves: Sequence[ChannelMove]) -> list[str]:
    """Return one line per move, the latest last."""
    rows = ((move.at, move.origin, move.to, move.by, move.why) for move in moves)
    return lay_out_columns(("at", "from", "to", "by", "why"), rows)


def _describe_user(at: datetime) -> str:
    """Return the user's name and the time, for the history."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}-{at:%Y%m%dT%H%M%S%f}"


def _choose_channel(name: str | None, settings: JobSettings) -> str:
    """Return the channel of the option, else of the settings; raise if there is none."""
    from job.contracts.store_keys import is_channel

    chosen = name or settings.publish.channel
    if chosen is None:
        raise ConfigurationError("no channel is named", hint="give --channel")
    if not is_channel(chosen):
        raise ConfigurationError(
            f"'{chosen}' cannot be a channel",
            hint="channels have small letters, digits, '-' and '_', 63 at most, and are not named "
            "'latest' or like a version",
        )
    return chosen
