"""The command that lists runs, with those that published nothing."""

from __future__ import annotations

import typer

from job.cli.commands.help_text import OF_STORE, epilog
from job.cli.commands.options import All, Limit, Options, takes_options
from job.cli.output import write_result

app = typer.Typer(no_args_is_help=True, help="List runs, with those that published nothing.")


@app.callback()
def _runs() -> None:
    """List runs, with those that published nothing."""


@app.command("list", epilog=epilog("runs list", "runs list --all -o json", codes=OF_STORE))
@takes_options("config", "store", "sets", "output")
def list_runs(limit: Limit = 20, show_all: All = False, *, options: Options) -> None:
    """List the newest runs: when they ended, and with which version or for which reason.

    Takes one request for each 1,000 objects under `runs/`, and one for each listed run. A run that
    was killed has no record, and is not listed.
    """
    from job import registry
    from job.cli.list_tables import lay_out_runs

    store = options.open_store()[0]
    result = registry.list_runs(store, None if show_all else limit)
    write_result(result, options.output, lay_out_runs)
