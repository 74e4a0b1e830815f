"""The output for people and log collectors: stdout, stderr, and the end of both."""

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.settings import ENDLESS

ROOT = Path(__file__).parents[2]


def events(done):
    """Read stderr like a log collector does: one JSON object per line."""
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_last_line_of_a_failed_run_says_why(train, tmp_path):
    """A reader of the log needs no other output."""
    last = events(train(tmp_path / "none.parquet", "--run-id", "night"))[-1]

    assert ("run_failed", "DatasetNotFoundError", 3) == (
        last["event"],
        last["error"],
        last["exit_code"],
    )
    assert ("night", "ingest") == (last["run_id"], last["stage"])
    assert f"file '{tmp_path / 'none.parquet'}' does not exist" == last["reason"]
    assert "dataset.uri" in last["hint"]


def test_last_line_of_a_rejected_run_says_why(train, sample):
    """The line contains the criteria."""
    last = events(train(sample, "--set", "gate.floors.accuracy=1"))[-1]

    assert ("run_rejected", 6) == (last["event"], last["exit_code"])
    assert "accuracy" in last["reason"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["run", "--set", "search.metrik=x"], "unknown setting 'search.metrik'"),
        (["run", "--stor", "x"], "--stor"),
        (["models", "prune", "--keep", "x"], "--keep: expected a whole number"),
        (["models", "verify"], "`pcc-job models verify` needs VERSION: Name of a version or"),
        (["models", "list", "--set", "store.uri=ftp://x"], "scheme 'ftp'"),
        ([], "no command given"),
        (["models"], "no command given"),
    ],
)
def test_refused_command_is_one_json_line(pcc_job, arguments, reason):
    """This also holds before the settings are read, and if no run has started."""
    done = pcc_job(*arguments)
    [event] = events(done)

    assert ("command_failed", 2, 2) == (event["event"], event["exit_code"], done.returncode)
    assert reason in event["reason"]


def read_terminal(end):
    """Read the output of the other, closed end; a busy kernel delivers it in parts."""
    parts = []
    with contextlib.suppress(OSError):  # EIO is the end
        while part := os.read(end, 65536):
            parts.append(part)
    return b"".join(parts).decode()


def test_terminal_gets_plain_lines(tmp_path):
    """People do not read JSON."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "job", "run", "--dataset", "none.parquet"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    code = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=theirs, cwd=tmp_path, env=environment
    ).returncode
    os.close(theirs)
    text = read_terminal(ours)

    assert 3 == code
    assert "error: file 'none.parquet' does not exist\r\nhint: check --dataset" in text


def test_warnings_of_libraries_are_json_without_their_words():
    """The messages may quote the data."""
    code = (
        "import logging, warnings\n"
        "from job.logs import configure_logs\n"
        "configure_logs('info')\n"
        "warnings.warn('zq-secret')\n"
        "logging.getLogger('botocore').warning('zq-secret')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)

    assert ["UserWarning", "botocore"] == [event["kind"] for event in events(done)]
    assert "zq-secret" not in done.stderr


def test_terminated_run_says_so(sample, tmp_path):
    """The record is in the store, the event in the log."""
    command = [sys.executable, "-m", "job", "run", "--dataset", sample, "--store", tmp_path / "m"]
    settings = ["--run-id", "ended", "--set", "dataset.min_rows=100", "--set", ENDLESS]
    with subprocess.Popen(
        [*command, *settings], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        next(line for line in process.stderr if "dataset_split" in line)
        process.send_signal(signal.SIGTERM)
        last = json.loads(process.stderr.readlines()[-1])

    assert ("run_ended", "SIGTERM", 143, "ended") == (
        last["event"],
        last["signal"],
        last["exit_code"],
        last["run_id"],
    )


@pytest.mark.parametrize(("target", "code"), [(">/dev/full", 75), (">&-", 2)])
def test_result_that_cannot_be_told_is_no_crash(pcc_job, tmp_path, target, code):
    """The message says that stdout is full or closed."""
    command = f"{sys.executable} -m job config show --output json {target}"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    [event] = events(done)

    assert (code, True) == (done.returncode, "stdout" in event["reason"])


def test_reader_that_goes_away_leaves_no_traceback():
    """For example, `head` closes its input early."""
    command = f"{sys.executable} -m job config schema | true"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, stderr=subprocess.PIPE, text=True)

    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
