"""Load a model as a consumer does: in a separate process, without this job's code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

_LOAD: Final = """
import json, sys
import joblib

given = json.load(open(sys.argv[1] + "/metadata.json"))["input"]
model = joblib.load(sys.argv[1] + "/model.joblib")
if given["kind"] == "text":
    row = ["please delete my data"]
elif given["kind"] == "embeddings":
    import numpy
    row = numpy.zeros((1, given["shape"][1]), dtype="float32")
else:
    import pandas
    kinds = zip(given["names"], given["dtypes"])
    row = pandas.DataFrame({n: ["x" if d == "str" else 0.0] for n, d in kinds})
assert len(model.predict(row)) == 1 and model.predict_proba(row).shape == (1, len(model.classes_))
"""


def find_load_problem(folder: Path) -> str | None:
    """Load the version in `folder` and predict one row; return the type of an error, or None."""
    done = subprocess.run(  # noqa: S603  # fixed interpreter and code
        [sys.executable, "-I", "-c", _LOAD, str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return None
    return (done.stderr.strip().splitlines() or ["killed"])[-1].partition(":")[0]
