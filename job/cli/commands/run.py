"""The commands that read a table: run, validate and gate."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from job.cli.commands.options import Options, Version, takes_options
from job.cli.output import check_form, is_table, write_result
from job.errors import ContractViolationError, GateRejectedError

RunId = Annotated[
    str | None,
    typer.Option(
        "--run-id",
        help="Id of the run. A second run with the same id, data and settings publishes "
        "nothing new. Default: a random id.",
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Do everything except publishing: no version is stored and no channel moves.",
    ),
]
Override = Annotated[
    str | None,
    typer.Option(
        metavar="REASON",
        help="Publish the candidate even if the gate rejects it, and store the reason.",
    ),
]


@takes_options("config", "dataset", "store", "sets", "output")
def run(
    context: typer.Context,
    run_id: RunId = None,
    dry_run: DryRun = False,
    override: Override = None,
    *,
    options: Options,
) -> None:
    """Train a model, compare it with the champion, and publish it if the gate accepts it."""
    check_form(options.output)
    effective = options.effective_settings()
    try:
        with options.progress() as progress:  # its first line is shown before the imports
            from job.cli.result_lines import lay_out_run
            from job.cli.run_job import RunRequest, run_job
            from job.contracts.reports.results import RunResult

            request = RunRequest.of(run_id, is_dry_run=dry_run, override=override)
            result = run_job(effective, request, context.obj, progress)
    except GateRejectedError as error:
        if isinstance(error.result, RunResult):
            write_result(error.result, options.output, lay_out_run)
        error.is_shown = is_table(options.output) and sys.stdout.isatty()
        raise
    write_result(result, options.output, lay_out_run)


@takes_options("config", "dataset", "sets", "output")
def validate(
    context: typer.Context,
    *,
    options: Options,
) -> None:
    """Validate the table against the expectation suite, without training."""
    check_form(options.output)
    effective = options.effective_settings()
    try:
        with options.progress() as progress:
            from job.cli.read_only_jobs import validate_only
            from job.cli.result_lines import lay_out_validation
            from job.contracts.reports.validation import ValidationReport

            result = validate_only(effective, context.obj, progress)
    except ContractViolationError as error:
        if isinstance(error.report, ValidationReport):
            write_result(error.report, options.output, lay_out_validation)
        raise
    write_result(result, options.output, lay_out_validation)


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
    effective = options.effective_settings()
    try:
        with options.progress() as progress:
            from job.cli.read_only_jobs import gate_only
            from job.cli.result_lines import lay_out_gate
            from job.contracts.reports.results import GateResult

            result = gate_only(effective, candidate, champion, context.obj, progress)
    except GateRejectedError as error:
        if isinstance(error.result, GateResult):
            write_result(error.result, options.output, lay_out_gate)
        raise
    write_result(result, options.output, lay_out_gate)
