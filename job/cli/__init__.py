"""The command line: the composition root, the one error boundary, the only exits."""

from __future__ import annotations

import typer

from job.cli.termination import leave_message
from job.errors import ExitCode, JobError
from job.signals import Watch


def main() -> None:
    """Run the command line; every ending has its exit code."""
    watch = Watch(lambda name, code: leave_message("ended", code, error=name))
    from job.cli.app import app

    try:
        code = app(standalone_mode=False, obj=watch)
    except JobError as error:
        _complain(error.message, error.hint)
        leave_message(
            "rejected" if error.exit_code == ExitCode.GATE_REJECTED else "failed",
            error.exit_code,
            error=error.message,
            hint=error.hint,
            run_id=error.context.get("run_id"),
        )
        raise SystemExit(error.exit_code) from None
    except typer.Abort:
        raise SystemExit(ExitCode.INTERRUPTED) from None
    except Exception as error:  # noqa: BLE001  # the one boundary
        if hasattr(error, "format_message"):  # typer's usage errors
            _complain(error.format_message(), "see --help")
            leave_message("failed", ExitCode.CONFIGURATION, error=error.format_message())
            raise SystemExit(ExitCode.CONFIGURATION) from None
        _report_crash(error)
        leave_message("crashed", ExitCode.UNFORESEEN, error=type(error).__name__)
        raise SystemExit(ExitCode.UNFORESEEN) from None
    raise SystemExit(code if isinstance(code, int) else ExitCode.OK)


def _report_crash(error: Exception) -> None:
    """Log where it happened, without messages or locals, which may hold rows of data."""
    import traceback

    import structlog

    frames = traceback.extract_tb(error.__traceback__)
    structlog.get_logger(__name__).error(
        "run_crashed",
        error=type(error).__name__,
        frames=[f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-30:]],
    )


def _complain(message: str, hint: str) -> None:
    typer.echo(f"error: {message}" + (f"\nhint: {hint}" if hint else ""), err=True)
