"""The commands for published versions."""

from __future__ import annotations

import uuid
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from job.cli.commands import channels
from job.cli.commands.help_text import OF_MOVES, OF_STORE, epilog
from job.cli.commands.options import All, Limit, Options, Version, takes_options
from job.cli.confirmation import ask, may_ask
from job.cli.layout import lay_out_columns
from job.cli.output import write_result
from job.cli.version_lines import lay_out_version
from job.contracts.messages import pluralize

if TYPE_CHECKING:
    from job.contracts.reports.results import PruneResult, VersionDiff


app = typer.Typer(
    no_args_is_help=True, help="List, compare, verify, promote and remove published versions."
)


@app.command("list", epilog=epilog("models list", "models list --limit 5", codes=OF_STORE))
@takes_options("config", "store", "sets", "output")
def list_models(limit: Limit = 20, show_all: All = False, *, options: Options) -> None:
    """List the newest complete versions, with their channels and anchors.

    Takes one request for each listed version, and a few more.
    """
    from job import registry
    from job.cli.list_tables import lay_out_models

    store = options.open_store()[0]
    result = registry.list_models(store, None if show_all else limit)
    write_result(result, options.output, lay_out_models)


@app.command("show", epilog=epilog("models show production -o yaml", codes=OF_STORE))
@takes_options("config", "store", "sets", "output")
def show(
    version: Version,
    *,
    options: Options,
) -> None:
    """Print the metadata of a version; on a terminal, its most important facts."""
    from job.contracts.version_files import METADATA_FILE
    from job.registry import parse_object, read_verified, resolve_version

    artifact_store = options.open_store()[0]
    name = resolve_version(artifact_store, version)
    # not parsed, because any release may have written it
    raw = read_verified(artifact_store, name)[METADATA_FILE]
    write_result(parse_object(f"{name}/{METADATA_FILE}", raw), options.output, lay_out_version)


@app.command("diff", epilog=epilog("models diff VERSION production", codes=OF_STORE))
@takes_options("config", "store", "sets", "output")
def diff(
    before: Version,
    after: Version,
    *,
    options: Options,
) -> None:
    """Print the differences between two versions: scores, settings and data."""
    from job import registry

    artifact_store = options.open_store()[0]
    names = [registry.resolve_version(artifact_store, name) for name in (before, after)]
    write_result(registry.diff(artifact_store, *names), options.output, _lay_out_differences)


def _lay_out_differences(result: VersionDiff) -> list[str]:
    """Return the lines of a table of differences, ordered as in the report: scores first."""
    if not result.changed:
        return ["no differences in the metadata"]
    changed = sorted(result.changed.items(), key=lambda item: not item[0].startswith("metrics."))
    rows = [
        (key, c.before, c.after, "" if c.difference is None else c.difference) for key, c in changed
    ]
    return lay_out_columns(("what", result.before, result.after, "difference"), rows)


@app.command("verify", epilog=epilog("models verify latest", codes=OF_STORE))
@takes_options("config", "store", "sets", "output")
def verify(version: Version, *, options: Options) -> None:
    """Check every file of a version against the digests in its manifest."""
    from job import registry
    from job.contracts.reports.results import VerifyResult

    artifact_store = options.open_store()[0]
    name = registry.resolve_version(artifact_store, version)
    n_files = registry.verify_files(artifact_store, name)
    write_result(VerifyResult(version=name, n_files=n_files, is_intact=True), options.output)


@app.command("load-check", epilog=epilog("models load-check latest", codes=OF_STORE))
@takes_options("config", "store", "sets", "output")
def load_check(
    context: typer.Context,
    version: Version,
    pickle: Annotated[
        bool,
        typer.Option(
            "--pickle",
            help="Load model.joblib, in a process without credentials that reads only what "
            "published models contain.",
        ),
    ] = False,
    *,
    options: Options,
) -> None:
    """Verify a version, and check that its model predicts: model.safetensors, or model.joblib."""
    from job.adapters.codecs.pickle_check import check_pickle
    from job.contracts.reports.results import LoadCheckResult
    from job.pipeline.load_check import check_plain_form
    from job.registry import check_copy, resolve_version

    artifact_store = options.open_store()[0]
    name = resolve_version(artifact_store, version)
    if pickle:
        check_copy(artifact_store, name, check_pickle, context.obj.set_cleanup)
    else:
        check_plain_form(artifact_store, name)
    file: Literal["model.joblib", "model.safetensors"] = (
        "model.joblib" if pickle else "model.safetensors"
    )
    write_result(LoadCheckResult(version=name, file=file, is_loadable=True), options.output)


@app.command("fetch", epilog=epilog("models fetch production ./out", codes=OF_STORE))
@takes_options("config", "store", "sets", "output")
def fetch(
    context: typer.Context,
    version: Version,
    directory: Annotated[
        Path, typer.Argument(help="Folder to copy to; the version gets its own folder in it.")
    ],
    *,
    options: Options,
) -> None:
    """Verify a version and copy it to DIRECTORY/VERSION."""
    from job import registry
    from job.contracts.reports.results import FetchResult

    artifact_store = options.open_store()[0]
    name = registry.resolve_version(artifact_store, version)
    path = registry.fetch_version(artifact_store, name, directory, context.obj.set_cleanup)
    write_result(FetchResult(version=name, path=str(path)), options.output)


app.command(
    "promote",
    epilog=epilog(
        "models promote VERSION --expect CURRENT --reason 'agreed with Ada'", codes=OF_MOVES
    ),
)(channels.promote)
app.command(
    "rollback", epilog=epilog("models rollback --reason 'too many errors'", codes=OF_MOVES)
)(channels.rollback)
app.command("history", epilog=epilog("models history --channel staging", codes=OF_STORE))(
    channels.history
)


@app.command("prune", epilog=epilog("models prune --keep 20 --dry-run", codes=OF_STORE))
@takes_options("config", "store", "sets", "reason", "yes", "output")
def prune(
    keep: Annotated[
        int | None,
        typer.Option(
            min=1, help="Number of newest versions to keep. Default: all complete versions."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be removed, and remove nothing.")
    ] = False,
    *,
    options: Options,
) -> None:
    """Remove abandoned work and, with --keep, old versions that no channel or anchor needs."""
    from job import registry

    reason = options.checked_reason()
    artifact_store, settings = options.open_store()
    before = artifact_store.read_clock() - timedelta(hours=settings.store.abandoned_after_hours)
    remove = partial(
        registry.prune_versions,
        artifact_store,
        before=before,
        keep=keep,
        token=uuid.uuid4().hex,
        anchor=settings.gate.anchor,
    )
    if not dry_run and may_ask(is_sure=options.yes):
        ask(_describe_removal(remove(is_dry_run=True)), is_sure=False)
    result = remove(is_dry_run=dry_run)
    if not dry_run:
        import structlog

        structlog.get_logger(__name__).info(
            "versions_pruned", versions=result.removed_versions, why=reason
        )
    write_result(result.copy_with(reason=reason), options.output)


def _describe_removal(result: PruneResult) -> str:
    parts = (
        pluralize(len(result.removed_versions), "version"),
        pluralize(len(result.removed_unfinished), "unfinished version"),
        pluralize(len(result.removed_uploads), "leftover"),
    )
    return f"remove {', '.join(parts)}?"
