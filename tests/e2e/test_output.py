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
    assert ("night", "loading") == (last["run_id"], last["stage"])
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


@pytest.mark.parametrize(
    ("command", "codes"),
    [
        ("config schema", {0}),
        ("config show --output json", {0}),
        ("config show --output table", {0}),
        ("--help", {0, 141}),
        ("run --help", {0, 141}),
    ],
)
def test_reader_that_goes_away_ends_the_command_silently(command, codes):
    """For example, `head` closes its input early."""
    script = f"{sys.executable} -m job {command} | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, stderr=subprocess.PIPE, text=True)

    assert "" == done.stderr
    assert done.returncode in codes


def test_reader_of_the_log_that_goes_away_ends_the_command_silently(tmp_path):
    """The exit code is that of a program which SIGPIPE has ended, or that of the command."""
    script = (
        f"{sys.executable} -m job run --dataset none.parquet --store {tmp_path} "
        "2>&1 >/dev/null | true; exit ${PIPESTATUS[0]}"
    )
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, stderr=subprocess.PIPE, text=True)

    assert (141, "") == (done.returncode, done.stderr)


@pytest.mark.parametrize(
    ("shell", "environment"),
    [
        ("bash", {"COMP_WORDS": "pcc-job models pro", "COMP_CWORD": "2"}),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "pcc-job models pro"}),
        (
            "fish",
            {
                "_TYPER_COMPLETE_ARGS": "pcc-job models pro",
                "_TYPER_COMPLETE_FISH_ACTION": "get-args",
            },
        ),
    ],
)
def test_shell_completes_commands(shell, environment):
    """The three shells ask in their own ways."""
    asked = {"_PCC_JOB_COMPLETE": f"complete_{shell}", **environment}
    command = [sys.executable, "-m", "job"]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **asked}, capture_output=True, text=True
    )

    assert (0, "") == (done.returncode, done.stderr)
    assert "promote" in done.stdout
    assert "rollback" not in done.stdout


@pytest.mark.parametrize("command", [["-h"], ["run", "-h"], ["models", "promote", "-h"]])
def test_short_option_prints_the_help(pcc_job, command):
    """Each command's help ends with examples and exit codes."""
    done = pcc_job(*command)

    assert 0 == done.returncode
    assert "Usage: pcc-job" in done.stdout
    assert len(command) == 1 or ("Example" in done.stdout and "Exit codes: 0 done" in done.stdout)


def test_commands_are_in_groups(pcc_job):
    """A reader finds a command by what it is for."""
    lines = pcc_job("--help").stdout.splitlines()
    groups = [line.split()[1] for line in lines if line.startswith("╭─")]

    assert ["Options", "Train", "Judge", "Versions", "Settings"] == groups
