"""The commands for the settings; they access neither data nor a store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer

from job.cli.commands.options import Options, takes_options
from job.cli.output import check_form, write_result, write_text

app = typer.Typer(no_args_is_help=True, help="Print or check the settings, without a run.")


@app.command("show")
@takes_options("config", "dataset", "store", "sets", "output")
def show(
    options: Options,
) -> None:
    """Print the value of each setting and where it comes from."""
    check_form(options.output)
    from job.settings import known_keys

    effective = options.effective_settings()
    content = effective.settings.model_dump(mode="json")
    rows = {}
    for key in known_keys():
        value: Any = content  # descends one level with each part of the key
        for part in key.split("."):
            value = value[part]
        rows[key] = {"value": value, "from": effective.origins.get(key, "default")}
    write_result(rows, options.output)


@app.command("schema")
def schema() -> None:
    """Print the JSON Schema of the settings file."""
    from job.settings.schema import settings_schema

    write_text(json.dumps(settings_schema(), indent=2))


@app.command("check")
@takes_options("config", "dataset", "store", "sets")
def check(
    options: Options,
) -> None:
    """Check the settings and the expectation suite as a run does, without reading data."""
    import tempfile

    from job.cli.composition import load_suite, make_copier

    effective = options.effective_settings()
    with tempfile.TemporaryDirectory(prefix="pcc-job-") as folder:
        suite = load_suite(effective.settings, make_copier(effective.settings, Path(folder)))
    from job.pipeline.intake import check_request

    check_request(effective.settings, suite)
    write_text("settings are valid")
