"""A champion whose model.joblib was replaced, with a manifest that agrees, runs no code."""

import json
import subprocess
import sys

import pandas as pd
import pytest
from support.forged_models import make_runners
from support.forged_versions import forge
from support.small_runs import SmallRuns, write_letters

RUNNER = "os.system"
TABLE = write_letters()
NEXT = pd.concat([TABLE, write_letters(60, seed=1)], ignore_index=True)


@pytest.fixture(scope="module")
def forged(tmp_path_factory):
    """A store whose champion has a model.joblib that runs code."""
    runs = SmallRuns(tmp_path_factory.mktemp("forged"))
    version = runs.publish(TABLE)["version"]
    forge(runs.store / version, "model.joblib", make_runners(runs.folder)[RUNNER])
    return runs, version


def has_run(runs):
    return (runs.folder / RUNNER).exists()


def test_forgery_is_consistent_and_would_run_code(forged):
    """The control: `verify` finds nothing, and a consumer's joblib runs the code."""
    runs, version = forged
    verified = runs.command("models", "verify", version, "--store", runs.store)
    assert 0 == verified.returncode, verified.stderr
    path = runs.store / version / "model.joblib"
    code = "import joblib, sys; joblib.load(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, path], stderr=subprocess.DEVNULL)

    assert has_run(runs)
    (runs.folder / RUNNER).unlink()


def test_run_and_gate_compare_it_without_running_code(forged):
    """The plain form is untouched, so the comparison takes place."""
    runs, version = forged
    later = runs.publish(NEXT, "--set", "gate.margin=0.5")["version"]
    evaluation = json.loads((runs.store / later / "evaluation.json").read_text())
    [compared] = [c for c in evaluation["gate"]["comparisons"] if c["role"] == "champion"]
    assert (version, "") == (compared["version"], compared["problem"])
    assert compared["champion_score"] > 0.5

    for words in (("models", "load-check", version), ("models", "diff", version, later)):
        done = runs.command(*words, "--store", runs.store)
        assert 0 == done.returncode, done.stderr
    refused = runs.command("models", "load-check", version, "--pickle", "--store", runs.store)
    assert 8 == refused.returncode, refused.stderr
    assert not has_run(runs)


def test_forged_plain_form_ends_with_8(forged, tmp_path):
    """It is not a model, although the manifest lists its digest."""
    runs, version = forged
    forge(runs.store / version, "model.safetensors", b"\xff" * 100)
    done = runs.command("models", "load-check", version, "--store", runs.store)

    assert 8 == done.returncode, done.stderr
    assert f"{version}/model.safetensors" in done.stderr
    assert "Traceback" not in done.stderr
