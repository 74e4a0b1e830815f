"""The command that writes or opens the report of a version or of a run."""

from __future__ import annotations

import os
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from job.cli.commands.options import Options, takes_options
from job.cli.output import check_form, write_result
from job.contracts.identity import is_version
from job.contracts.messages import name_all
from job.contracts.store_bounds import MAX_JSON_BYTES
from job.contracts.version_files import (
    EVALUATION_FILE,
    MANIFEST_FILE,
    METADATA_FILE,
    REPORT_FILE,
    VALIDATION_FILE,
)
from job.errors import ConfigurationError, IntegrityError, TransientError

Of = Annotated[
    str,
    typer.Argument(
        help="Version, channel, `latest`, id of a run, or a local folder with a report."
    ),
]
To = Annotated[
    Path | None,
    typer.Option(
        "--to", help="File to write. Default: VERSION.html or RUN_ID.html in this folder."
    ),
]
Anew = Annotated[
    bool,
    typer.Option(
        "--anew",
        help="Render the report again with this release, instead of writing the published one.",
    ),
]


@takes_options("config", "store", "sets", "output")
def report(
    version: Of,
    to: To = None,
    open_: Annotated[bool, typer.Option("--open", help="Open the report in the browser.")] = False,
    anew: Anew = False,
    *,
    options: Options,
) -> None:
    """Write the report of a version or of a run to a file, or open it in the browser.

    The report of a version is verified first.  A run that published no version has its report in
    the store, too; such a report has no manifest to verify it.
    """
    check_form(options.output)
    from job.contracts.reports.results import ReportResult

    folder = Path(version)
    is_local = os.path.isdir(folder)  # noqa: PTH112  # False for every error
    name, files, is_verified = (
        _read_folder(folder.resolve()) if is_local else _read_stored(version, options)
    )
    page = _render(files) if anew else _get_page(name, files)
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


def _read_stored(name: str, options: Options) -> tuple[str, Mapping[str, bytes], bool]:
    """Return the name and the files of a version or of a run, and whether they are verified.

    A run that published a version has the report of this version.
    """
    from job import registry

    store = options.open_store()[0]
    try:
        version = registry.resolve_version(store, name)
    except ConfigurationError as error:
        record = registry.find_run(store, name)
        if record is None:
            raise ConfigurationError(
                f"no version, channel or run '{name}' in '{store.uri}'",
                hint=f"{error.hint}; `pcc-job runs list` shows the runs",
            ) from None
        if record.version is None:
            return name, registry.read_run_report(store, record), False
        version = record.version
    return version, registry.read_verified(store, version), True


def _read_folder(folder: Path) -> tuple[str, Mapping[str, bytes], bool]:
    """Return the name and files of a local folder, and whether a manifest verified the files."""
    from job.adapters.stores.directory import DirectoryStore

    if is_version(folder.name) and (folder / MANIFEST_FILE).exists():
        from job.registry import read_verified

        return folder.name, read_verified(DirectoryStore(folder.parent), folder.name), True
    names = (REPORT_FILE, METADATA_FILE, EVALUATION_FILE)
    store = DirectoryStore(folder)
    wanted = (*names, VALIDATION_FILE)  # folders without the latter can be shown, too
    found = {name: store.get(name, max_bytes=MAX_JSON_BYTES) for name in wanted}
    files = {name: data for name, data in found.items() if data is not None}
    missing = [name for name in names if name not in files]
    if missing:
        raise ConfigurationError(
            f"'{folder}' does not have {name_all('file', missing)}",
            hint="use the folder of a version, or runs/RUN_ID/ATTEMPT in a store",
        )
    return folder.name, files, False


def _get_page(name: str, files: Mapping[str, bytes]) -> bytes:
    if REPORT_FILE not in files:
        raise IntegrityError(
            f"{name} has no {REPORT_FILE}",
            hint="run again with --anew, which renders the report from the other files",
        )
    return files[REPORT_FILE]


def _render(files: Mapping[str, bytes]) -> bytes:
    from job.adapters.rendering.report import render_report
    from job.contracts.reports.evaluation import Evaluation
    from job.contracts.reports.metadata import Metadata
    from job.contracts.reports.validation import ValidationReport

    try:
        metadata = Metadata.parse(files[METADATA_FILE])
        evaluation = Evaluation.parse(files[EVALUATION_FILE])
        found = files.get(VALIDATION_FILE)
        validation = None if found is None else ValidationReport.parse(found)
        return render_report(metadata, evaluation, validation).encode()
    except (ValueError, KeyError, TypeError):
        raise ConfigurationError(
            "cannot render the report: metadata.json, evaluation.json or validation.json was not "
            "written by this job",
            hint="run again without --anew to get the stored report",
        ) from None


def _write(path: Path, page: bytes) -> Path:
    """Write the page to `path`; raise if a file with different content exists there."""
    try:
        with path.open("xb") as stream:
            stream.write(page)
    except FileExistsError:
        if not path.is_file() or path.read_bytes() != page:
            raise ConfigurationError(
                f"'{path}' already exists with different content",
                hint="choose another file with --to FILE",
            ) from None
    except OSError as error:
        raise TransientError(
            f"cannot write '{path}': {error.strerror}",
            hint="free disk space, or choose a file in another folder with --to FILE",
        ) from error
    return path
