"""Whatever somebody puts into a store, commands end with a documented exit code, and soon.

`PCC_FUZZ_OPERATIONS` sets the number of operations; a third of it is that of forged manifests.
"""

import os
import random
import shutil
import time
import traceback
from datetime import UTC, datetime

import pytest
from support.commands import run_here
from support.lineage import KEY, mount
from support.published_store import ERRORS, ROWS, VERSIONS, make_store
from support.reports import make_reports
from support.store_damage import damage, forge_manifest

from job.adapters.stores.directory import DirectoryStore
from job.errors import ExitCode, JobError
from job.registry.champion import PublishedVersion
from job.registry.channels import read_channel
from job.registry.claims import find_claim
from job.registry.fetch import fetch_version
from job.registry.lineage_check import check_lineage
from job.registry.read_version import read_terms
from job.registry.rollback import roll_back
from job.stages.drift.histograms import read_shares
from job.stages.drift.profile import load_profile
from job.stages.gate.group_errors import pair_group_errors
from job.stages.gate.kept_errors import read_group_errors
from job.stages.lineage.changes import count_changed_groups
from job.stages.lineage.training_rows import find_lineage_problem, parse_lineage, was_trained_on

N_OPERATIONS = int(os.environ.get("PCC_FUZZ_OPERATIONS", "300"))
MAX_SECONDS = 10
AT = datetime(2026, 3, 1, tzinfo=UTC)
DOCUMENTED = {*ExitCode} - {ExitCode.UNFORESEEN}


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("pristine") / "store")


@pytest.fixture
def outside(tmp_path):
    """Return a folder that no command may change."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret.json").write_bytes(b'{"version": "secret"}')
    return folder


@pytest.fixture
def copy(pristine, tmp_path):
    """Return a function that makes the store anew."""

    def anew():
        shutil.rmtree(tmp_path / "store", ignore_errors=True)
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        (tmp_path / "page.html").unlink(missing_ok=True)
        shutil.copytree(pristine.uri, tmp_path / "store")
        return tmp_path / "store"

    return anew


def list_commands(store, target):
    """Return the words of each command that reads a store."""
    first, second = VERSIONS
    commands = [
        *(
            ["list"],
            ["history"],
            ["history", "--anchor"],
            ["rollback"],
            ["rollback", "--republish"],
            ["rollback", "--dry-run"],
            ["load-check", first],
        ),
        *(["verify", first], ["verify", "latest"], ["show", "production"], ["diff", first, second]),
        *(["promote", first], ["promote", first, "--anchor"], ["prune"], ["prune", "--keep", "1"]),
        *(["prune", "--dry-run"], ["fetch", "latest", target], ["fetch", first, target]),
    ]
    report = ["report", "production", "--to", target.with_name("page.html")]
    requests = write_requests(target.with_name("requests.csv"))
    out = target.with_name("predictions.csv")
    return [
        ["predict", first, "--dataset", requests, "--out", out, "--force", "--store", store],
        *(["models", *words, "--store", store] for words in commands),
        *([*report, *words, "--store", store] for words in ([], ["--anew"])),
    ]


def write_requests(path):
    """Write a table that the models of the store can predict; return its path."""
    width = make_reports()[0]["input"]["shape"][1]
    path.write_text(f'embeddings\n"{[0.5] * width}"\n')
    return path


def read_as_a_run(store):
    """Read what a run reads of the champion."""
    keys = mount(store)
    check_lineage(store, keys, "production", None)
    find_claim(store, "r1", {"data_digest": "x"})
    version, _ = read_channel(store, "production")
    if version is None:
        return
    read_terms(store, version)
    champion = PublishedVersion.read(store, version, keys)
    published = champion.metadata.lineage
    if not find_lineage_problem(champion):
        was_trained_on(champion, ROWS, None)
    if champion.lineage is not None:
        lineage = parse_lineage(version, champion.lineage)
        if lineage.key_id == KEY.id:
            count_changed_groups(lineage, lineage)
    profile = published and load_profile(store, version, published, KEY)
    for part in () if not profile else profile.profile.parts.values():
        read_shares(part)
    errors = read_group_errors(store, champion.metadata)
    if errors is not None and errors.classes == ERRORS.classes:
        pair_group_errors(errors, ERRORS)


def act(random, folder, target):
    """Run a random command; return its words, exit code and, if it crashed, where."""
    if random.random() < 0.25:
        words = ["(a run's reads)"]
        code, crash = call(lambda: read_as_a_run(DirectoryStore(folder)))
    else:
        form = random.choice(["json", "table"])
        words = [*random.choice(list_commands(folder, target)), "--output", form]
        ended = run_here(*words)
        code, crash = ended.code, ended.crash
    return " ".join(map(str, words)), code, crash


def call(function):
    """Return the exit code that the command line would give an error of this function."""
    try:
        function()
    except JobError as error:
        return int(error.exit_code), None
    except Exception as error:  # noqa: BLE001  # as the command line does
        return 1, error
    return 0, None


def describe(crash):
    last = traceback.extract_tb(crash.__traceback__)[-4:]
    return f"{type(crash).__name__}: {str(crash)[:200]} " + " < ".join(
        f"{frame.filename.rpartition('/job/')[2]}:{frame.lineno}" for frame in reversed(last)
    )


def snapshot(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_damaged_store_ends_no_command_unexpectedly(copy, outside, tmp_path):
    """No crash, no hang, nothing written outside of the store and the target."""
    found = []
    for seed in range(N_OPERATIONS):
        rng, folder, target = random.Random(seed), copy(), tmp_path / "out"
        shutil.rmtree(outside / "moved", ignore_errors=True)
        damages = [damage(rng, folder, outside) for _ in range(rng.randint(1, 3))]
        before, started = snapshot(outside), time.monotonic()
        words, code, crash = act(rng, folder, target)
        is_slow = time.monotonic() - started > MAX_SECONDS
        if code not in DOCUMENTED or is_slow or before != snapshot(outside):
            found.append((seed, damages, words, code, crash and describe(crash)))

    assert [] == found


def test_forged_manifest_is_refused_or_harmless(copy, tmp_path):
    """A version is fetched only if all of its files are those of the manifest."""
    found, n_refused = [], 0
    for seed in range(N_OPERATIONS // 3):
        rng, folder = random.Random(seed), copy()
        forge_manifest(rng, folder / VERSIONS[0])
        store = DirectoryStore(folder)
        code, crash = call(lambda: fetch_version(store, VERSIONS[0], tmp_path / "out"))  # noqa: B023
        n_refused += code == ExitCode.INTEGRITY
        if code not in (ExitCode.OK, ExitCode.INTEGRITY):
            found.append((seed, code, crash and describe(crash)))

    assert [] == found
    assert n_refused > N_OPERATIONS // 6


def test_undamaged_store_passes_every_command(copy, tmp_path):
    """The fuzzer would otherwise test little."""
    for words in list_commands("STORE", tmp_path / "out"):
        store = copy()
        ended = run_here(*(store if word == "STORE" else word for word in words))

        assert (0, "") == (ended.code, ended.message), words
    read_as_a_run(DirectoryStore(copy()))
    roll_back(DirectoryStore(copy()), "production", at=AT, by="r9", is_republished=False)
