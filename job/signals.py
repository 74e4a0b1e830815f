"""End the process on SIGTERM and Ctrl-C, even while native code runs."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Final

from job.errors import ExitCode

_CODES: Final = {signal.SIGTERM: ExitCode.TERMINATED, signal.SIGINT: ExitCode.INTERRUPTED}
OnSignal = Callable[[str, ExitCode], None]


class SignalWatcher:
    """Waits for signals in a separate thread until the process ends.

    NOTE: a Python signal handler does not run during a fit in native code, and process 1 of a
    container ignores these signals by default; a thread in `sigwait` always receives them.

    Attributes
    ----------
    on_signal
        Called with the name of the signal and the exit code, after the cleanup.  The process ends
        after one second, even if these two calls have not returned.
    """

    def __init__(self, on_signal: OnSignal) -> None:
        self.on_signal = on_signal
        self._clean_up: Callable[[], None] = lambda: None
        signal.pthread_sigmask(signal.SIG_BLOCK, _CODES)
        threading.Thread(target=self._wait, name="signals", daemon=True).start()

    def set_cleanup(self, clean_up: Callable[[], None]) -> None:
        """Set the cleanup function, which is called on a signal before the process ends."""
        self._clean_up = clean_up

    def _wait(self) -> None:
        received = signal.Signals(signal.sigwait(_CODES))
        code = _CODES[received]
        ending = threading.Thread(target=self._end, args=(received.name, code), daemon=True)
        ending.start()
        ending.join(1.0)
        os._exit(code)

    def _end(self, name: str, code: ExitCode) -> None:
        self._clean_up()
        self.on_signal(name, code)
