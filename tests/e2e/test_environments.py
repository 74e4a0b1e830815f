"""No environment ends in exit code 1: each failure has its code, and a hint that helps."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import environments
from support.processes import run_command
from support.requirements import skip_without
from support.small_runs import SETTINGS, write_letters

_LONG = "a" * 5000


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("table") / "letters.parquet"
    write_letters(120).to_parquet(path)
    return path


def _environment(**given):
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PCC_JOB_")}
    return {**inherited, **given}


def _run(words, folder, prepare=None, **given):
    return run_command(words, folder, _environment(**given), prepare=prepare)


def _validate(table):
    return ["validate", "--dataset", table, *(w for s in SETTINGS for w in ("--set", s))]


def _start(words, folder, **options):
    """Run the command line in a new interpreter."""
    given = options.pop("environment", {})
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    command = [sys.executable, "-m", "job", *words]
    environment = _environment(**given)
    return subprocess.run(
        command, cwd=folder, env=environment, text=True, timeout=120, check=False, **streams
    )


def _reason(done):
    """Return reason and hint of the last event of the log; the hint must not be empty."""
    event = json.loads(done.stderr.strip().splitlines()[-1])
    assert event["hint"], event
    return f"{event['reason']} {event['hint']}"


def _list_files(folder):
    return [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]


# --- folders and users ---


def test_no_temporary_folder_is_the_operators(table, tmp_path):
    """No folder takes a temporary file."""
    done = _start(_validate(table), tmp_path, preexec_fn=environments.limit_file_size(0))

    assert 2 == done.returncode, done.stderr
    assert "TMPDIR" in _reason(done)


@pytest.mark.parametrize("name", ["absent", "letters.parquet", _LONG])
def test_unusable_tmpdir_is_replaced(table, tmp_path, name):
    """Another temporary folder is used, as Python does."""
    done = _run(_validate(table), tmp_path, TMPDIR=str(table.parent / name))

    assert 0 == done.returncode, done.stderr


def test_user_without_name_and_home_can_validate(table, tmp_path):
    """OpenShift gives each container a random user, which has no entry in /etc/passwd."""
    if os.geteuid() != 0:
        skip_without("root", "becoming another user needs root")
    done = _run(_validate(table), tmp_path, environments.lose_name_and_home)

    assert 0 == done.returncode, done.stderr


def test_no_thread_can_start(table, tmp_path):
    """Other processes of the user may end, so a later attempt is of use."""
    done = _run(_validate(table), tmp_path, environments.forbid_threads)

    assert 75 == done.returncode, done.stderr
    assert "ulimit -u" in _reason(done)


# --- limits ---


@pytest.mark.parametrize("n_mib", [800, 1500])
def test_small_address_space_is_refused_before_the_libraries(table, tmp_path, n_mib):
    """Without memory, a native library ends the process with 1, or waits forever."""
    done = _run(_validate(table), tmp_path, environments.limit_memory(n_mib * 2**20))

    assert 2 == done.returncode, done.stderr
    assert "ulimit -v" in done.stderr


def test_smallest_address_space_is_refused_at_once(tmp_path):
    """The command line itself does not fit."""
    done = _start(["--help"], tmp_path, preexec_fn=environments.limit_memory(100 * 2**20))

    assert (2, "hint: `ulimit -v unlimited`") == (
        done.returncode,
        done.stderr.strip().splitlines()[-1],
    )


@pytest.mark.parametrize(("limit", "amount"), [("limit_file_size", 0), ("limit_open_files", 10)])
def test_limits_of_files_are_named(tmp_path, limit, amount):
    """Neither is a failure of the store: a later attempt would fail, too."""
    prepare = getattr(environments, limit)(amount)
    done = _start(["doctor", "--store", "models"], tmp_path, preexec_fn=prepare)

    assert 2 == done.returncode, done.stderr
    assert "ulimit -" in _reason(done)
    assert [] == _list_files(tmp_path)


# --- the interpreter and its streams ---


@pytest.mark.parametrize("words", [["--help"], ["config", "show"], ["models", "list"]])
def test_python_without_docstrings_is_refused(tmp_path, words):
    """A library needs docstrings, and the help is made of them."""
    done = _start(words, tmp_path, environment={"PYTHONOPTIMIZE": "2"})

    assert 2 == done.returncode, done.stderr
    assert "PYTHONOPTIMIZE=1" in done.stderr


def test_python_without_assertions_validates(table, tmp_path):
    """Nothing is checked by an assertion only."""
    done = _start(_validate(table), tmp_path, environment={"PYTHONOPTIMIZE": "1"})

    assert 0 == done.returncode, done.stderr


@pytest.mark.parametrize(
    ("number", "words", "code"),
    [
        (0, ["config", "show"], 0),
        (1, ["config", "show"], 2),
        (1, ["validate", "--dataset", "absent.csv"], 3),
        (2, ["config", "show"], 0),
        (2, ["validate", "--dataset", "absent.csv"], 3),
        (2, ["nothing"], 2),
    ],
)
def test_closed_streams_change_no_code(tmp_path, number, words, code):
    """Only a result without stdout is lost."""
    done = _start(words, tmp_path, preexec_fn=environments.close_stream(number))

    assert code == done.returncode, done.stderr


@pytest.mark.parametrize(
    ("stream", "words", "code"),
    [
        ("stderr", ["config", "show"], 0),
        ("stderr", ["validate", "--dataset", "absent.csv"], 3),
        ("stderr", ["nothing"], 2),
        ("stdout", ["config", "show"], 75),
        ("stdout", ["--help"], 75),
        ("stdout", ["--version"], 75),
        ("stdout", ["validate", "--dataset", "absent.csv"], 3),
    ],
)
def test_full_streams_change_no_code(tmp_path, stream, words, code):
    """A lost line of the log does not fail a command; a lost result does."""
    with Path("/dev/full").open("w") as full:
        done = _start(words, tmp_path, **{stream: full})

    assert code == done.returncode, done.stderr


@pytest.mark.parametrize(
    "given",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "unknown"},
    ],
)
def test_locale_without_unicode_is_enough(tmp_path, given):
    """The help has frames, and a message the name of a file."""
    helped = _start(["run", "--help"], tmp_path, environment=given)
    failed = _start(["config", "check", "--config", "não.yaml"], tmp_path, environment=given)

    assert (0, 2) == (helped.returncode, failed.returncode), failed.stderr
    assert "does not exist" in failed.stderr


# --- texts ---


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["validate", "--dataset", "a\udcff.csv"], 2),
        (["config", "check", "--config", "a\udcff.yaml"], 2),
        (["config", "check", "--set", "dataset.uri=\udcff"], 2),
        (["config", "check", "--set", "\udcff=1"], 2),
        (["models", "list", "--store", "\udcff"], 2),
        (["init", "t.csv", "--out", "\udcff"], 3),
        (["\udcff"], 2),
        (["models", "list", "--\udcff"], 2),
        (["report", "\udcff", "--store", "."], 2),
        (["predict", "\udcff", "text", "--store", "."], 2),
    ],
)
def test_arguments_that_are_not_utf8_are_refused(tmp_path, words, code):
    """Bytes that are not UTF-8 reach Python as half characters."""
    assert code == _run(words, tmp_path).returncode


def test_part_whose_name_is_not_utf8_is_named(table, tmp_path):
    """Arrow opens no such file."""
    try:
        (tmp_path / "part\udcfe.parquet").write_bytes(table.read_bytes())
    except OSError:  # APFS has UTF-8 names only
        skip_without("linux", "the file system has UTF-8 names only")
    done = _run(_validate(tmp_path), tmp_path)

    assert 3 == done.returncode, done.stderr
    assert "UTF-8" in _reason(done)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("dataset: {uri: 2024-01-01}", 0),
        ("search: {seed: 2024-01-01}", 2),
        ("search: {seed: 2024-01-01T10:00:00Z}", 2),
        ("2024-01-01: 2024-01-01", 2),
        ("dataset: {2024-01-01: 3}", 2),
        ("gate: {floors: {f1_macro: 2024-01-01}}", 2),
        ("? [a, b]\n: 3", 2),
        ("? {a: b}\n: 3", 2),
        ("search: {<<: 3}", 2),
        ("search: {seed: .nan}", 2),
        ('dataset: {uri: "\\ud83d"}', 2),
        ('{"\\ud83d": 1}', 2),
        ("[" * 5000, 2),
        ('{"a":' * 5000, 2),
        ("- " * 3000, 2),
    ],
)
def test_settings_of_other_kinds_are_refused(tmp_path, text, code):
    """A date where a path is expected is the path's text."""
    (tmp_path / "job.yaml").write_text(text)
    done = _run(["config", "check", "--config", "job.yaml"], tmp_path)

    assert code == done.returncode, done.stderr


# --- paths ---


def _unusable_paths(folder):
    (folder / "file").write_text("")
    (folder / "loop").symlink_to("loop")
    return {
        "long": _LONG,
        "deep": "/".join(["a" * 200] * 30),
        "below a file": "file/x",
        "loop": "loop",
        "below a loop": "loop/x",
    }


@pytest.mark.parametrize("kind", ["long", "deep", "below a file", "loop", "below a loop"])
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["validate", "--dataset", "{}.csv"], (2, 3)),
        (["validate", "--dataset", "{}"], (2, 3)),
        (["doctor", "--store", "{}"], (2,)),
        (["models", "list", "--store", "{}"], (2,)),
        (["config", "check", "--config", "{}"], (2,)),
        (["config", "check", "--set", "expectations.suite={}"], (2,)),
        (["sample-data", "{}.csv", "--rows", "10"], (0, 2)),
        (["sample-data", "{}.parquet", "--rows", "10"], (0, 2)),
        (["report", "{}", "--store", "."], (2,)),
        (["doctor", "--set", "lineage.key_file={}", "--store", "models"], (2,)),
    ],
)
def test_unusable_paths_have_their_code(tmp_path, kind, words, code):
    """Too long, through a file, or a loop of links."""
    path = _unusable_paths(tmp_path)[kind]
    done = _run([word.format(path) for word in words], tmp_path)

    assert done.returncode in code, done.stderr


@pytest.mark.parametrize("key", ["dataset.uri", "store.uri", "lineage.key_file"])
def test_zero_byte_in_a_path_is_refused(tmp_path, key):
    """No file has such a name."""
    done = _run(["doctor", "--set", f'{key}="a\\0b"'], tmp_path)

    assert 2 == done.returncode, done.stderr


# --- stores on other file systems ---


@pytest.mark.parametrize("number", environments.LINK_ERRORS)
def test_store_without_links_is_refused(tmp_path, number):
    """Objects are created once by links; gcsfuse, blobfuse and vfat have none."""
    done = _run(["doctor", "--store", "models"], tmp_path, environments.lack("link", number))

    assert 2 == done.returncode, done.stderr
    assert "hard links" in _reason(done)
    assert [] == _list_files(tmp_path)
    assert not (tmp_path / "models/probe").exists()


@pytest.mark.parametrize("number", environments.LOCK_ERRORS)
def test_store_without_locks_is_refused(tmp_path, number):
    """Channels are moved under a lock."""
    done = _run(["doctor", "--store", "models"], tmp_path, environments.lack("flock", number))

    assert 2 == done.returncode, done.stderr
    assert "flock" in _reason(done)
    assert [] == _list_files(tmp_path)
    assert not (tmp_path / "models/probe").exists()


@pytest.mark.parametrize(("ability", "number"), environments.PASSED_OVER)
def test_store_without_sync_of_folders_or_modes_is_used(tmp_path, ability, number):
    """Network mounts and vfat have no such calls, and need none."""
    done = _run(["doctor", "--store", "models"], tmp_path, environments.lack(ability, number))

    assert 0 == done.returncode, done.stderr


def test_failing_sync_is_not_passed_over(tmp_path):
    """A device that fails may lose what was written."""
    lacking = environments.lack("fsync", errno.EIO)
    done = _run(["doctor", "--store", "models"], tmp_path, lacking)

    assert 75 == done.returncode, done.stderr


def test_run_is_refused_before_it_trains(table, tmp_path):
    """A run of hours must not fail when it publishes."""
    (tmp_path / "models").mkdir()
    words = ["run", *_validate(table)[1:], "--store", "models"]
    done = _run(words, tmp_path, environments.lack("link", errno.EPERM))

    assert 2 == done.returncode, done.stderr
    assert "hard links" in _reason(done)
    assert "dataset_ingested" not in done.stderr
    assert [] == _list_files(tmp_path / "models")
