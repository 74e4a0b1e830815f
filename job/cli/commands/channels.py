"""The commands that move a channel or its anchor, or print their history."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from job.cli.commands.options import Options, Version, takes_options
from job.cli.confirmation import ask
from job.cli.output import write_result
from job.errors import ConfigurationError

if TYPE_CHECKING:
    from job.contracts.settings.job_settings import JobSettings

Channel = Annotated[
    str | None,
    typer.Option(
        "--channel", help="Name of the channel. Default: publish.channel in the settings."
    ),
]


DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Verify the version, print the move, and write nothing.")
]


@takes_options("config", "store", "sets", "reason", "yes", "output")
def promote(
    version: Version,
    channel: Channel = None,
    expect: Annotated[
        str | None,
        typer.Option(
            help="Version that the channel, or with --anchor its anchor, must be at now; "
            "otherwise exit with code 7."
        ),
    ] = None,
    anchor: Annotated[
        bool,
        typer.Option("--anchor", help="Move the anchor of the channel instead of the channel."),
    ] = False,
    dry_run: DryRun = False,
    *,
    options: Options,
) -> None:
    """Verify a version, and move a channel or its anchor to it."""
    from job import registry

    reason = options.checked_reason()
    artifact_store, settings = options.open_store()
    target = _choose_channel(channel, settings)
    name = registry.resolve_version(artifact_store, version)
    what = f"the anchor of channel '{target}'" if anchor else f"channel '{target}'"
    ask(f"move {what} to {name}?", is_sure=options.yes or dry_run)
    at = datetime.now(UTC)
    move = registry.promote_anchor if anchor else registry.promote
    by = _describe_user(at)
    manual = registry.ManualMove(at=at, by=by, expect=expect, reason=reason, is_dry_run=dry_run)
    write_result(move(artifact_store, target, name, manual), options.output)


@takes_options("config", "store", "sets", "reason", "yes", "output")
def rollback(
    channel: Channel = None,
    republish: Annotated[
        bool,
        typer.Option(
            "--republish",
            help="Also publish a copy with the newest name, for consumers that load the newest "
            "version instead of a channel.",
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Verify the previous champion, print the move, and write nothing; with "
            "--republish, `to` is the version that would be copied.",
        ),
    ] = False,
    *,
    options: Options,
) -> None:
    """Move a channel back to the previous champion."""
    from job import registry

    reason = options.checked_reason()
    artifact_store, settings = options.open_store()
    target = _choose_channel(channel, settings)
    ask(f"move channel '{target}' back to its previous version?", is_sure=options.yes or dry_run)
    at = datetime.now(UTC)
    result = registry.roll_back(
        artifact_store,
        target,
        at=at,
        by=_describe_user(at),
        is_republished=republish,
        is_dry_run=dry_run,
        reason=reason,
    )
    write_result(result, options.output)


@takes_options("config", "store", "sets", "output")
def history(
    channel: Channel = None,
    anchor: Annotated[
        bool, typer.Option("--anchor", help="Print the moves of the anchor of the channel.")
    ] = False,
    show_all: Annotated[
        bool,
        typer.Option("--all", help="Print all moves instead of the newest 50; one request each."),
    ] = False,
    *,
    options: Options,
) -> None:
    """Print the moves of a channel or its anchor: when, from, to, by whom and why."""
    from job.cli.list_tables import lay_out_moves
    from job.contracts.reports.results import AnchorHistory, ChannelHistory
    from job.registry import list_anchor_history, list_history
    from job.registry.history import N_NEWEST

    artifact_store, settings = options.open_store()
    name = _choose_channel(channel, settings)
    list_moves = list_anchor_history if anchor else list_history
    moves = tuple(list_moves(artifact_store, name, shows_all=show_all))
    title = f"{'anchor of ' if anchor else ''}channel {name}"
    if len(moves) >= N_NEWEST and not show_all:
        title += f": the newest {len(moves)} moves; --all prints all"
    result = (
        AnchorHistory(channel=name, anchor_moves=moves)
        if anchor
        else ChannelHistory(channel=name, moves=moves)
    )
    write_result(result, options.output, lambda _: lay_out_moves(title, moves))


def _describe_user(at: datetime) -> str:
    """Return `<user>-<time>`, which identifies a manual move in the history."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}-{at:%Y%m%dT%H%M%S%f}"


def _choose_channel(name: str | None, settings: JobSettings) -> str:
    """Return the channel of the option, or else of the settings; raise if neither names one."""
    from job.contracts.store_keys import is_channel

    chosen = name or settings.publish.channel
    if chosen is None:
        raise ConfigurationError(
            "no channel was given, and publish.channel is not set", hint="use --channel NAME"
        )
    if not is_channel(chosen):
        raise ConfigurationError(
            f"'{chosen}' is not a valid channel name",
            hint="use at most 63 lowercase letters, digits, '-' and '_'; the name must not be "
            "'latest' or look like a version",
        )
    return chosen
