"""End the process on SIGTERM and Ctrl-C, even while native code runs."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Final

from job.errors import ExitCode

_CODES: Final = {signal.SIGTERM: ExitCode.TERMINATED, signal.SIGINT: ExitCode.INTERRUPTED}
Leave = Callable[[str, ExitCode], None]


class SignalWatcher:
    """Waits for the signals in a thread of its own, from its making to the end of the process.

    NOTE: a Python signal handler does not run while a fit runs in native code, and none but this
    runs at all in the first process of a container; a thread in `sigwait` does.

    Attributes
    ----------
    leave
        Gets the signal's name; it and what is undone before it have a second.
    """

    def __init__(self, leave: Leave) -> None:
        self.leave = leave
        self._undo: Callable[[], None] = lambda: None
        signal.pthread_sigmask(signal.SIG_BLOCK, _CODES)
        threading.Thread(target=self._wait, name="signals", daemon=True).start()

    def set_cleanup(self, undo: Callable[[], None]) -> None:
        """Have a signal undo what has begun, before the process leaves."""
        self._undo = undo

    def _wait(self) -> None:
        received = signal.Signals(signal.sigwait(_CODES))
        code = _CODES[received]
        leaving = threading.Thread(target=self._go, args=(received.name, code), daemon=True)
        leaving.start()
        leaving.join(1.0)
        os._exit(code)

    def _go(self, name: str, code: ExitCode) -> None:
        self._undo()
        self.leave(name, code)
