"""The command that writes a settings file for a table of one's own."""

from __future__ import annotations

import shlex
import sys
import textwrap
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from job.cli.commands.options import Options, takes_options
from job.cli.layout import terminal_width
from job.cli.output import check_form, write_result
from job.errors import ConfigurationError


@takes_options("sets", "output")
def init(
    table: Annotated[
        str, typer.Argument(help="Table: a CSV, TSV or Parquet file, a folder, or s3://bucket/key.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Settings file to write.")] = Path("job.yaml"),
    target: Annotated[
        str | None,
        typer.Option("--target", help="Column with the label: its name, or its number from 1."),
    ] = None,
    *,
    options: Options,
) -> None:
    """Look at a table, say which column is the label and which the text, and write job.yaml."""
    check_form(options.output)
    from job.cli.begin_table import read_head
    from job.cli.composition import make_copier, working_folder
    from job.cli.init_file import choose_store, write_settings
    from job.cli.init_roles import choose_target, describe_roles, list_doubts
    from job.contracts.reports.results import InitResult
    from job.table_settings import find_stated_roles

    if not table:
        raise ConfigurationError("TABLE is empty", hint="name a file, a folder or an s3:// URI")
    effective = replace(options, dataset=table).effective_settings()
    with working_folder() as folder:
        copy = make_copier(effective.settings, folder)
        head = read_head(table, effective.settings.dataset, copy)
    ask = partial(typer.prompt, err=True) if sys.stdin.isatty() and sys.stderr.isatty() else None
    found = choose_target(find_stated_roles(effective, head.preview), head, target, ask)
    store = choose_store(effective.settings, table)
    write_settings(out, found, head, effective, store)
    result = InitResult(
        path=str(out),
        found=describe_roles(found, head),
        doubts=tuple(list_doubts(found)),
        store_uri=store or effective.settings.store.uri,
        next_command=f"pcc-job run --config {shlex.quote(str(out))}",
    )
    write_result(result, options.output, _lay_out)


def _lay_out(result: object) -> list[str]:
    from job.contracts.reports.results import InitResult

    assert isinstance(result, InitResult)
    width = min(terminal_width(), 80)
    lines = textwrap.wrap(result.found, width, break_on_hyphens=False)
    for doubt in result.doubts:
        lines += textwrap.wrap(f"check: {doubt}", width, subsequent_indent=" " * 7)
    lines.append(f"wrote {result.path}; the store is {result.store_uri}")
    return [*lines, f"next:  {result.next_command}"]
