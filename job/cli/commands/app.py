"""The application: run, validate, gate, doctor, sample-data, and the groups of commands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from job import __version__
from job.cli.commands import config, lineage, models, report
from job.cli.commands.options import Options, Version, takes_options
from job.cli.output import check_form, lay_out_columns, write_result, write_text

if TYPE_CHECKING:
    from job.contracts.reports.gate import Criterion
    from job.contracts.reports.results import GateResult

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Retrain, evaluate and publish the classifier of privacy requests.",
)
app.add_typer(models.app, name="models")
app.add_typer(config.app, name="config")
app.add_typer(lineage.app, name="lineage")
app.command("report")(report.report)


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


@app.command("run")
@takes_options("config", "dataset", "store", "sets", "output")
def run(
    context: typer.Context,
    run_id: Annotated[
        str | None,
        typer.Option(
            "--run-id",
            help="Id of the run. A second run with the same id, data and settings publishes "
            "nothing new. Default: a random id.",
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Do everything except publishing: no version is stored and no channel moves.",
        ),
    ] = False,
    override: Annotated[
        str | None,
        typer.Option(
            metavar="REASON",
            help="Publish the candidate even if the gate rejects it, and store the reason.",
        ),
    ] = None,
    *,
    options: Options,
) -> None:
    """Train a model, compare it with the champion, and publish it if the gate accepts it."""
    check_form(options.output)
    from job.cli.run_job import RunRequest, run_job
    from job.errors import GateRejectedError

    effective = options.effective_settings()
    request = RunRequest.of(run_id, is_dry_run=dry_run, override=override)
    try:
        result = run_job(effective, request, context.obj)
    except GateRejectedError as error:
        write_result(error.result, options.output)
        raise
    write_result(result, options.output)


@app.command("validate")
@takes_options("config", "dataset", "sets", "output")
def validate(
    context: typer.Context,
    *,
    options: Options,
) -> None:
    """Validate the table against the expectation suite, without training."""
    check_form(options.output)
    from job.cli.read_only_jobs import validate_only
    from job.errors import ContractViolationError

    try:
        result = validate_only(options.effective_settings(), context.obj)
    except ContractViolationError as error:
        if error.report is not None:
            write_result(error.report, options.output)
        raise
    write_result(result, options.output)


@app.command("gate")
@takes_options("config", "dataset", "store", "sets", "output")
def gate(
    context: typer.Context,
    candidate: Version,
    champion: Version,
    *,
    options: Options,
) -> None:
    """Run the gate on two published versions, on rows that neither was trained on."""
    check_form(options.output)
    from job.cli.read_only_jobs import gate_only
    from job.contracts.reports.results import GateResult
    from job.errors import GateRejectedError

    effective = options.effective_settings()
    try:
        result = gate_only(effective, candidate, champion, context.obj)
    except GateRejectedError as error:
        if isinstance(error.result, GateResult):
            write_result(error.result, options.output, _lay_out_verdict)
        raise
    write_result(result, options.output, _lay_out_verdict)


def _describe_status(criterion: Criterion) -> str:
    if criterion.is_met:
        return "met"
    return "not met" if criterion.is_binding else "warns"


def _lay_out_verdict(result: GateResult) -> list[str]:
    """Return the lines of a table with counts and criteria; the JSON output also has scores."""
    counts = [f"{k:<20} {v}" for k, v in result.to_json().items() if k.startswith("n_")]
    rows = [(_describe_status(c), c.name, c.reason) for c in result.gate.criteria]
    verdict = "accepted" if result.gate.is_accepted else "rejected"
    head = f"{result.candidate} compared with {result.champion}: {verdict}"
    return [head, *counts, *lay_out_columns(("", "criterion", "reason"), rows)]


@app.command("doctor")
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
            hint="mount it (lineage.key_file or PCC_JOB_LINEAGE_KEY), or accept one promotion with "
            "`pcc-job run --override REASON`; `lineage` on stdout has the id of the key",
        )


@app.command("sample-data")
def sample_data(
    path: Annotated[
        Path, typer.Argument(help="File to write; the name ends in .parquet, .csv or .csv.gz.")
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
    from job.adapters.tables.formats import table_format
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
            hint="use a name that ends in .parquet, .csv or .csv.gz, because the job reads the "
            "format from it",
        )
    write_sample(path, n_rows=rows, seed=seed, is_csv=file_format == "csv")
    write_text(f"wrote {pluralize(rows, 'synthetic row')} to {path}")
