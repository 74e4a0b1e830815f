"""Open what lies on a disk or on S3: stores, tables and suites, by their URIs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlparse

from job.cli.options import effective_settings
from job.cli.output import check_form
from job.errors import ConfigurationError, DatasetNotFoundError

if TYPE_CHECKING:
    from job.contracts.ports import ArtifactStore
    from job.contracts.specs import JobSettings
    from job.contracts.suites import Suite


def open_store(settings: JobSettings, *, must_exist: bool = False) -> ArtifactStore:
    """Open the store at store.uri: a path, a file:// or an s3:// URI.

    Raises
    ------
    ConfigurationError
        A folder that must exist does not.
    """
    uri = settings.store.uri
    parsed = urlparse(uri)
    if uri.startswith("s3://"):
        from job.adapters.stores.s3 import S3Store
        from job.adapters.stores.s3.client import connect

        return S3Store(connect(settings.s3), settings.store)
    from job.adapters.stores.directory import DirectoryStore

    folder = Path(unquote(parsed.path) if parsed.scheme == "file" else uri)
    if must_exist and not folder.is_dir():
        raise ConfigurationError(
            f"there is no store at '{uri}'", hint="check --store; a run makes the folder"
        )
    return DirectoryStore(folder)


def open_configured(
    config: Path | None, store: str | None, sets: list[str] | None, output: str | None
) -> tuple[ArtifactStore, JobSettings]:
    """Open the store that a command's options name, and that must be there."""
    check_form(output)
    settings = effective_settings(config, None, store, sets).settings
    return open_store(settings, must_exist=True), settings


def copier(settings: JobSettings, folder: Path) -> Callable[[str], Path]:
    """Give what copies an s3:// URI into a folder; S3 is loaded when it is used."""
    files: Any = None

    def copy(uri: str) -> Path:
        nonlocal files
        if files is None:
            from job.adapters.stores.s3.client import connect
            from job.adapters.stores.s3.files import S3Files

            files = S3Files(connect(settings.s3), folder)
        path: Path = files.copy(uri)
        return path

    return copy


def find_suite(settings: JobSettings, copy: Callable[[str], Path]) -> Suite:
    """Read the suite, found by name in the wheel or the checkout, by path or by s3:// URI."""
    from job.adapters.gx import SuiteFolder

    package = Path(__file__).parents[1]
    inside = package / "expectations"
    folder = inside if inside.is_dir() else package.parent / "expectations"
    name = settings.expectations.suite
    if name.startswith("s3://"):
        try:
            name = str(copy(name))
        except DatasetNotFoundError as error:
            raise ConfigurationError(
                f"no expectation suite '{name}'", hint="check expectations.suite"
            ) from error
    return SuiteFolder(folder).load(name)
