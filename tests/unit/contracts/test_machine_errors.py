"""Each failure of the machine has a code and a hint; a bug stays one."""

import errno
import os
import resource

import pytest

from job.contracts.machine_errors import explain_machine_error, require_address_space
from job.errors import ConfigurationError, ExitCode


def _os_error(number):
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MemoryError(), ExitCode.TRANSIENT),
        (_os_error(errno.ENOMEM), ExitCode.TRANSIENT),
        (ImportError("x.so: failed to map segment from shared object"), ExitCode.TRANSIENT),
        (RuntimeError("can't start new thread"), ExitCode.TRANSIENT),
        (_os_error(errno.ENOSPC), ExitCode.TRANSIENT),
        (_os_error(errno.EDQUOT), ExitCode.TRANSIENT),
        (_os_error(errno.EIO), ExitCode.TRANSIENT),
        (_os_error(errno.EMFILE), ExitCode.CONFIGURATION),
        (_os_error(errno.ENFILE), ExitCode.CONFIGURATION),
        (_os_error(errno.EFBIG), ExitCode.CONFIGURATION),
        (_os_error(errno.EACCES), ExitCode.CONFIGURATION),
        (_os_error(errno.EROFS), ExitCode.CONFIGURATION),
        (_os_error(errno.ENAMETOOLONG), ExitCode.CONFIGURATION),
        (_os_error(errno.ELOOP), ExitCode.CONFIGURATION),
    ],
)
def test_failures_of_the_machine_have_codes(error, code):
    failure = explain_machine_error(error)

    assert failure is not None
    assert code == failure.exit_code
    assert failure.hint


@pytest.mark.parametrize(
    "error", [ValueError("x"), KeyError("x"), ImportError("no module"), RuntimeError("x")]
)
def test_bugs_are_not_explained(error):
    assert explain_machine_error(error) is None


def test_cause_of_an_error_is_found():
    """Libraries raise their own errors from those of the system."""
    error = ValueError("x")
    error.__cause__ = RuntimeError("y")
    error.__cause__.__context__ = MemoryError()

    assert explain_machine_error(error) is not None


def test_message_of_an_error_is_not_shown():
    """It may have a path or a cell."""
    failure = explain_machine_error(OSError(errno.EACCES, "denied", "secret"))

    assert failure is not None
    assert "secret" not in failure.message + failure.hint


def test_circular_errors_end():
    first, second = ValueError("x"), ValueError("y")
    first.__cause__, second.__cause__ = second, first

    assert explain_machine_error(first) is None


def test_address_space_at_the_limit_is_enough(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (100, 100))

    require_address_space(100, "to start")

    with pytest.raises(ConfigurationError, match="ulimit -v"):
        require_address_space(101, "to start")
