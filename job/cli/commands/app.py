"""The application: its commands in groups; doctor and sample-data are defined here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from job import __version__
from job.cli.commands import config, explain, init, lineage, models, predict, report, run, runs
from job.cli.commands.help_text import (
    JUDGE,
    OF_MOVES,
    OF_SETTINGS,
    OF_STORE,
    OF_TABLE,
    SETTINGS,
    TRAIN,
    VERSIONS,
    epilog,
)
from job.cli.commands.options import Options, takes_options
from job.cli.output import check_form, write_result, write_text
from job.errors import ExitCode

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Retrain, evaluate and publish the classifier of privacy requests.",
)
app.command(
    "init",
    rich_help_panel=TRAIN,
    epilog=epilog(
        "init curated.csv",
        "init curated.csv --target label --out curated.yaml",
        codes=OF_TABLE,
    ),
)(init.init)
app.command(
    "run",
    rich_help_panel=TRAIN,
    epilog=epilog(
        "run --dataset curated.parquet --store ./models",
        "run --dry-run --set split.salt=2",
        codes=(*OF_TABLE[:4], ExitCode.TRAINING, ExitCode.GATE_REJECTED, *OF_MOVES[2:]),
    ),
)(run.run)
app.command(
    "validate",
    rich_help_panel=TRAIN,
    epilog=epilog("validate --dataset curated.parquet", codes=OF_TABLE),
)(run.validate)
app.command(
    "gate",
    rich_help_panel=JUDGE,
    epilog=epilog(
        "gate CANDIDATE CHAMPION --dataset new.parquet",
        codes=(*OF_TABLE[:4], ExitCode.GATE_REJECTED, *OF_STORE[2:]),
    ),
)(run.gate)
app.command(
    "report",
    rich_help_panel=JUDGE,
    epilog=epilog("report latest --open", "report RUN_ID --to rejected.html", codes=OF_STORE),
)(report.report)
app.command(
    "predict",
    rich_help_panel=JUDGE,
    epilog=epilog(
        "predict production 'please delete my account'",
        "predict production --dataset new.csv --out predicted.csv",
        codes=(*OF_TABLE[:4], *OF_STORE[2:]),
    ),
)(predict.predict)
app.command(
    "explain",
    rich_help_panel=JUDGE,
    epilog=epilog("explain production opt_out --top 20", codes=OF_STORE),
)(explain.explain)
app.add_typer(models.app, name="models", rich_help_panel=VERSIONS)
app.add_typer(runs.app, name="runs", rich_help_panel=VERSIONS)
app.add_typer(lineage.app, name="lineage", rich_help_panel=VERSIONS)
app.add_typer(config.app, name="config", rich_help_panel=SETTINGS)


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"pcc-job {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    pass


@app.command(
    "doctor",
    rich_help_panel=VERSIONS,
    epilog=epilog("doctor --store s3://bucket/pcc-models", codes=OF_STORE),
)
@takes_options("config", "store", "sets", "output")
def doctor(*, options: Options) -> None:
    """Test whether the store supports all operations that a run needs, and check the keys."""
    check_form(options.output)
    from job.cli.check_store import describe_missing_abilities, probe_store
    from job.contracts.messages import name_all
    from job.errors import ConfigurationError

    result = probe_store(options.effective_settings())
    write_result(result, options.output)
    if not result.is_fit:
        missing = [name for name, step in result.steps.items() if not step.is_met]
        raise ConfigurationError(
            f"store '{result.store_uri}' failed {name_all('test', missing)}",
            hint=describe_missing_abilities(missing),
        )
    if result.lineage is not None and not result.lineage.is_ready:
        raise ConfigurationError(
            "the lineage key of the champion or of the anchor is missing",
            hint="mount it (lineage.key_file or PCC_JOB_LINEAGE_KEY), or promote once without it: "
            "`pcc-job run --override REASON`; `lineage` on stdout has the id of the key",
        )


@app.command(
    "sample-data",
    rich_help_panel=TRAIN,
    epilog=epilog("sample-data sample.parquet --rows 2000", codes=OF_SETTINGS),
)
def sample_data(
    path: Annotated[
        Path,
        typer.Argument(
            help="File to write; the name ends in .parquet, .csv or .tsv; .csv and .tsv also with "
            ".gz, .bz2 or .zst."
        ),
    ],
    rows: Annotated[int, typer.Option(min=1, help="Number of rows.")] = 6000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the rows.")] = 7,
    format: Annotated[
        str | None,
        typer.Option(
            help="Format: parquet or csv. Default: by the ending of PATH, which must match."
        ),
    ] = None,
) -> None:
    """Write a synthetic table in the format of the upstream, to try the job."""
    from job.adapters.tables.formats import ENDINGS, table_format
    from job.contracts.messages import pluralize
    from job.errors import ConfigurationError
    from job.samples import write_sample

    if format not in (None, "parquet", "csv"):
        raise ConfigurationError(
            f"unknown format '{format}'", hint="use --format parquet or --format csv"
        )
    file_format = table_format(path)
    if file_format is None or format not in (None, file_format):
        raise ConfigurationError(
            f"the name of '{path}' does not have the ending of a {format or 'Parquet or CSV'} file",
            hint=f"use a name that ends in {ENDINGS}, because the job reads the format from it",
        )
    write_sample(path, n_rows=rows, seed=seed, is_csv=file_format == "csv")
    write_text(f"wrote {pluralize(rows, 'synthetic row')} to {path}")
