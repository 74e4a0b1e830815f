"""The command that writes or opens a report."""

from __future__ import annotations

import webbrowser
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from job.cli.commands.options import Options, takes_options
from job.cli.output import check_form, write_result
from job.contracts.identity import is_version
from job.contracts.version_files import EVALUATION_FILE, MANIFEST_FILE, METADATA_FILE, REPORT_FILE
from job.errors import ConfigurationError, TransientError


@takes_options("config", "store", "sets", "output")
def report(
    version: Annotated[
        str,
        typer.Argument(help="A version, a channel, `latest`, or a local folder with a report."),
    ],
    to: Annotated[
        Path | None, typer.Option("--to", help="File to write; by default VERSION.html here.")
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    anew: Annotated[
        bool, typer.Option("--anew", help="Draw it again, as this release would.")
    ] = False,
    *,
    options: Options,
) -> None:
    """Write the report of a version, the published bytes, verified; or show a local one."""
    check_form(options.output)
    from job.contracts.reports.results import ReportResult

    folder = Path(version)
    is_local = folder.is_dir()
    name, files, is_verified = (
        _read_folder(folder.resolve()) if is_local else _read_version(version, options)
    )
    page = _render(files) if anew else files[REPORT_FILE]
    is_shown_in_place = is_local and to is None and not anew
    path = folder / REPORT_FILE if is_shown_in_place else _write(to or Path(f"{name}.html"), page)
    is_open = open_ and webbrowser.open(path.resolve().as_uri())
    result = ReportResult(
        version=name,
        path=str(path),
        is_verified=is_verified,
        is_drawn_anew=anew,
        is_opened=is_open,
    )
    write_result(result, options.output)


def _read_version(version: str, options: Options) -> tuple[str, Mapping[str, bytes], bool]:
    """Return the name of a version in the store and its files, which are verified."""
    from job import registry

    store = options.open_store()[0]
    name = registry.resolve_version(store, version)
    return name, registry.read_verified(store, name), True


def _read_folder(folder: Path) -> tuple[str, Mapping[str, bytes], bool]:
    """Return the name and the files of a folder, and whether a manifest verified them."""
    if is_version(folder.name) and (folder / MANIFEST_FILE).exists():
        from job.adapters.stores.directory import DirectoryStore
        from job.registry import read_verified

        files = read_verified(DirectoryStore(folder.parent), folder.name)
        return folder.name, files, True
    names = (REPORT_FILE, METADATA_FILE, EVALUATION_FILE)
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise ConfigurationError(
            f"'{folder}' has no {', '.join(missing)}",
            hint="give the folder of a version, or runs/RUN_ID/ATTEMPT of a store",
        )
    return folder.name, {name: (folder / name).read_bytes() for name in names}, False


def _render(files: Mapping[str, bytes]) -> bytes:
    from job.adapters.rendering.report import render_report
    from job.contracts.reports.evaluation import Evaluation
    from job.contracts.reports.metadata import Metadata

    try:
        metadata = Metadata.parse(files[METADATA_FILE])
        evaluation = Evaluation.parse(files[EVALUATION_FILE])
        return render_report(metadata, evaluation).encode()
    except (ValueError, KeyError, TypeError):
        raise ConfigurationError(
            "metadata.json and evaluation.json are not what a run of this job writes",
            hint="leave out --anew, to get the page as it is",
        ) from None


def _write(path: Path, page: bytes) -> Path:
    """Write the page; raise if the path exists with other content."""
    try:
        with path.open("xb") as stream:
            stream.write(page)
    except FileExistsError:
        if not path.is_file() or path.read_bytes() != page:
            raise ConfigurationError(
                f"'{path}' is there already, and is something else", hint="give another --to"
            ) from None
    except OSError as error:
        raise TransientError(f"'{path}' cannot be written: {error.strerror}") from error
    return path
