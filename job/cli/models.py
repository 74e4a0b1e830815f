"""The commands about published versions."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from job.cli.options import Config, Output, Sets, StoreUri, effective_settings
from job.cli.output import check_form, write_result
from job.errors import ConfigurationError

if TYPE_CHECKING:
    from job.contracts.ports import ArtifactStore

app = typer.Typer(no_args_is_help=True, help="Published versions and the channels they are in.")
Version = Annotated[str, typer.Argument(help="A version, a channel, or `latest`.")]
Channel = Annotated[str, typer.Option("--channel", help="Name of the channel.")]


def _store(
    config: Path | None, store: str | None, sets: list[str] | None, output: str | None
) -> ArtifactStore:
    check_form(output)
    from job.cli.stores import open_store

    return open_store(effective_settings(config, None, store, sets).settings, must_exist=True)


@app.command("list")
def list_models(
    config: Config = None, store: StoreUri = None, set_: Sets = None, output: Output = None
) -> None:
    """List the complete versions and the channels that point to them."""
    from job.registry import list_channels, list_versions

    found = _store(config, store, set_, output)
    versions, channels = list_versions(found), list_channels(found)
    write_result({"store_uri": found.uri, "versions": versions, "channels": channels}, output)


@app.command("show")
def show(
    version: Version,
    config: Config = None,
    store: StoreUri = None,
    set_: Sets = None,
    output: Output = None,
) -> None:
    """Print a version's metadata."""
    from job.registry import read_metadata, resolve

    found = _store(config, store, set_, output)
    write_result(read_metadata(found, resolve(found, version)), output)


@app.command("diff")
def diff(
    before: Version,
    after: Version,
    config: Config = None,
    store: StoreUri = None,
    set_: Sets = None,
    output: Output = None,
) -> None:
    """Print what differs between two versions."""
    from job import registry

    found = _store(config, store, set_, output)
    names = [registry.resolve(found, name) for name in (before, after)]
    write_result(registry.diff(found, *names), output)


@app.command("verify")
def verify(
    version: Version,
    config: Config = None,
    store: StoreUri = None,
    set_: Sets = None,
    output: Output = None,
) -> None:
    """Compare every file of a version with its manifest."""
    from job.registry import read_verified, resolve

    found = _store(config, store, set_, output)
    name = resolve(found, version)
    n_files = len(read_verified(found, name))
    write_result({"version": name, "n_files": n_files, "is_intact": True}, output)


@app.command("load-check")
def load_check(
    version: Version,
    config: Config = None,
    store: StoreUri = None,
    set_: Sets = None,
    output: Output = None,
) -> None:
    """Load a verified version in a process of its own, and predict one row."""
    from job.registry import check_load, resolve

    found = _store(config, store, set_, output)
    write_result(check_load(found, resolve(found, version)), output)


@app.command("fetch")
def fetch(
    version: Version,
    directory: Annotated[Path, typer.Argument(help="Folder that gets DIRECTORY/VERSION.")],
    config: Config = None,
    store: StoreUri = None,
    set_: Sets = None,
    output: Output = None,
) -> None:
    """Copy a verified version into DIRECTORY/VERSION."""
    from job import registry

    found = _store(config, store, set_, output)
    name = registry.resolve(found, version)
    path = registry.fetch(found, name, directory)
    write_result({"version": name, "path": str(path)}, output)


@app.command("promote")
def promote(
    version: Version,
    channel: Channel = "production",
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

    _check_channel(channel)
    found = _store(config, store, set_, output)
    name, now = registry.resolve(found, version), datetime.now(UTC)
    moved = registry.promote(found, channel, name, at=now, by=_who(now), expect=expect)
    write_result(moved, output)


@app.command("rollback")
def rollback(
    channel: Channel = "production",
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

    _check_channel(channel)
    found, now = _store(config, store, set_, output), datetime.now(UTC)
    moved = registry.roll_back(found, channel, at=now, by=_who(now), is_republished=republish)
    write_result(moved, output)


@app.command("history")
def history(
    channel: Channel = "production",
    config: Config = None,
    store: StoreUri = None,
    set_: Sets = None,
    output: Output = None,
) -> None:
    """Print every move of a channel: who, when, from, to, why."""
    from job.registry import list_history

    _check_channel(channel)
    found = _store(config, store, set_, output)
    write_result({"channel": channel, "moves": list_history(found, channel)}, output)


@app.command("prune")
def prune(
    keep: Annotated[
        int | None, typer.Option(min=1, help="Keep only so many versions, the newest.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    config: Config = None,
    store: StoreUri = None,
    set_: Sets = None,
    output: Output = None,
) -> None:
    """Remove abandoned work, and with --keep old versions; never what a channel needs."""
    from job import registry

    check_form(output)
    from job.cli.stores import open_store

    settings = effective_settings(config, None, store, set_).settings
    before = datetime.now(UTC) - timedelta(hours=settings.store.abandoned_after_hours)
    found = open_store(settings, must_exist=True)
    write_result(registry.prune(found, before=before, keep=keep, is_dry_run=dry_run), output)


def _who(now: datetime) -> str:
    """Name the person and the moment, for the history."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}-{now:%Y%m%dT%H%M%S%f}"


def _check_channel(name: str) -> None:
    import re

    from job.contracts.specs import CHANNEL

    if not re.fullmatch(CHANNEL, name):
        raise ConfigurationError(
            f"'{name}' cannot be a channel",
            hint="channels have small letters, digits, '-' and '_', 63 at most",
        )
