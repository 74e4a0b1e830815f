"""A complete run with an estimator that the job does not have: only an `EstimatorKind` is added."""

import json
import os
import subprocess
import sys
from pathlib import Path

from support.settings import OPEN

ROOT = Path(__file__).parents[2]
ADD_AND_RUN = """
from sklearn.linear_model import RidgeClassifier
from job.cli import main
from job.stages.training.estimators import ESTIMATOR_KINDS, EstimatorKind, FitMemory

ESTIMATOR_KINDS["ridge"] = EstimatorKind(
    name="ridge",
    load=lambda: RidgeClassifier,
    default_grid={"alpha": (1.0, 10.0)},
    memory=FitMemory(per_cell=20, per_occurrence=20, per_coefficient=24),
    needs_calibration=True,
)
main()
"""


def test_added_estimator_is_searched_published_and_reported(sample, tmp_path):
    """It is trained on texts and numbers; metadata, report and card contain its name and grid."""
    words = (
        "search.estimators={ridge: {}}",
        "dataset.min_rows=100",
        "evaluation.resamples=1000",
        OPEN,
    )
    arguments = [word for value in words for word in ("--set", value)]
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            ADD_AND_RUN,
            "run",
            "--dataset",
            sample,
            "--store",
            "store",
            *arguments,
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    version = tmp_path / "store" / json.loads(done.stdout)["version"]
    metadata = json.loads((version / "metadata.json").read_text())
    evaluation = json.loads((version / "evaluation.json").read_text())

    assert "ridge" == metadata["classifier"]
    assert {"alpha"} == set(metadata["hyperparameters"])
    assert {"ridge"} == {c["estimator"] for c in evaluation["search"]["candidates"]}
    assert all("ridge" in (version / name).read_text() for name in ("report.html", "model_card.md"))
