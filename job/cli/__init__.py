"""The command line: the composition root, the one error boundary, the only exits."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from job import __version__
from job.errors import ExitCode, JobError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Retrain, judge and publish the privacy-intent classifier.",
)
models = typer.Typer(no_args_is_help=True, help="Published versions.")
config = typer.Typer(no_args_is_help=True, help="Effective settings, without a run.")
app.add_typer(models, name="models")
app.add_typer(config, name="config")

Config = Annotated[Path | None, typer.Option("--config", help="Settings file, YAML or JSON.")]
DatasetUri = Annotated[str | None, typer.Option("--dataset", help="Curated table.")]
StoreUri = Annotated[str | None, typer.Option("--store", help="Folder of the store.")]
Sets = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="One setting; VALUE is YAML.")
]
Output = Annotated[
    str | None, typer.Option("--output", help="json or table; by default as stdout is.")
]


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        typer.echo(f"pcc-job {__version__}")


@app.command("run")
def run_command(
    config: Config = None,
    dataset: DatasetUri = None,
    store: StoreUri = None,
    run_id: Annotated[
        str | None, typer.Option("--run-id", help="Name of the run; the same again is idempotent.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Everything but publishing.")] = False,
    set_: Sets = None,
    output: Output = None,
) -> None:
    """Train, judge and publish one model version."""
    from job.cli.wiring import run_job

    _print(run_job(_settings(config, dataset, store, set_), run_id, is_dry_run=dry_run), output)


@app.command("validate")
def validate_command(
    config: Config = None, dataset: DatasetUri = None, set_: Sets = None, output: Output = None
) -> None:
    """Hold the data against its expectations, nothing else."""
    from job.cli.wiring import validate_only

    _print(validate_only(_settings(config, dataset, None, set_)), output)


@app.command("sample-data")
def sample_data(
    path: Path,
    rows: Annotated[int, typer.Option(min=1)] = 6000,
    seed: Annotated[int, typer.Option(min=0)] = 7,
    format: Annotated[
        str | None, typer.Option(help="parquet or csv; by default as PATH ends.")
    ] = None,
) -> None:
    """Write a synthetic table of the upstream contract."""
    from job.errors import ConfigurationError
    from job.samples import write_sample

    chosen = format or ("csv" if path.suffix == ".csv" else "parquet")
    if chosen not in ("parquet", "csv"):
        raise ConfigurationError(f"no format '{chosen}'", hint="parquet or csv")
    write_sample(path, n_rows=rows, seed=seed, is_csv=chosen == "csv")
    typer.echo(f"wrote {rows} synthetic rows to {path}")


@models.command("list")
def models_list(store: StoreUri = None, output: Output = None) -> None:
    """List the complete versions and the channels that point to them."""
    from job.cli.wiring import open_store
    from job.registry import list_versions
    from job.stages.channels import read_channel

    found = open_store(_settings(None, None, store, None).settings)
    channels = sorted(
        {
            k.split("/")[1].removesuffix(".json")
            for k in found.keys("channels/")
            if k.count("/") == 1
        }
    )
    pointers = {c: read_channel(found, c)[0] for c in channels}
    _print({"store_uri": found.uri, "versions": list_versions(found), "channels": pointers}, output)


@models.command("show")
def models_show(version: str, store: StoreUri = None, output: Output = None) -> None:
    """Print a version's metadata."""
    from job.cli.wiring import open_store
    from job.registry import read_metadata, resolve

    found = open_store(_settings(None, None, store, None).settings)
    _print(read_metadata(found, resolve(found, version)), output)


@models.command("verify")
def models_verify(version: str, store: StoreUri = None, output: Output = None) -> None:
    """Compare every file of a version with its manifest."""
    from job.cli.wiring import open_store
    from job.registry import read_verified, resolve

    found = open_store(_settings(None, None, store, None).settings)
    name = resolve(found, version)
    _print({"version": name, "n_files": len(read_verified(found, name)), "is_intact": True}, output)


@models.command("fetch")
def models_fetch(
    version: str, directory: Path, store: StoreUri = None, output: Output = None
) -> None:
    """Copy a verified version into DIRECTORY/VERSION."""
    from job.cli.wiring import fetch, open_store
    from job.registry import resolve

    found = open_store(_settings(None, None, store, None).settings)
    name = resolve(found, version)
    _print({"version": name, "path": str(fetch(found, name, directory))}, output)


@config.command("show")
def config_show(config: Config = None, set_: Sets = None, output: Output = None) -> None:
    """Print each effective setting and where it came from."""
    from job.settings import known_keys

    effective = _settings(config, None, None, set_)
    content = effective.settings.model_dump(mode="json")
    rows = {}
    for key in known_keys():
        value: Any = content
        for part in key.split("."):
            value = value[part]
        rows[key] = {"value": value, "from": effective.origins.get(key, "default")}
    _print(rows, output)


@config.command("schema")
def config_schema() -> None:
    """Print the JSON Schema of the settings file."""
    from job.contracts.specs import JobSettings

    typer.echo(json.dumps(JobSettings.model_json_schema(), indent=2))


@config.command("check")
def config_check(config: Config = None, set_: Sets = None) -> None:
    """Check the settings, and nothing else."""
    _settings(config, None, None, set_)
    typer.echo("settings are valid")


def _settings(
    path: Path | None, dataset: str | None, store: str | None, sets: list[str] | None
) -> Any:
    from job.errors import ConfigurationError
    from job.logs import configure_logs
    from job.settings import load_settings, parse_value

    flags: list[tuple[str, str, Any]] = []
    if dataset is not None:
        flags.append(("dataset.uri", "--dataset", dataset))
    if store is not None:
        flags.append(("store.uri", "--store", store))
    for item in sets or ():
        key, equals, value = item.partition("=")
        if not equals:
            raise ConfigurationError(
                "--set takes KEY=VALUE", hint="as in --set 'features.use=[text]'"
            )
        flags.append(
            (key.strip(), f"--set {key.strip()}", parse_value(value, f"--set {key.strip()}"))
        )
    effective = load_settings(path, os.environ, flags)
    configure_logs(effective.settings.logs.level)
    return effective


def _print(result: Any, output: str | None) -> None:
    if output not in (None, "json", "table"):
        from job.errors import ConfigurationError

        raise ConfigurationError(f"no output form '{output}'", hint="json or table")
    if output == "json" or (output is None and not sys.stdout.isatty()):
        typer.echo(json.dumps(result, sort_keys=True, default=str))
        return
    for key, value in result.items():
        if isinstance(value, dict):
            typer.echo(f"{key}:")
            for name, inner in value.items():
                typer.echo(f"  {name:<24} {inner}")
        else:
            typer.echo(f"{key:<26} {value}")


def main() -> None:
    """Run the command line; every ending has its exit code."""
    try:
        app(standalone_mode=False)
    except JobError as error:
        if "result" in error.context:
            _print(error.context["result"], "json" if "json" in sys.argv else None)
        _complain(error.message, error.hint)
        raise SystemExit(error.exit_code) from None
    except (KeyboardInterrupt, typer.Abort):
        raise SystemExit(ExitCode.INTERRUPTED) from None
    except Exception as error:  # noqa: BLE001  # the one boundary
        if hasattr(error, "format_message"):  # typer's usage errors
            _complain(error.format_message(), "see --help")
            raise SystemExit(ExitCode.CONFIGURATION) from None
        import structlog

        structlog.get_logger(__name__).error(
            "run_crashed", error=type(error).__name__, frames=_frames(error)
        )
        raise SystemExit(ExitCode.UNFORESEEN) from None


def _frames(error: BaseException) -> list[str]:
    """Give where it happened, without messages or locals, which may hold rows of data."""
    import traceback

    return [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]


def _complain(message: str, hint: str) -> None:
    typer.echo(f"error: {message}" + (f"\nhint: {hint}" if hint else ""), err=True)
