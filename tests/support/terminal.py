"""Run the command line in a pseudo-terminal, and read the screen that a person sees."""

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_PART = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|\x1b\][^\x07]*\x07|(\r)|(\n)|([^\x1b\r\n]+)|\x1b")


@dataclass(frozen=True)
class Shown:
    """How a command ended, and what it left on the terminal."""

    code: int
    raw: str
    screen: str


def run_in_terminal(words, folder, *, columns=80, keys=b"", to_pipe=(), **environment):
    """Run `pcc-job` in `folder` on a terminal of this width; `keys` are typed at its start.

    Streams in `to_pipe` (`stdout`, `stderr`) are no terminal; what they got is left out.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PCC_JOB_", "AWS_")) and name not in ("COLUMNS", "NO_COLOR")
    }
    given = {"PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
    streams = {
        name: subprocess.DEVNULL if name in to_pipe else theirs for name in ("stdout", "stderr")
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "job", *(str(word) for word in words)],
        cwd=folder,
        env={**inherited, **given, **environment},
        stdin=theirs,
        **streams,
    )
    os.close(theirs)
    if keys:
        os.write(ours, keys)
    parts = []
    with contextlib.suppress(OSError):  # EIO is the end
        while part := os.read(ours, 65536):
            parts.append(part)
    os.close(ours)
    raw = b"".join(parts).decode()
    return Shown(process.wait(), raw, read_screen(raw))


def read_screen(raw):
    """Return the lines that are left of the output of a terminal, without colors."""
    lines, row, column = [""], 0, 0
    for match in _PART.finditer(raw):
        numbers, command, is_return, is_newline, text = match.groups()
        if is_return:
            column = 0
        elif is_newline:
            row, column = row + 1, 0
            lines += [""] * (row + 1 - len(lines))
        elif command == "A":
            row = max(row - int(numbers or 1), 0)
        elif command == "K":
            lines[row] = ""
        elif text:
            line = lines[row].ljust(column)
            lines[row] = line[:column] + text + line[column + len(text) :]
            column += len(text)
    return "\n".join(line.rstrip() for line in lines).strip("\n") + "\n"
