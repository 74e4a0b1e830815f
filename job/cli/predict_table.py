"""Predict a table with a published version, and write the predictions to a file."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from job.adapters.tables.listing import list_files
from job.cli.begin_table import resolve_dataset_uri
from job.cli.composition import load_libraries, make_copier, working_folder
from job.contracts.messages import quote
from job.contracts.settings.addresses import local_path, uri_scheme
from job.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from job.contracts.reports.predictions import TablePredictions
    from job.contracts.settings.job_settings import JobSettings
    from job.signals import SignalWatcher
    from job.stages.packaging.read_plain_form import PublishedModel

_MAX_NAME_BYTES = 200  # a temporary file has a longer name
_ENDINGS = (".parquet", ".pq", ".csv", ".csv.gz")


def check_files(out: Path, settings: JobSettings, *, is_forced: bool) -> None:
    """Check the output file and the table before anything is read.

    Raises
    ------
    ConfigurationError
        The output file cannot be written, or is the table; or the table has an unknown ending.
    DatasetNotFoundError, DatasetUnreadableError
        The table does not exist, or its folder has files of two formats.
    """
    _check_target(out, is_forced=is_forced)
    uri = resolve_dataset_uri(settings)
    if uri_scheme(uri) != "file":
        return
    list_files(uri, local_path(uri))
    table = local_path(uri).resolve()
    if table in (out.resolve(), *out.resolve().parents):
        raise ConfigurationError(
            "--out is the table of --dataset, or is inside it if the table is a folder",
            hint="choose a file elsewhere with --out FILE",
        )


def _check_target(out: Path, *, is_forced: bool) -> None:
    if uri_scheme(str(out)) != "file" or "s3:" in out.parts:
        raise ConfigurationError(
            "--out must be a local path",
            hint="write to a local file, such as --out predictions.parquet, and upload it",
        )
    if len(os.fsencode(out.name)) > _MAX_NAME_BYTES:
        raise ConfigurationError(
            "the name of the file in --out is too long",
            hint=f"use a name of at most {_MAX_NAME_BYTES} bytes",
        )
    if not out.name.lower().endswith(_ENDINGS):
        raise ConfigurationError(
            f"the name of {quote(str(out))} does not have the ending of a Parquet or CSV file",
            hint="use a name that ends in .parquet, .csv or .csv.gz, such as --out predictions.csv",
        )
    if not os.path.isdir(out.parent):  # noqa: PTH112  # False for every error
        raise ConfigurationError(
            f"folder {quote(str(out.parent))} does not exist",
            hint=f"`mkdir -p {shlex.quote(str(out.parent))}`",
        )
    is_folder = os.path.isdir(out)  # noqa: PTH112
    if is_folder or (os.path.lexists(out) and not is_forced):
        raise ConfigurationError(
            f"{quote(str(out))} already exists",
            hint="choose another file with --out FILE"
            + ("" if is_folder else ", or overwrite it with --force"),
        )


def predict_table_file(
    published: PublishedModel, settings: JobSettings, out: Path, watcher: SignalWatcher
) -> TablePredictions:
    """Predict the table of the settings, and write the predictions to `out`."""
    load_libraries()
    from job.adapters.prediction_files import open_predictions
    from job.adapters.tables import ArrowTables
    from job.pipeline.predict import predict_table
    from job.stages.prediction.input_columns import find_input_columns

    columns = find_input_columns(published, settings.dataset)
    names = {*settings.dataset.known_names, *columns.required, *columns.aliases.values()}
    with working_folder() as folder:
        cleanups: list[Callable[[], None]] = [lambda: shutil.rmtree(folder, ignore_errors=True)]

        def clean_up() -> None:
            for call in cleanups:
                call()

        watcher.set_cleanup(clean_up)
        spec, copy = settings.dataset, make_copier(settings, folder)
        tables = ArrowTables(copy, frozenset(names), spec.csv, spec.limits)
        table = tables.open(resolve_dataset_uri(settings))
        with open_predictions(out, cleanups.append) as write:
            return predict_table(published, table, columns, out, write)
