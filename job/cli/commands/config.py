"""The commands for the settings; they access neither data nor a store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from job.cli.commands.help_text import OF_SETTINGS, epilog
from job.cli.commands.options import Options, takes_options
from job.cli.layout import lay_out_columns
from job.cli.output import check_form, write_result, write_text

app = typer.Typer(no_args_is_help=True, help="Print or check the settings, without a run.")


@app.command(
    "show",
    epilog=epilog("config show --changed", "config show -o yaml", codes=OF_SETTINGS),
)
@takes_options("config", "dataset", "store", "sets", "output")
def show(
    changed: Annotated[
        bool, typer.Option("--changed", help="Only the settings that are not at their default.")
    ] = False,
    *,
    options: Options,
) -> None:
    """Print the value of each setting and where it comes from."""
    check_form(options.output)
    from job.settings import known_keys
    from job.settings.schema import AUTOMATIC

    effective = options.effective_settings()
    content = effective.settings.model_dump(mode="json")
    rows = {}
    for key in known_keys():
        value: Any = content  # descends one level with each part of the key
        for part in key.split("."):
            value = value[part]
        origin = effective.origins.get(key, "default")
        if key in AUTOMATIC and origin == "default":
            value = "auto"  # follows from the table, which is not read here
        if not changed or origin != "default":
            rows[key] = {"value": value, "from": origin}
    write_result(rows, options.output, _lay_out_settings)


def _lay_out_settings(rows: Mapping[str, Mapping[str, object]]) -> list[str]:
    if not rows:
        return ["every setting has its default"]
    cells = [(key, row["value"], row["from"]) for key, row in rows.items()]
    return lay_out_columns(("setting", "value", "from"), cells)


@app.command("schema", epilog=epilog("config schema", codes=OF_SETTINGS))
def schema() -> None:
    """Print the JSON Schema of the settings file."""
    from job.settings.schema import settings_schema

    write_text(json.dumps(settings_schema(), indent=2))


@app.command("check", epilog=epilog("config check --config job.yaml", codes=OF_SETTINGS))
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
