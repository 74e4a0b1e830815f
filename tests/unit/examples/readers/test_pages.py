"""The example of the specification, and the programs of the pages for consumers."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.markdown import ROOT, read_block
from support.readers import READERS, predict_with_javascript, predict_with_python
from support.requirements import skip_without

from job.model_form.encoding import decode_form, encode_form

SPECIFICATION, PAGE = "docs/model-format.md", "examples/readers/README.md"
CONSUMERS = "docs/consumers.md"
RESULTS = json.loads(read_block(SPECIFICATION, "example-probabilities", "json"))


def write_example(path):
    """Write the bytes that the specification prints."""
    length, arrays = (
        bytes.fromhex(read_block(SPECIFICATION, f"example-{part}", "text"))
        for part in ("length", "arrays")
    )
    header = read_block(SPECIFICATION, "example-header", "json").strip()
    path.write_bytes(length + header.encode() + b"   " + arrays)


@pytest.fixture
def folder(tmp_path):
    """Return a folder with the example, in which the commands of the page work."""
    (tmp_path / "examples").symlink_to(READERS.parent)
    write_example(tmp_path / "model.safetensors")
    return tmp_path


def start_in(folder, command):
    if shutil.which("node") is None:
        skip_without("node", "Node.js is not installed")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(READERS / "python")}
    environment["MODEL_STORE"] = "store"
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )


def run_in(folder, command):
    done = start_in(folder, command)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("predict", [predict_with_python, predict_with_javascript])
def test_example_has_the_printed_size_and_probabilities(tmp_path, predict):
    """A stranger who follows the page gets these numbers."""
    path = tmp_path / "model.safetensors"
    write_example(path)
    texts, expected = zip(*RESULTS, strict=True)

    assert "This file has 590 bytes." in (ROOT / SPECIFICATION).read_text()
    assert 590 == path.stat().st_size
    np.testing.assert_allclose(predict(path, texts), expected, rtol=0, atol=1e-15)


def test_example_is_what_the_job_writes(tmp_path):
    """The bytes follow from the model, because keys and arrays are sorted."""
    path = tmp_path / "model.safetensors"
    write_example(path)

    assert path.read_bytes() == encode_form(decode_form(path.read_bytes(), path.name))


def test_commands_print_the_output_of_the_page(folder):
    """Both readers print the same objects; only Python puts spaces between them."""
    lines = run_in(folder, ["bash", "-e", "-c", read_block(PAGE, "commands", "sh")]).splitlines()
    output = read_block(PAGE, "output", "json").splitlines()

    assert output == lines[:2]
    assert [json.loads(line) for line in output] == [json.loads(line) for line in lines[2:]]


def write_programs(folder):
    """Write the programs of the readers' page; return their commands."""
    shutil.copy(READERS / "javascript/pcc-model.mjs", folder)
    (folder / "program.mjs").write_text(read_block(PAGE, "javascript", "javascript"))
    python = [sys.executable, "-c", read_block(PAGE, "python", "python")]
    return python, ["node", "program.mjs"]


def test_programs_of_the_page_answer_above_the_threshold(folder):
    """The second text of the example is not answered."""
    for command in write_programs(folder):
        assert "delete\nno answer\n" == run_in(folder, command)


def test_programs_of_the_page_answer_nothing_without_a_threshold(folder):
    """Null has several meanings, and most of them are that answers are not precise enough."""
    path = folder / "model.safetensors"
    data = path.read_bytes().replace(b'old\\":0.6,', b'old\\":null,')
    path.write_bytes(data.replace(b"}}   ", b"}}  "))  # the header keeps its length

    for command in write_programs(folder):
        assert "no answer\nno answer\n" == run_in(folder, command)


@pytest.fixture
def store(folder):
    """Return a store with the example as its only version, beside the programs for consumers."""
    version = folder / "store/v1"
    version.mkdir(parents=True)
    (folder / "model.safetensors").rename(version / "model.safetensors")
    (version / "metadata.json").write_text("{}")
    files = [
        {"name": path.name, "digest": f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"}
        for path in sorted(version.iterdir())
    ]
    (version / "manifest.json").write_text(json.dumps({"version": "v1", "files": files}))
    (folder / "store/channels").mkdir()
    (folder / "store/channels/production.json").write_text('{"version": "v1"}')
    shutil.copy(READERS / "javascript/pcc-model.mjs", folder)
    program = read_block(CONSUMERS, "javascript-reader", "javascript")
    (folder / "consumer.mjs").write_text(f"{program}console.log(model.classes.join());")
    program = read_block(CONSUMERS, "python-reader", "python")
    (folder / "consumer.py").write_text(f"{program}print(','.join(model.classes))")
    return folder / "store"


CONSUMER_COMMANDS = ([sys.executable, "consumer.py"], ["node", "consumer.mjs"])


@pytest.mark.parametrize("command", CONSUMER_COMMANDS)
def test_programs_for_consumers_read_a_verified_model(store, command):
    """The bytes whose digest was compared are the bytes of the model."""
    assert "delete,keep\n" == run_in(store.parent, command)


@pytest.mark.parametrize("command", CONSUMER_COMMANDS)
def test_programs_for_consumers_refuse_other_versions(store, command):
    """These are changed bytes, a manifest of another version, and a version without the file."""
    manifest = store / "v1/manifest.json"
    right = manifest.read_text()
    manifest.write_text(right.replace('"version": "v1"', '"version": "v2"'))
    assert "is not what was published" in start_in(store.parent, command).stderr
    manifest.write_text(right.replace("model.safetensors", "model.joblib"))
    assert "v1 has no model.safetensors" in start_in(store.parent, command).stderr
    manifest.write_text(right)
    path = store / "v1/model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"A")
    assert "is not what was published" in start_in(store.parent, command).stderr
