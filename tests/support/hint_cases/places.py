"""The folder in which hints are obeyed: a table of letters, and a store with two versions."""

import pandas as pd
from support.small_runs import write_letters

SETTINGS = {
    "dataset__uri": "table.parquet",
    "store__uri": "models",
    "dataset__min_rows": 100,
    "search__estimators": "{logistic_regression: {C: [1]}}",
    "search__workers": 1,
    "evaluation__method": "holdout",
    "evaluation__resamples": 1000,
    "gate__margin": 0.5,
    "gate__beat_majority": "false",
    "gate__floors__accuracy": "null",
    "gate__floors__precision_macro": "null",
    "gate__floors__recall_macro": "null",
    "gate__floors__f1_macro": "null",
}
EMBEDDINGS = (
    *("--set", "features.use=[embeddings]"),
    *("--set", "expectations.suite=labelled_embeddings"),
)
TEXTS = (
    *("--set", "features.use=[text]", "--set", "expectations.suite=labelled_text"),
    *("--set", "publish.channel=texts"),
)


def make_base(place):
    """Make the table and the store, by two runs in this process."""
    write_letters().to_parquet(place.folder / "table.parquet")
    set_defaults(place)
    for run_id, words in (("r1", EMBEDDINGS), ("r2", TEXTS)):
        done = place.run("run", "--run-id", run_id, *words)
        assert 0 == done.code, (done.message, done.crash, done.stderr[-2000:])


def set_defaults(place):
    """Set what all cases need, so that a command of a hint runs as the hint has it."""
    place.set(**SETTINGS)


def letters(**columns):
    """Return a table of letters without embeddings."""
    return write_letters(60).drop(columns="embeddings").assign(**columns)


def write_csv(name, table=None, **form):
    """Write letters to a CSV file in the current folder; return its name."""
    (letters() if table is None else table).to_csv(name, index=False, **form)
    return name


def more_letters(n_rows):
    """Return the table of the store with new letters."""
    return pd.concat([write_letters(), write_letters(n_rows, seed=1)], ignore_index=True)


def version_of(place, channel="production"):
    """Return the name of the version in a channel."""
    return place.read(f"models/channels/{channel}.json")["version"]
