"""The exploration notebook runs as it is committed, and shows no row of the table."""

import json
import os

import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from support.markdown import ROOT

NOTEBOOK = ROOT / "examples/explore.ipynb"


@pytest.fixture
def execute(tmp_path, monkeypatch):
    """Execute the notebook in `examples` of an empty checkout, with other first settings."""
    (tmp_path / "examples").mkdir()
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    for name in [name for name in os.environ if name.startswith("PCC_JOB_")]:
        monkeypatch.delenv(name)

    def run(changes=()):
        notebook = nbformat.read(NOTEBOOK, as_version=4)
        first = next(cell for cell in notebook.cells if cell.cell_type == "code")
        for old, new in dict(changes).items():
            assert first.source.count(old) == 1
            first.source = first.source.replace(old, new)
        resources = {"metadata": {"path": str(tmp_path / "examples")}}
        NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources).execute()
        return [output for cell in notebook.cells for output in cell.get("outputs", ())]

    return run


def shown_text(outputs):
    """Return all text of the outputs; pictures are left out."""
    parts = [part.get("text", "") for part in outputs]
    for part in outputs:
        data = part.get("data", {})
        parts += [value for kind, value in data.items() if kind.startswith("text/")]
    return "\n".join(parts)


def n_pictures(outputs):
    return sum("image/png" in part.get("data", {}) for part in outputs)


def test_it_is_committed_without_outputs():
    """Outputs could show a table, and make each difference long."""
    cells = nbformat.read(NOTEBOOK, as_version=4).cells

    assert all(not cell.get("outputs") for cell in cells)
    assert all(cell.get("execution_count") is None for cell in cells)


def test_before_the_first_run_it_says_what_to_do(execute, tmp_path):
    """The sample is written; the charts of the table are drawn, that of the errors is not."""
    outputs = execute()

    assert (tmp_path / "data/curated_training_data.parquet").is_file()
    assert "publish a version first, for example with `make run`" in shown_text(outputs)
    assert 4 == n_pictures(outputs)


def test_errors_of_a_version(execute, train, result_of, sample, tmp_path):
    """Held-out rows are predicted by the plain form; no text of the table is in the output."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data/curated_training_data.parquet").write_bytes(sample.read_bytes())
    result = result_of(train(sample, "--set", "evaluation.method=holdout"))
    version, accuracy = result["version"], result["scores"]["accuracy"]
    evaluation = json.loads((tmp_path / "models" / version / "evaluation.json").read_text())
    n_rows = evaluation["n_test"]
    outputs = execute()
    text = shown_text(outputs)

    assert 5 == n_pictures(outputs)
    assert f"{version}: {accuracy:.1%} of {n_rows:,} held-out rows are right" in text
    assert [] == [row for row in pd.read_parquet(sample)["text"] if row in text]


def test_table_of_ones_own(execute, sample, tmp_path):
    """A settings file names the columns; a rare class is counted, and not named."""
    table = pd.read_parquet(sample)[["text", "intent"]]
    table.loc[:2, "intent"] = "Jane Doe"
    table.to_csv(tmp_path / "table.csv", index=False)
    (tmp_path / "job.yaml").write_text("{dataset: {uri: table.csv}}")
    text = shown_text(execute({"CONFIG = None": "CONFIG = Path('job.yaml')"}))

    assert "1 classes have fewer than 5 rows, together 3 rows" in text
    assert "Jane Doe" not in text


def test_cell_that_fails_fails_the_test(execute):
    with pytest.raises(CellExecutionError):
        execute({'VERSION = "latest"': "VERSION = 1 / 0"})
