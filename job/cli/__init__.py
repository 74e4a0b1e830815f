"""Run the command line, report its errors and set the exit code."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from job.cli.termination import write_termination_message
from job.contracts.messages import escape_control_characters
from job.errors import ExitCode, JobError
from job.signals import SignalWatcher

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger


def main() -> None:
    """Run the command line, and exit with the exit code for the outcome."""
    # NOTE: first, because process 1 of a container ignores signals until then
    watcher = SignalWatcher(lambda name, code: write_termination_message("ended", code, error=name))
    import typer

    from job.cli.commands.app import app

    try:
        code = app(standalone_mode=False, obj=watcher)
    except JobError as error:
        raise SystemExit(_report_failure(error)) from None
    except typer.Abort:
        raise SystemExit(ExitCode.INTERRUPTED) from None
    except Exception as error:  # noqa: BLE001  # the one boundary
        if hasattr(error, "format_message"):  # typer's usage errors
            raise SystemExit(_report_usage_error(error, error.format_message())) from None
        _report_crash(error)
        write_termination_message("crashed", ExitCode.UNFORESEEN, error=type(error).__name__)
        raise SystemExit(ExitCode.UNFORESEEN) from None
    raise SystemExit(code if isinstance(code, int) else ExitCode.OK)


def _report_failure(error: JobError) -> ExitCode:
    """Report an expected failure, with the run id if there is one; return the exit code."""
    is_rejected = error.exit_code == ExitCode.GATE_REJECTED
    place = {"run_id": error.run_id, "stage": error.stage}
    facts = {name: value for name, value in place.items() if value}
    event = "run_rejected" if is_rejected else "run_failed" if error.run_id else "command_failed"
    _write_error(event, error, error.message, error.hint, error.exit_code, **facts)
    write_termination_message(
        "rejected" if is_rejected else "failed",
        error.exit_code,
        error=error.message,
        hint=error.hint,
        run_id=error.run_id,
    )
    return error.exit_code


def _report_usage_error(error: Exception, message: str) -> ExitCode:
    """Report an error in the command line's arguments; return the exit code."""
    message = message or "no command given"
    _write_error(
        "command_failed",
        error,
        message,
        "run `pcc-job --help`, or the command with --help",
        ExitCode.CONFIGURATION,
    )
    write_termination_message("failed", ExitCode.CONFIGURATION, error=message)
    return ExitCode.CONFIGURATION


def _report_crash(error: Exception) -> None:
    """Log the stack frames without the message and local variables, which may contain data."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    _logger().error(
        "run_crashed",
        error=type(error).__name__,
        frames=[f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-30:]],
    )


def _write_error(
    event: str, error: Exception, reason: str, hint: str, code: ExitCode, **facts: str
) -> None:
    """Write error and hint to stderr: two lines on a terminal, else a JSON line as in the log."""
    if sys.stderr.isatty():
        text = f"error: {reason}\n" + (f"hint: {hint}\n" if hint else "")
        sys.stderr.write(escape_control_characters(text))
        return
    facts |= {"error": type(error).__name__, "reason": reason, "hint": hint}
    _logger().error(event, exit_code=int(code), **facts)


def _logger() -> FilteringBoundLogger:
    """Return the logger; configure the log first if a settings error has prevented that."""
    import structlog

    from job.logs import configure_logs

    if not structlog.is_configured():
        configure_logs("info")
    logger: FilteringBoundLogger = structlog.get_logger(__name__)
    return logger
