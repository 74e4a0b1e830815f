"""End the process on SIGTERM and Ctrl-C, even while native code runs."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

from job.errors import ExitCode

_CODES = {signal.SIGTERM: ExitCode.TERMINATED, signal.SIGINT: ExitCode.INTERRUPTED}


def watch(on_end: Callable[[str, ExitCode], None]) -> None:
    """Wait for the signals in a thread of their own.

    NOTE: a Python signal handler does not run while a fit runs in native code; a thread in
    `sigwait` does.  `on_end` gets the signal's name and has a second to leave its record.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _CODES)

    def wait() -> None:
        received = signal.Signals(signal.sigwait(_CODES))
        code = _CODES[received]
        leaving = threading.Thread(target=on_end, args=(received.name, code), daemon=True)
        leaving.start()
        leaving.join(1.0)
        os._exit(code)

    threading.Thread(target=wait, name="signals", daemon=True).start()
