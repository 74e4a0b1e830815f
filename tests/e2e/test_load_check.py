"""`pcc-job models load-check --pickle` on published and on forged versions."""

import json
import subprocess
import sys

import pytest
from support.forged_models import make_runners, make_wide_array
from support.published_forms import encode_form
from support.versions import name_of

from job.adapters.stores.directory import DirectoryStore
from job.registry.publish import publish

METADATA = json.dumps({"input": {"kind": "text"}}).encode()


@pytest.fixture
def load_check(pcc_job, tmp_path):
    """Publish these bytes with a correct manifest; return how the command ends."""

    def check(data, **environment):
        store = DirectoryStore(tmp_path / "models")
        version = name_of("a", 1)
        publish(store, version, "a", {"model.joblib": data, "metadata.json": METADATA})
        verified = pcc_job("models", "verify", version, "--store", store.uri)
        assert 0 == verified.returncode, verified.stderr
        words = ("models", "load-check", version, "--pickle", "--store", store.uri)
        return pcc_job(*words, **environment)

    return check


def test_published_model_is_loadable(load_check):
    """The result says so."""
    done = load_check(encode_form("text", "logistic_regression", 3, {}))

    assert 0 == done.returncode, done.stderr
    assert json.loads(done.stdout)["is_loadable"]


@pytest.mark.parametrize("name", ["os.system", "a nested pickle", "a function that is stored"])
def test_forged_version_runs_no_code(load_check, tmp_path, name):
    """The exit code is 8, although the manifest is right; loading without protection runs code."""
    data = make_runners(tmp_path)[name]
    done = load_check(data)

    assert 8 == done.returncode, done.stderr
    assert "which is not part of any model that this release publishes" in done.stderr
    assert not (tmp_path / name).exists()
    (tmp_path / "x.joblib").write_bytes(data)
    code = "import joblib; joblib.load('x.joblib').predict(['please delete my data'])"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, stderr=subprocess.DEVNULL)
    assert (tmp_path / name).exists()


def test_damaged_array_is_refused(load_check):
    """It ends before memory is allocated."""
    done = load_check(make_wide_array())

    assert 8 == done.returncode, done.stderr
    assert "'joblib.numpy_pickle.NumpyArrayWrapper'" in done.stderr
