"""The commands run, validate, gate, doctor and sample-data; other groups are added here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from job import __version__
from job.cli.commands import config, models, report
from job.cli.commands.options import Options, Version, takes_options
from job.cli.output import check_form, lay_out_columns, write_result, write_text

if TYPE_CHECKING:
    from job.contracts.reports.gate import Criterion
    from job.contracts.reports.results import GateResult

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Retrain, judge and publish the privacy-intent classifier.",
)
app.add_typer(models.app, name="models")
app.add_typer(config.app, name="config")
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
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    pass


@app.command("run")
@takes_options("config", "dataset", "store", "sets", "output")
def run(
    context: typer.Context,
    run_id: Annotated[
        str | None, typer.Option("--run-id", help="Name of the run; the same again is idempotent.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Everything but publishing.")] = False,
    override: Annotated[
        str | None,
        typer.Option(
            metavar="REASON", help="Publish what the gate rejects; the reason is kept for ever."
        ),
    ] = None,
    *,
    options: Options,
) -> None:
    """Train, judge and publish one model version."""
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
    """Hold the data against its expectations, nothing else."""
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
    """Judge one published version beside another, on rows that neither was trained on."""
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
    """Return lines with counts and criteria; scores and comparisons are in the JSON only."""
    counts = [f"{k:<20} {v}" for k, v in result.to_json().items() if k.startswith("n_")]
    rows = [(_describe_status(c), c.name, c.reason) for c in result.gate.criteria]
    verdict = "accepted" if result.gate.is_accepted else "rejected"
    head = f"{result.candidate} beside {result.champion}: {verdict}"
    return [head, *counts, *lay_out_columns(("", "criterion", "reason"), rows)]


@app.command("doctor")
@takes_options("config", "store", "sets", "output")
def doctor(*, options: Options) -> None:
    """Try for real whether the store can do what a run needs."""
    check_form(options.output)
    from job.cli.run_job import describe_missing_abilities, probe_store
    from job.errors import ConfigurationError

    result = probe_store(options.effective_settings())
    write_result(result, options.output)
    if not result.is_fit:
        missing = [name for name, step in result.steps.items() if not step.is_met]
        raise ConfigurationError(
            f"'{result.store_uri}' lacks: {', '.join(missing)}",
            hint=describe_missing_abilities(missing),
        )


@app.command("sample-data")
def sample_data(
    path: Annotated[Path, typer.Argument(help="File to write.")],
    rows: Annotated[int, typer.Option(min=1, help="Rows.")] = 6000,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other rows.")] = 7,
    format: Annotated[str | None, typer.Option(help="parquet or csv; PATH has to end so.")] = None,
) -> None:
    """Write a synthetic table of the upstream contract."""
    from job.adapters.tables.formats import table_format
    from job.contracts.messages import pluralize
    from job.errors import ConfigurationError
    from job.samples import write_sample

    if format not in (None, "parquet", "csv"):
        raise ConfigurationError(f"no format '{format}'", hint="parquet or csv")
    file_format = table_format(path)
    if file_format is None or format not in (None, file_format):
        raise ConfigurationError(
            f"'{path}' does not end as a {format or 'table'} does",
            hint="tables end in .parquet, .csv or .csv.gz, and are read by their ending",
        )
    write_sample(path, n_rows=rows, seed=seed, is_csv=file_format == "csv")
    write_text(f"wrote {pluralize(rows, 'synthetic row')} to {path}")
