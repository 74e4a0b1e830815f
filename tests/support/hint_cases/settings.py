"""Hints about settings: files, variables, keys and grids."""

import json
from pathlib import Path

from support.hint_cases.commands import words
from support.hint_cases.places import TEXTS
from support.obeying import Case


def _instead(*command):
    """Return a change to another command."""
    return lambda *_: [*command]


def _config(text, *command):
    def make(_):
        Path("job.yaml").write_text(text)
        return [*(command or ("config", "show")), "--config", "job.yaml"]

    return make


def _rewrite(text):
    def change(_, command, __):
        Path("job.yaml").write_text(text)
        return command

    return change


def _misspelled_variable(place):
    place.set(dataset__ury="table.parquet")
    return ["config", "show"]


def _correct_variable(place, command, outputs):
    assert "uri" in json.loads(outputs[0])["$defs"]["DatasetSpec"]["properties"]
    place.unset("dataset__ury")
    return command


def _key_file(text):
    def make(place):
        Path("key.txt").write_text(text)
        place.set(lineage__key_file="key.txt")
        return ["doctor"]

    return make


def _write_key(_, command, outputs):
    Path("key.txt").write_text(outputs[0])
    return command


CHECK = ("config", "check", *TEXTS)
# a floor for standardized batches, although the batches are not standardized
STRESSED = (
    *("config", "check", "--set", "gate.stress_floor=0.5", "--set", "features.use=[embeddings]"),
    *("--set", "dataset.embeddings_standardized_per_batch=false"),
)
SETTINGS_CASES = (
    Case(
        "quote the value for the shell, as in",
        words("config", "show", "--set", "features.use=[text"),
        2,
        drop=("--set",),
    ),
    Case(
        "write `key: value` lines", _config("- a\n"), 2, change=_rewrite("dataset: {uri: t.csv}\n")
    ),
    Case(
        "set one of its keys; `pcc-job config show`",
        words("config", "show", "--set", "dataset=7"),
        2,
        change=_instead("config", "show", "--set", "dataset.min_rows=7"),
    ),
    Case(
        "`pcc-job config show` lists the settings",
        words("config", "show", "--set", "dataset.ury=t.csv"),
        2,
        change=_instead("config", "show", "--set", "dataset.uri=t.csv"),
    ),
    Case(
        "in variables, `__` separates the levels", _misspelled_variable, 2, change=_correct_variable
    ),
    Case(
        "check the path in --config",
        words("config", "show", "--config", "none.yaml"),
        2,
        change=_instead("config", "show"),
    ),
    Case(
        "`pcc-job config schema` lists types and ranges",
        words(*CHECK, "--set", "search.folds=x"),
        2,
        change=_instead(*CHECK, "--set", "search.folds=3"),
        name="type",
    ),
    Case(
        "`pcc-job config schema` lists types and ranges",
        words(*CHECK, "--set", "search.estimators={logistic_regresion: {C: [1]}}"),
        2,
        change=_instead(*CHECK, "--set", "search.estimators={logistic_regression: {C: [1]}}"),
        name="grid",
    ),
    Case("`pcc-job lineage keygen` prints a key", _key_file("not a key"), 2, change=_write_key),
    Case(
        "use --set expectations.suite=NAME",
        words(*CHECK, "--set", "expectations.suite=labeled_text"),
        2,
        own={"NAME": "labelled_text"},
    ),
    Case(
        "add embeddings to features.use, or use --set gate.stress_floor=null",
        words(*CHECK, "--set", "gate.stress_floor=0.5"),
        2,
    ),
    Case(
        "use --set dataset.embeddings_standardized_per_batch=true",
        words(*STRESSED),
        2,
        take="use --set[^,]*",
        name="true",
    ),
    Case(
        ", or use --set gate.stress_floor=null",
        words(*STRESSED),
        2,
        take="or use --set gate.*",
        name="null",
    ),
)
