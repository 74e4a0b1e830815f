"""Runs on a small table of different letters, which take a few seconds each."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
from support.processes import run_command
from support.settings import OPEN

CLASSES = ("ask", "drop", "stop")
SETTINGS = (
    "dataset.min_rows=100",
    "expectations.suite=labelled_embeddings",
    OPEN,
    "search.estimators={logistic_regression: {C: [1]}}",
    "evaluation.method=holdout",
    "evaluation.resamples=1000",
    "search.workers=1",
)


def write_letters(n_rows=240, *, seed=0):
    """Return a table of letters that share no sentence, in three classes.

    Each letter has an e-mail address and a number of its own.
    """
    rng = np.random.default_rng(seed)
    syllables = np.array([f"{a}{b}" for a in "bdfgklmnprst" for b in "aeiou"])
    classes = np.arange(n_rows) % len(CLASSES)
    texts = []
    for row, kind in enumerate(classes):
        words = ["".join(rng.choice(syllables, 3)) for _ in range(10)]
        signed = f"{words[0]}.{row}@mail.example, customer {700000 + seed * 1000 + row}"
        texts.append(f"{CLASSES[kind]} {' '.join(words)} {signed}")
    X = 3 * np.eye(8)[classes] + rng.standard_normal((n_rows, 8))
    return pd.DataFrame(
        {
            "text": texts,
            "intent": [CLASSES[kind] for kind in classes],
            "embeddings": list(X.astype(np.float32)),
        }
    )


class SmallRuns:
    """Commands in one folder, whose store is `models`; key and settings can be given."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.store = self.folder / "models"

    def command(self, *words, key=None, **environment):
        """Run the command line; `key` is the value of PCC_JOB_LINEAGE_KEY."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("PCC_JOB_")}
        given = environment if key is None else {**environment, "PCC_JOB_LINEAGE_KEY": key}
        return run_command(words, self.folder, {**inherited, **given})

    def run(self, table, *words, sets=(), key=None, **environment):
        """Train on a table; `sets` are settings."""
        path = self.folder / "table.parquet"
        table.to_parquet(path)
        options = [word for value in (*SETTINGS, *sets) for word in ("--set", value)]
        where = ("--dataset", path, "--store", self.store)
        return self.command("run", *where, *options, *words, key=key, **environment)

    def publish(self, table, *words, **options):
        """Train on a table; return the result, which must be a new version."""
        done = self.run(table, *words, **options)
        assert done.returncode == 0, done.stderr[-3000:]
        result = json.loads(done.stdout)
        assert result["outcome"] == "published", done.stdout
        return result

    def list_files(self):
        """Return the names of all files of the store, relative to it."""
        files = (path for path in self.store.rglob("*") if path.is_file())
        return sorted(str(path.relative_to(self.store)) for path in files)

    def read_json(self, name):
        """Return the content of a file of the store."""
        return json.loads((self.store / name).read_text())

    def read_record(self, run_id, attempt=1):
        """Return the record of a run's attempt."""
        return self.read_json(f"runs/{run_id}/{attempt}.json")


def list_events(done):
    """Return the log events of a finished command, by name."""
    lines = [line for line in done.stderr.splitlines() if line.startswith("{")]
    return {event["event"]: event for event in map(json.loads, lines)}
