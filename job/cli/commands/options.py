"""The shared options of the commands, and the settings that result from them."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from job.cli.composition import open_store
from job.cli.confirmation import check_reason
from job.cli.output import check_form
from job.errors import ConfigurationError

if TYPE_CHECKING:
    from job.cli.progress import Progress
    from job.contracts.ports import ArtifactStore
    from job.contracts.settings.job_settings import JobSettings
    from job.logs import Verbosity
    from job.settings import EffectiveSettings

Config = Annotated[Path | None, typer.Option("--config", help="Settings file, YAML or JSON.")]
DatasetUri = Annotated[
    str | None, typer.Option("--dataset", help="Table: a path or an s3:// URI. Sets dataset.uri.")
]
StoreUri = Annotated[
    str | None,
    typer.Option("--store", help="Store: a folder or s3://bucket/prefix. Sets store.uri."),
]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Set one setting; VALUE is YAML. Can be repeated."
    ),
]
Version = Annotated[str, typer.Argument(help="Name of a version or channel, or `latest`.")]
Output = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="json|yaml|table",
        help="Format of the result. Default: table on a terminal, otherwise json.",
    ),
]
Limit = Annotated[
    int, typer.Option("--limit", "-L", min=1, help="Most entries to list, the newest first.")
]
All = Annotated[bool, typer.Option("--all", help="List all entries; takes more requests.")]
Reason = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help="Who decided and why; stored in the history, or logged."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask on a terminal.")]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Show errors only: no progress, no warnings, no log.")
]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show the log on a terminal, too.")]

_SHARED: Final = {
    "config": Config,
    "dataset": DatasetUri,
    "store": StoreUri,
    "sets": Sets,
    "output": Output,
    "reason": Reason,
    "yes": Yes,
    "quiet": Quiet,
    "verbose": Verbose,
}
_ALWAYS: Final = ("quiet", "verbose")
_SWITCHES: Final = ("yes", *_ALWAYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The values of the shared options; None or False if an option is not given."""

    config: Path | None = None
    dataset: str | None = None
    store: str | None = None
    sets: Sequence[str] | None = None
    output: str | None = None
    reason: str | None = None
    yes: bool = False
    quiet: bool = False
    verbose: bool = False

    @property
    def verbosity(self) -> Verbosity:
        """What is shown on stderr; raise `ConfigurationError` if the options contradict."""
        if self.quiet and self.verbose:
            raise ConfigurationError(
                "--quiet and --verbose cannot be combined", hint="use only one of them"
            )
        return "quiet" if self.quiet else "verbose" if self.verbose else "normal"

    def checked_reason(self) -> str | None:
        """Return `--reason` as one line; raise `ConfigurationError` if it is not printable."""
        return check_reason(self.reason, "--reason")

    def progress(self) -> Progress:
        """Return the lines of the stages, which are not shown yet."""
        from job.cli.progress import Progress

        return Progress(self.verbosity)

    def effective_settings(self) -> EffectiveSettings:
        """Merge all sources of settings, and configure the log.

        Raises
        ------
        ConfigurationError
            A source cannot be read, or has an unknown key or an invalid value.
        """
        from job.logs import configure_logs
        from job.settings import load_settings

        flags = [_parse_flag(item) for item in self.sets or ()]
        if self.dataset is not None:
            flags.append(("dataset.uri", "--dataset", self.dataset))
        if self.store is not None:
            flags.append(("store.uri", "--store", self.store))
        verbosity = self.verbosity
        effective = load_settings(self.config, os.environ, flags)
        configure_logs(effective.settings.logs.level, verbosity)
        return effective

    def open_store(self) -> tuple[ArtifactStore, JobSettings]:
        """Open the existing store that the settings name; return the store and the settings."""
        check_form(self.output)
        settings = self.effective_settings().settings
        return open_store(settings, must_exist=True), settings


def takes_options(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator for a command that receives shared options as its parameter `options`.

    Parameters
    ----------
    names
        Fields of `Options` that the command takes; the command's help lists them last, with
        `quiet` and `verbose`, which every command takes.
    """
    names = (*names, *_ALWAYS)

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command, eval_str=True)
        own = [p for p in signature.parameters.values() if p.name != "options"]
        shared = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=False if name in _SWITCHES else None,
                annotation=_SHARED[name],
            )
            for name in names
        ]

        @functools.wraps(command)
        def call(**values: object) -> None:
            given = {name: values.pop(name) for name in names}
            command(**values, options=Options(**given))  # type: ignore[arg-type]

        call.__signature__ = signature.replace(parameters=[*own, *shared])  # type: ignore[attr-defined]
        # the help would keep the line breaks of the docstring
        paragraphs = (inspect.getdoc(command) or "").split("\n\n")
        call.__doc__ = "\n\n".join(" ".join(lines.split()) for lines in paragraphs)
        return call

    return decorate


def _parse_flag(item: str) -> tuple[str, str, object]:
    """Parse one `--set KEY=VALUE`; return the key, the text `--set KEY` and the parsed value."""
    from job.contracts.messages import shorten
    from job.settings import parse_value

    key, equals, value = item.partition("=")
    if not equals:
        raise ConfigurationError(
            "--set needs KEY=VALUE, but the argument has no '='",
            hint="for example --set 'features.use=[text]'; `pcc-job config show` lists the keys",
        )
    flag = f"--set {shorten(key.strip())}"
    return key.strip(), flag, parse_value(value, flag)
