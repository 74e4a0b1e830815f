"""An additional model file needs only a codec in the table of codecs."""

import json
from functools import partial

from conftest import clean_environment, train_with
from support.processes import run_command

from job.adapters.codecs import CODECS

FILE = "model.json"


class CoefficientsCodec:
    """Writes the coefficients of a logistic regression as JSON."""

    def encode(self, model):
        classifier = model[-1]
        content = {"classes": list(classifier.classes_), "coefficients": classifier.coef_.tolist()}
        return json.dumps(content).encode()


def add_codec():
    CODECS[FILE] = CoefficientsCodec


def test_file_of_an_added_codec_is_published_verified_and_fetched(
    pcc_job, result_of, sample, tmp_path
):
    """The run uses the codec; verify and fetch use only the manifest."""
    command = partial(run_command, prepare=add_codec)
    train = partial(
        train_with, lambda *words: command(words, tmp_path, clean_environment()), tmp_path
    )

    version = result_of(train(sample))["version"]
    folder = tmp_path / "models" / version

    manifest = json.loads((folder / "manifest.json").read_text())
    names = {entry["name"] for entry in manifest["files"]}
    assert {"model.joblib", FILE} <= names
    content = json.loads((folder / FILE).read_text())
    assert (4, 4) == (len(content["classes"]), len(content["coefficients"]))
    result_of(pcc_job("models", "verify", version, "--store", "models"))
    fetched = result_of(pcc_job("models", "fetch", version, "out", "--store", "models"))
    assert (folder / FILE).read_bytes() == (tmp_path / fetched["path"] / FILE).read_bytes()
    (folder / FILE).write_bytes(b"{}")
    assert 8 == pcc_job("models", "verify", version, "--store", "models").returncode


def test_file_of_an_added_codec_is_not_in_reports_of_a_dry_run(result_of, sample, tmp_path):
    """A model that was not accepted is stored in no format."""
    train = partial(
        train_with,
        lambda *words: run_command(words, tmp_path, clean_environment(), prepare=add_codec),
        tmp_path,
    )

    result_of(train(sample, "--dry-run"))

    names = {path.name for path in (tmp_path / "models" / "runs").rglob("*")}
    assert "metadata.json" in names
    assert names.isdisjoint({"model.joblib", FILE})
