"""A signal runs the cleanup before the process reports how it ended."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = """
import os, signal, time
from job.signals import SignalWatcher

def say(text):
    os.write(1, text.encode())

watch = SignalWatcher(lambda name, code: say(f"left by {name}"))
if {has_begun}:
    watch.set_cleanup(lambda: say("undone, "))
os.kill(os.getpid(), signal.SIGTERM)
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("has_begun", "expected"), [(False, "left by SIGTERM"), (True, "undone, left by SIGTERM")]
)
def test_signal_cleans_up_and_then_ends(has_begun, expected):
    code = CODE.replace("{has_begun}", str(has_begun))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30
    )

    assert (143, expected) == (done.returncode, done.stdout)
