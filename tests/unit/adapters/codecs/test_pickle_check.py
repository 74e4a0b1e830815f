"""A pickle is loaded in a child process that has no credentials and limited resources."""

import json
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from support.forged_models import (
    dump_names,
    finish,
    make_large,
    make_laughs,
    make_own_part,
    make_runners,
    make_slow,
)

from job.adapters.codecs import pickle_check
from job.adapters.codecs.canonical_joblib import JoblibCodec
from job.adapters.codecs.pickle_check import Limits, check_pickle, run_child
from job.errors import IncompatibleModelError, IntegrityError

SEEN = """
import json, os, sys
print(json.dumps([sorted(os.environ), os.listdir("/proc/self/fd"), os.getcwd(), sys.stdin.read()]))
"""


@pytest.fixture
def folder(tmp_path):
    """A version that takes texts."""
    folder = tmp_path / "v1"
    folder.mkdir()
    (folder / "metadata.json").write_text(json.dumps({"input": {"kind": "text"}}))
    (folder / "model.joblib").write_bytes(b"")
    return folder


@pytest.fixture
def check(folder):
    """Check these bytes as `model.joblib`; return the message of the error."""

    def check(data, error=IntegrityError, **limits):
        (folder / "model.joblib").write_bytes(data)
        with pytest.raises(error) as raised:
            check_pickle(folder, Limits(**limits))
        assert error is type(raised.value)
        return raised.value.message

    return check


@pytest.fixture
def script(tmp_path, monkeypatch):
    """Replace the script of the child process by this code."""

    def replace(code):
        path = tmp_path / "script.py"
        path.write_text(code)
        monkeypatch.setattr(pickle_check, "_CHILD", path)
        return path

    return replace


def test_model_is_loaded(folder):
    """Nothing is raised for a published model of texts."""
    from support.published_forms import train_form

    model, _ = train_form("text", "logistic_regression", 3, {})
    (folder / "model.joblib").write_bytes(JoblibCodec().encode(model))

    check_pickle(folder)


def test_model_is_loaded_where_memory_cannot_be_limited(folder, script):
    """macOS has no `/proc`, and enforces no limit of the address space."""
    from support.published_forms import train_form

    model, _ = train_form("text", "logistic_regression", 3, {})
    (folder / "model.joblib").write_bytes(JoblibCodec().encode(model))
    code = pickle_check._CHILD.read_text()
    assert 1 == code.count("/proc/self/statm")
    script(code.replace("/proc/self/statm", "/none").replace("RLIMIT_AS", "NONE"))

    check_pickle(folder)


def test_child_has_nothing_of_its_parent(folder, script, monkeypatch):
    """It sees neither the environment nor open files nor the input, and works in the folder."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    inherited = os.open("/etc/hostname", os.O_RDONLY)
    os.set_inheritable(inherited, True)
    try:
        _, report = run_child(script(SEEN), folder, Limits())
    finally:
        os.close(inherited)
    environment, descriptors, where, given = json.loads(report)

    assert ["JOBLIB_MULTIPROCESSING", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"] == [
        name
        for name in environment
        if name != "LC_CTYPE"  # Python sets this one
    ]
    assert str(inherited) not in descriptors[:-1]
    assert (str(folder), "") == (where, given)


def test_forged_file_is_refused_and_named(check, tmp_path):
    """The message has the name, and no code was run."""
    said = check(make_runners(tmp_path)["os.system"])

    assert "contains 'posix.system', which is not part of any model" in said
    assert not (tmp_path / "os.system").exists()


def test_name_that_cannot_be_shown_is_left_out(check):
    """The message speaks of a name in general."""
    assert "contains an instruction or a name" in check(dump_names("os.sys\x1b[31mtem"))


@pytest.mark.parametrize("make", [make_large, make_laughs], ids=lambda make: make.__name__)
def test_file_that_needs_too_much_is_refused(check, make):
    """It can be refused because of its memory or its time, but the check ends."""
    said = check(make(), memory_bytes=2**28, cpu_seconds=20, wall_seconds=60)

    assert "needs more than 268,435,456 bytes of memory" in said or "is not loaded within" in said


def test_file_that_takes_too_long_is_refused(check):
    """The processor time is limited, so that a busy machine refuses no file."""
    assert "is not loaded within 12 s of CPU time" in check(make_slow(), cpu_seconds=12)


def test_model_of_other_classes_is_incompatible(check):
    """The type of the error is named."""
    said = check(make_own_part(), IncompatibleModelError)

    assert "cannot be loaded and used with the installed packages: AttributeError" in said
    assert "EOFError" in check(b"\x80\x05]", IncompatibleModelError)


def test_metadata_that_cannot_be_read_is_an_error(check, folder):
    """It belongs to the files that somebody may have forged."""
    (folder / "metadata.json").write_text("[" * 100_000)
    from sklearn.feature_extraction.text import CountVectorizer

    model = finish(CountVectorizer(vocabulary={"please": 0}, dtype=np.float64))
    assert "RecursionError" in check(JoblibCodec().encode(model), IncompatibleModelError)


def is_gone(pid, seconds=10):
    """Wait until a process has ended, whether or not somebody has asked for its exit status."""
    path, end = Path(f"/proc/{pid}/stat"), time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(FileNotFoundError):
            if path.read_text().rpartition(")")[2].split()[0] != "Z":
                time.sleep(0.1)
                continue
        return True
    return False


def test_child_that_sleeps_is_killed(check, script, tmp_path):
    """Its children are killed, too."""
    path = tmp_path / "child"
    script(
        f"import subprocess, time\nchild = subprocess.Popen(['sleep', '60'])\n"
        f"open({str(path)!r}, 'w').write(str(child.pid))\ntime.sleep(60)"
    )
    began = time.monotonic()

    assert "is not loaded within" in check(b"", wall_seconds=2)
    assert 30 > time.monotonic() - began
    assert is_gone(int(path.read_text()))


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (f"import os; os.kill(os.getpid(), {signal.SIGSEGV.value})", "-11"),
        ("raise SystemExit(3)", "3"),
        ("print('loaded'); raise SystemExit(3)", "3"),
        ("print('anything else')", "0"),
        ("print('loaded\\n' * 1000)", "0"),
        ("print('refused \\x1b[31m')", "0"),
    ],
)
def test_child_that_reports_nothing_is_an_error(check, script, code, status):
    """Only the fixed words of a child that ends normally count."""
    script(code)

    assert f"ends the process that loads it (exit status {status})" in check(b"")
