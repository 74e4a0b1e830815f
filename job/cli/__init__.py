"""Run the command line, report its errors and set the exit code."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from job.cli.output import discard_output, open_missing_streams, settle_output
from job.cli.termination import write_termination_message
from job.contracts.machine_errors import explain_machine_error
from job.contracts.messages import describe_setting_problem, escape_control_characters
from job.errors import ExitCode, JobError
from job.signals import SignalWatcher

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

_PROGRAM: Final = "pcc-job"
_PIPE_CLOSED: Final = 141  # as a program that SIGPIPE has ended


def main() -> None:
    """Run the command line, and exit with the exit code for the outcome."""
    open_missing_streams()
    try:
        code = _run()
    except BrokenPipeError:  # a reader such as `head` has gone away
        code = _PIPE_CLOSED
    except SystemExit as error:  # typer and rich end the process for the same reason
        if not isinstance(error.__context__, BrokenPipeError):
            raise
        code = _PIPE_CLOSED
    if code == _PIPE_CLOSED:
        discard_output(with_errors=True)
    settle_output()
    raise SystemExit(code)


def _run() -> int:
    """Run the command line, report its error if there is one, and return the exit code."""
    try:
        # NOTE: first, because process 1 of a container ignores signals until then
        watcher = SignalWatcher(
            lambda name, code: write_termination_message("ended", code, error=name)
        )
        import typer

        from job.cli.commands.app import app
    except Exception as error:
        failure = explain_machine_error(error)
        if failure is None:
            raise
        return _report_failure(failure)
    try:
        code = app(standalone_mode=False, obj=watcher, prog_name=_PROGRAM)
    except JobError as error:
        return _report_failure(error)
    except typer.Abort:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001  # the one boundary
        if hasattr(error, "format_message"):  # typer's usage errors
            return _report_usage_error(error)
        failure = explain_machine_error(error)
        if failure is not None:
            return _report_failure(failure)
        _report_crash(error)
        write_termination_message("crashed", ExitCode.UNFORESEEN, error=type(error).__name__)
        return ExitCode.UNFORESEEN
    return code if isinstance(code, int) else ExitCode.OK


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


def _report_usage_error(error: Any) -> ExitCode:  # typer does not export its usage errors
    """Report an error in the command line's arguments; return the exit code."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else _PROGRAM
    message = _describe_usage(error, command)
    hint = f"run `{command} --help`"
    _write_error("command_failed", error, message, hint, ExitCode.CONFIGURATION)
    write_termination_message("failed", ExitCode.CONFIGURATION, error=message)
    return ExitCode.CONFIGURATION


def _describe_usage(error: Any, command: str) -> str:
    """Return what is wrong with the arguments of a command."""
    parameter: Any = getattr(error, "param", None)
    cause = error.__cause__
    if type(error).__name__ == "MissingParameter" and getattr(parameter, "help", None):
        return f"`{command}` needs {parameter.name.upper()}: {parameter.help.rstrip('.')}"
    if parameter is not None and hasattr(cause, "errors"):  # pydantic has refused the value
        return f"{parameter.opts[0]}: {describe_setting_problem(cause.errors()[0])}"
    return error.format_message() or "no command given"


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
        if getattr(error, "is_shown", False):
            return
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
