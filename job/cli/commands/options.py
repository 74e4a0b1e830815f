"""The options that commands share, and the settings that result from them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from job.cli.composition import open_store
from job.cli.output import check_form

if TYPE_CHECKING:
    from job.contracts.ports import ArtifactStore
    from job.contracts.settings.job_settings import JobSettings
    from job.settings import EffectiveSettings

Config = Annotated[Path | None, typer.Option("--config", help="Settings file, YAML or JSON.")]
DatasetUri = Annotated[
    str | None, typer.Option("--dataset", help="Curated table: a path or s3:// URI.")
]
StoreUri = Annotated[
    str | None, typer.Option("--store", help="Store: a folder, or s3://bucket/prefix.")
]
Sets = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="One setting; VALUE is YAML.")
]
Version = Annotated[str, typer.Argument(help="A version, a channel, or `latest`.")]
Output = Annotated[
    str | None, typer.Option("--output", help="json or table; by default as stdout is.")
]


def effective_settings(
    config: Path | None = None,
    dataset: str | None = None,
    store: str | None = None,
    sets: list[str] | None = None,
) -> EffectiveSettings:
    """Merge all sources of settings, and configure the log accordingly.

    Raises
    ------
    ConfigurationError
        A source cannot be read, or has an unknown key or an invalid value.
    """
    from job.errors import ConfigurationError
    from job.logs import configure_logs
    from job.settings import load_settings, parse_value

    flags: list[tuple[str, str, Any]] = []
    for item in sets or ():
        key, equals, value = item.partition("=")
        if not equals:
            raise ConfigurationError(
                "--set takes KEY=VALUE", hint="as in --set 'features.use=[text]'"
            )
        flag = f"--set {key.strip()}"
        flags.append((key.strip(), flag, parse_value(value, flag)))
    if dataset is not None:
        flags.append(("dataset.uri", "--dataset", dataset))
    if store is not None:
        flags.append(("store.uri", "--store", store))
    effective = load_settings(config, os.environ, flags)
    configure_logs(effective.settings.logs.level)
    return effective


def open_configured(
    config: Path | None, store: str | None, sets: list[str] | None, output: str | None
) -> tuple[ArtifactStore, JobSettings]:
    """Open the existing store that a command's options name; return it with the settings."""
    check_form(output)
    settings = effective_settings(config, None, store, sets).settings
    return open_store(settings, must_exist=True), settings
