"""The commands that move a channel, and the one that tells how it has moved."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from job.cli.options import Config, Output, Sets, StoreUri, Version
from job.cli.output import lay_out_columns, write_result
from job.cli.stores import open_configured
from job.errors import ConfigurationError

if TYPE_CHECKING:
    from job.contracts.specs import JobSettings

Channel = Annotated[
    str | None, typer.Option("--channel", help="Name of the channel; unset: publish.channel.")
]


def promote(
    version: Version,
    channel: Channel = None,
    expect: Annotated[
        str | None, typer.Option(help="Version that the channel must be at, or exit 7.")
    ] = None,
    config: Config = None,
    store: StoreUri = None,
    set_: Sets = None,
    output: Output = None,
) -> None:
    """Move a channel to a version, after verifying it."""
    from job import registry

    found, settings = open_configured(config, store, set_, output)
    target = _channel(channel, settings)
    name, now = registry.resolve(found, version), datetime.now(UTC)
    moved = registry.promote(found, target, name, at=now, by=_who(now), expect=expect)
    write_result(moved, output)


def rollback(
    channel: Channel = None,
    republish: Annotated[
        bool, typer.Option("--republish", help="Copy it under a newer name, for today's PCC.")
    ] = False,
    config: Config = None,
    store: StoreUri = None,
    set_: Sets = None,
    output: Output = None,
) -> None:
    """Move a channel back to the champion before the present one."""
    from job import registry

    found, settings = open_configured(config, store, set_, output)
    target, now = _channel(channel, settings), datetime.now(UTC)
    moved = registry.roll_back(found, target, at=now, by=_who(now), is_republished=republish)
    write_result(moved, output)


def history(
    channel: Channel = None,
    config: Config = None,
    store: StoreUri = None,
    set_: Sets = None,
    output: Output = None,
) -> None:
    """Print every move of a channel: who, when, from, to, why."""
    from job.registry import list_history

    found, settings = open_configured(config, store, set_, output)
    name = _channel(channel, settings)
    write_result({"channel": name, "moves": list_history(found, name)}, output, _lay_out_moves)


def _lay_out_moves(result: Mapping[str, Any]) -> list[str]:
    """Give one line a move, the latest last."""
    head = ("at", "from", "to", "by", "why")
    rows = ([move.get(name) for name in head] for move in result["moves"])
    return [f"channel {result['channel']}", *lay_out_columns(head, rows)]


def _who(now: datetime) -> str:
    """Name the person and the moment, for the history."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}-{now:%Y%m%dT%H%M%S%f}"


def _channel(name: str | None, settings: JobSettings) -> str:
    """Give the channel that is meant."""
    from job.contracts.stored import is_channel

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
