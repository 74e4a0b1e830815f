"""Versions that take texts, embeddings and a mixture, trained by real runs on the small sample."""

import json
import os

import joblib
from support.processes import run_command
from support.settings import OPEN

CHANNELS = {
    "text": "features.use=[text]",
    "embeddings": "features.use=[embeddings]",
    "mixture": "features.use=[text, embeddings, numeric, boolean]",
}
SETTINGS = (
    *("dataset.min_rows=100", "decision.target_precision=0.5", "evaluation.resamples=1000"),
    *(OPEN, "search.estimators={logistic_regression: {C: [10]}}"),
)


class TrainedStore:
    """A folder with a store that has a version in each channel of `CHANNELS`."""

    def __init__(self, folder, sample):
        self.folder = folder
        for channel, use in CHANNELS.items():
            sets = (*SETTINGS, use, f"publish.channel={channel}")
            options = [word for value in sets for word in ("--set", value)]
            done = self.command("run", "--dataset", sample, *options)
            assert 0 == done.returncode, done.stderr[-3000:]

    def command(self, *words, **environment):
        """Run the command line in the folder."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("PCC_JOB_")}
        given = {"PCC_JOB_STORE__URI": str(self.folder / "models")}
        return run_command(words, self.folder, {**inherited, **given, **environment})

    def read(self, channel):
        """Return the unpickled pipeline and the metadata of a channel's version."""
        pointer = self.folder / f"models/channels/{channel}.json"
        version = self.folder / "models" / json.loads(pointer.read_text())["version"]
        metadata = json.loads((version / "metadata.json").read_text())
        return joblib.load(version / "model.joblib"), metadata
