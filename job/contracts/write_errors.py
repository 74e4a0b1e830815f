"""Translate the errors of writing to a local file or folder that the user has named."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from job.errors import ConfigurationError, TransientError

_DISK_ERRORS: Final = (errno.ENOSPC, errno.EDQUOT, errno.EIO)


@contextmanager
def translating_write_errors(action: str, hint: str) -> Iterator[None]:
    """Translate the operating system's errors in the `with` block.

    Parameters
    ----------
    action
        What cannot be done, such as `write 'predictions.csv'`.
    hint
        What helps if the device is sound.

    Raises
    ------
    TransientError
        The disk is full, or the device has failed.
    ConfigurationError
        There is another error, such as a missing permission.
    """
    try:
        yield
    except OSError as error:
        problem = f"cannot {action}: {os.strerror(error.errno or 0)}"
        if error.errno in _DISK_ERRORS:
            raise TransientError(
                problem, hint="free disk space or repair the device, then run again"
            ) from error
        raise ConfigurationError(problem, hint=hint) from error
