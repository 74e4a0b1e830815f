"""The commands for the lineage of versions."""

from __future__ import annotations

import typer

from job.cli.output import write_text

app = typer.Typer(no_args_is_help=True, help="Create keys for the digests of training rows.")


@app.callback()
def _lineage() -> None:
    """Create keys for the digests of training rows."""


@app.command("keygen")
def keygen() -> None:
    """Print a new random lineage key, 64 hexadecimal digits."""
    from job.contracts.lineage_key import LineageKey

    write_text(LineageKey.generate().to_text())
