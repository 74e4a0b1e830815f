"""The commands about published versions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from job.cli.options import Output, StoreUri, effective_settings
from job.cli.output import check_form, write_result

if TYPE_CHECKING:
    from job.contracts.ports import ArtifactStore

app = typer.Typer(no_args_is_help=True, help="Published versions.")
Version = Annotated[str, typer.Argument(help="A version, a channel, or `latest`.")]


def _store(store: str | None, output: str | None) -> ArtifactStore:
    check_form(output)
    from job.cli.wiring import open_store

    return open_store(effective_settings(store=store).settings)


@app.command("list")
def list_models(store: StoreUri = None, output: Output = None) -> None:
    """List the complete versions and the channels that point to them."""
    from job.registry import list_channels, list_versions

    found = _store(store, output)
    versions, channels = list_versions(found), list_channels(found)
    write_result({"store_uri": found.uri, "versions": versions, "channels": channels}, output)


@app.command("show")
def show(version: Version, store: StoreUri = None, output: Output = None) -> None:
    """Print a version's metadata."""
    from job.registry import read_metadata, resolve

    found = _store(store, output)
    write_result(read_metadata(found, resolve(found, version)), output)


@app.command("verify")
def verify(version: Version, store: StoreUri = None, output: Output = None) -> None:
    """Compare every file of a version with its manifest."""
    from job.registry import read_verified, resolve

    found = _store(store, output)
    name = resolve(found, version)
    n_files = len(read_verified(found, name))
    write_result({"version": name, "n_files": n_files, "is_intact": True}, output)


@app.command("fetch")
def fetch(
    version: Version,
    directory: Annotated[Path, typer.Argument(help="Folder that gets DIRECTORY/VERSION.")],
    store: StoreUri = None,
    output: Output = None,
) -> None:
    """Copy a verified version into DIRECTORY/VERSION."""
    from job import registry

    found = _store(store, output)
    name = registry.resolve(found, version)
    path = registry.fetch(found, name, directory)
    write_result({"version": name, "path": str(path)}, output)
