"""A read-only store, a full store, and Ctrl-C, in a real process."""

import json
import signal
import subprocess
import sys
import time

import pytest
from support.requirements import skip_without
from support.settings import ENDLESS


@pytest.fixture
def mounted(tmp_path):
    """Mount a small memory disk; if that is not allowed, skip, or fail if root is required."""
    point = tmp_path / "mounted"
    point.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", point]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
        problem = done.stderr.strip() if done.returncode else ""
    except FileNotFoundError:
        problem = "there is no mount command"
    if problem:
        skip_without("root", f"mounting a tmpfs needs root: {problem}")
    yield point
    subprocess.run(["umount", "-l", point], check=True)


def test_read_only_store_is_the_operators(train, sample, mounted):
    """Only the operator can configure another store."""
    subprocess.run(["mount", "-o", "remount,ro", mounted], check=True)
    done = train(sample, store=mounted)

    assert 2 == done.returncode, done.stderr


def test_full_store_may_be_tried_again(train, sample, mounted):
    """Space may be freed, so the scheduler may retry."""
    done = train(sample, store=mounted)

    assert 75 == done.returncode, done.stderr


def test_full_store_shows_no_version(train, sample, mounted):
    """A version that did not fit completely is not visible at all."""
    train(sample, store=mounted)

    assert [] == list(mounted.glob("v*/manifest.json"))


def test_interrupted_search_leaves_its_record(sample, tmp_path):
    """Ctrl-C in native code ends the run as interrupted, and the record names the stage."""
    command = [sys.executable, "-m", "job", "run", "--dataset", sample, "--store", tmp_path / "m"]
    settings = ["--run-id", "ended", "--set", "dataset.min_rows=100", "--set", ENDLESS]
    with subprocess.Popen(
        [*command, *settings], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        next(line for line in process.stderr if "dataset_split" in line)
        time.sleep(2)  # by now liblinear iterates, for minutes
        process.send_signal(signal.SIGINT)
        code = process.wait(20)

    record = json.loads((tmp_path / "m/runs/ended/1.json").read_text())
    assert (130, 130, "search") == (code, record["exit_code"], record["failed_stage"])
