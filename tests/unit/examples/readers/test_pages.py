"""The example of the specification and the commands of the readers' page."""

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


def run_in(folder, command):
    if shutil.which("node") is None:
        skip_without("node", "Node.js is not installed")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(READERS / "python")}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )
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


def test_programs_of_the_page_answer_above_the_threshold(folder):
    """The second text of the example is not answered."""
    shutil.copy(READERS / "javascript/pcc-model.mjs", folder)
    (folder / "program.mjs").write_text(read_block(PAGE, "javascript", "javascript"))

    assert "delete\nno answer\n" == run_in(
        folder, [sys.executable, "-c", read_block(PAGE, "python", "python")]
    )
    assert "delete\nno answer\n" == run_in(folder, ["node", "program.mjs"])
