"""PCC's pinned environment loads the published models, and predicts the same."""

import os
import subprocess
import sys
import venv

import numpy as np
import pyarrow.parquet as pq
import pytest

PINS = ("scikit-learn==1.4.2", "numpy==1.26.4", "pandas==2.2.1")
USES = ("[embeddings]", "[text]", "[text, embeddings, numeric, boolean]")
ESTIMATORS = ("logistic_regression: {C: [10]}", "linear_svc: {C: [1]}")
# today's PCC: an unmodified joblib.load, then predict and predict_proba
CONSUMER = """
import sys, joblib, numpy as np, pandas as pd
model = joblib.load(sys.argv[1] + "/model.joblib")
X = joblib.load(sys.argv[2])
X = pd.DataFrame(X) if isinstance(X, dict) else X
np.savez(sys.argv[3], labels=model.predict(X).astype("U"), scores=model.predict_proba(X))
"""


@pytest.fixture(scope="session")
def pcc_python(pytestconfig):
    """Create the environment once; it is kept between runs."""
    if sys.version_info >= (3, 13):
        pytest.skip("PCC's pins exist for Python 3.9 to 3.12")
    folder = pytestconfig.cache.mkdir(f"pcc-{sys.version_info[1]}")
    python = folder / "bin/python"
    if not (folder / "made").exists():
        venv.create(folder, with_pip=True, clear=True)
        done = subprocess.run(
            [python, "-m", "pip", "install", "--quiet", *PINS], capture_output=True, text=True
        )
        if done.returncode and not os.environ.get("PCC_TEST_REQUIRE"):
            pytest.skip("PCC's pins cannot be installed here")
        assert done.returncode == 0, done.stderr
        (folder / "made").touch()
    return python


def inputs(path, metadata):
    """Return X as a consumer has it: double precision, names and order from metadata.json."""
    table = pq.read_table(path).to_pandas()
    embeddings = np.vstack(table["embeddings"])
    if metadata["input"]["kind"] == "text":
        return table["text"].tolist()
    if metadata["input"]["kind"] == "embeddings":
        return embeddings
    names = metadata["input"]["names"]
    wide = {f"embeddings_{n}": embeddings[:, n].tolist() for n in range(embeddings.shape[1])}
    columns = {**{n: table[n].tolist() for n in names if n in table}, **wide}
    return {
        name: values if name == "text" else [float(v) for v in values]
        for name, values in ((n, columns[n]) for n in names)
    }


def predict(python, folder, given, target):
    done = subprocess.run(
        [python, "-W", "ignore", "-c", CONSUMER, folder, given, target],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    with np.load(target) as found:
        return found["labels"], found["scores"]


@pytest.mark.parametrize("feature_blocks", USES)
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_labels_are_equal_and_probabilities_too(
    train, sample, result_of, pcc_python, tmp_path, feature_blocks, estimator
):
    import json

    import joblib

    features, search = f"features.use={feature_blocks}", f"search.estimators={{{estimator}}}"
    result = result_of(train(sample, "--set", features, "--set", search))
    folder = tmp_path / "models" / result["version"]
    metadata = json.loads((folder / "metadata.json").read_text())
    joblib.dump(inputs(sample, metadata), tmp_path / "X")
    ours = predict(sys.executable, folder, tmp_path / "X", tmp_path / "ours.npz")
    theirs = predict(pcc_python, folder, tmp_path / "X", tmp_path / "theirs.npz")

    assert ["scikit-learn==1.4.2"] == metadata["compatible_with"]
    assert ours[0].tolist() == theirs[0].tolist()
    np.testing.assert_allclose(theirs[1], ours[1], rtol=0, atol=1e-9)


def test_prototypes_are_equal_too(train, sample, result_of, pcc_python, tmp_path):
    """A pipeline of matrix products needs no class of this project."""
    import json

    import joblib

    search = "search.estimators={prototypes: {n_centers: [5], temperature: [0.1]}}"
    result = result_of(train(sample, "--set", "features.use=[embeddings]", "--set", search))
    folder = tmp_path / "models" / result["version"]
    metadata = json.loads((folder / "metadata.json").read_text())
    joblib.dump(inputs(sample, metadata), tmp_path / "X")
    ours = predict(sys.executable, folder, tmp_path / "X", tmp_path / "ours.npz")
    theirs = predict(pcc_python, folder, tmp_path / "X", tmp_path / "theirs.npz")

    assert ["scikit-learn==1.4.2"] == metadata["compatible_with"]
    assert ours[0].tolist() == theirs[0].tolist()
    np.testing.assert_allclose(theirs[1], ours[1], rtol=0, atol=1e-9)


def test_one_row_as_pcc_sends_it(train, sample, result_of, pcc_python, tmp_path):
    """PCC sends an array of shape (1, 584)."""
    import joblib

    result = result_of(train(sample))
    joblib.dump(np.zeros((1, 584)), tmp_path / "X")
    folder = tmp_path / "models" / result["version"]
    labels, scores = predict(pcc_python, folder, tmp_path / "X", tmp_path / "out.npz")

    assert ((1,), (1, 4)) == (labels.shape, scores.shape)


def test_claim_is_refused_where_it_cannot_be_kept(train, sample, result_of, tmp_path):
    """Temperature scaling by scikit-learn needs a class that 1.4.2 lacks."""
    import json

    result = result_of(
        train(
            sample,
            *("--set", "search.estimators={linear_svc: {C: [1]}}"),
            *("--set", "search.calibration=temperature"),
        )
    )
    path = tmp_path / "models" / result["version"] / "metadata.json"

    assert [] == json.loads(path.read_text())["compatible_with"]
