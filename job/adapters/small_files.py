"""Read small files that an operator or a producer writes: settings, keys, suites, sidecars.

Only regular files up to a size are read, because a pipe or a device may never end.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path


class UnusableFileError(Exception):
    """A file cannot be read; the message is the end of a sentence that begins with the file's name.

    Attributes
    ----------
    hint
        What to do; empty if nothing more specific than the problem is known.
    """

    def __init__(self, problem: str, hint: str = "") -> None:
        super().__init__(problem)
        self.hint = hint


def read_small_file(path: Path, max_bytes: int) -> bytes:
    """Return the content of a regular file of at most `max_bytes` bytes.

    Raises
    ------
    UnusableFileError
        The file does not exist, cannot be opened, is not a regular file, or is larger.
    """
    try:
        with open(path, "rb", opener=_open_without_waiting) as stream:  # opener
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise UnusableFileError(
                    "is not a regular file",
                    "use a regular file; pipes, such as `<(...)`, and devices are refused",
                )
            content = stream.read(max_bytes + 1)
    except FileNotFoundError:
        raise UnusableFileError("does not exist") from None
    except IsADirectoryError:
        raise UnusableFileError("is a folder", "use the path of a file in it") from None
    except OSError:
        raise UnusableFileError("cannot be read") from None
    if len(content) > max_bytes:
        raise UnusableFileError(f"is larger than {max_bytes:,} bytes", "shorten it")
    return content


def _open_without_waiting(path: str, flags: int) -> int:
    """Open a file; a named pipe that nobody writes to would otherwise block."""
    return os.open(path, flags | os.O_NONBLOCK)
