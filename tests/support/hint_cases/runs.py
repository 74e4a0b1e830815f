"""Hints of runs about rows, classes and requests, and of the comparison of two versions."""

from pathlib import Path

import numpy as np
import pandas as pd
from support.hint_cases.places import EMBEDDINGS, TEXTS, more_letters, version_of, write_csv
from support.obeying import Case
from support.small_runs import write_letters


def run_of(table, *sets, base=TEXTS):
    """Return a function that writes a table and returns a dry run of it."""

    def first(_):
        table().to_parquet("own.parquet")
        options = [word for value in sets for word in ("--set", value)]
        where = ("run", "--dry-run", "--dataset", "own.parquet", "--set", "publish.channel=new")
        return [*where, *base[:4], *options]

    return first


def _rare_class():
    """Two classes; only four persons wrote letters of the second one."""
    table = write_letters()
    return pd.concat(
        [table[table["intent"] == "ask"].head(60), table[table["intent"] == "drop"].head(4)]
    )


def _three_of_a_class():
    """Three letters of a class: one is held out, so the search can have two folds."""
    table = write_letters()
    rare = table[table["intent"] == "stop"].head(3)
    return pd.concat([table[table["intent"] != "stop"], rare])


def _all_texts_differ():
    """Letters that share no word."""
    n = np.arange(240)
    words = [" ".join(f"w{chr(97 + i % 26)}{i:05d}{chr(97 + k)}x" for k in range(8)) for i in n]
    letters = "".maketrans("0123456789", "qrstuvwxyz")
    return write_letters().assign(text=[w.translate(letters) for w in words])


def _own_classes():
    """A class for each letter."""
    return write_letters().assign(intent=[f"c{n}" for n in range(240)])


def _label_column_swapped():
    table = _own_classes()
    return table.assign(kind=write_letters()["intent"])


def _thirty():
    return write_letters(30)


def _challenge(n_rows, *sets):
    def first(place):
        requests = write_letters(max(n_rows, 3), seed=9).head(max(n_rows, 3))
        if n_rows < 3:
            requests = requests.assign(text=requests["text"].iloc[0])
        requests.to_parquet("requests.parquet")
        given = ("evaluation.challenge_uri=requests.parquet", *sets)
        options = [word for value in given for word in ("--set", value)]
        return ["run", "--dry-run", "--set", "publish.channel=new", *TEXTS[:4], *options]

    return first


def _requests_with_another_name(_):
    table = write_letters(60)[["text", "intent"]].rename(columns={"text": "body"})
    write_csv("requests.csv", table)
    return ["validate", *TEXTS, "--set", "evaluation.challenge_uri=requests.csv"]


def _correct_name(_, command, outputs):
    assert outputs[0].startswith(b"body,intent")
    path = Path("requests.csv")
    path.write_text(path.read_text().replace("body", "text", 1))
    return command


def _without_suite(place):
    more_letters(60).to_parquet("table.parquet")
    return ["run", "--override", "checked"]


def _gate(*options, rows=more_letters):
    def first(place):
        rows(60).to_parquet("table.parquet")
        return ["gate", "production", "texts", *options]

    return first


def _inputs_of(place, command, outputs):
    use = place.read(f"models/{version_of(place)}/metadata.json")["settings"]["features"]["use"]
    assert use[0] in outputs[0]
    return [*command, "--set", f"features.use=[{', '.join(use)}]", *EMBEDDINGS[2:]]


def _mixed(rename):
    """A version that takes a number and a text, and a table whose number has another name."""

    def first(place):
        table = write_letters().assign(urgency=np.arange(240) % 7)
        table.to_parquet("table.parquet")
        sets = ("features.use=[text, numeric]", "dataset.columns.numeric=[urgency]")
        options = [word for value in sets for word in ("--set", value)]
        done = place.run("run", *options, *TEXTS[2:4], "--set", "publish.channel=mixed")
        assert 0 == done.code, done.message
        table.rename(columns={"urgency": rename}).to_parquet("other.parquet")
        return ["predict", "mixed", "--dataset", "other.parquet", "--out", "out.csv"]

    return first


def _constant(place):
    sets = ("search.estimators={dummy: {}}", "publish.channel=constant")
    options = [word for value in sets for word in ("--set", value)]
    done = place.run("run", *TEXTS[:4], *options)
    assert 0 == done.code, (done.code, done.message, done.hint)
    return ["explain", "constant", "ask"]


def _instead(*command):
    return lambda *_: [*command]


def _trained_on_all(place):
    """A version with an official test table, which was trained on all rows of the table."""
    write_letters(60, seed=3).to_parquet("official.parquet")
    done = place.run(
        *("run", *EMBEDDINGS, "--set", "dataset.test_uri=official.parquet"),
        *("--set", "publish.channel=whole"),
    )
    assert 0 == done.code, (done.message, done.hint)
    return ["gate", "whole", "production", *EMBEDDINGS, "--set", "dataset.test_uri=table.parquet"]


def _narrow(place):
    """A table whose embeddings have another width."""
    table = write_letters(90, seed=4)
    table = table.assign(embeddings=[row[:5] for row in table["embeddings"]])
    table.to_parquet("table.parquet")
    return ["gate", "production", "production", *EMBEDDINGS, "--set", "dataset.min_rows=50"]


def _other_test(_, command, __):
    return [*command, "--set", "dataset.test_uri=official.parquet"]


def _other_table(_, command, __):
    write_letters(90, seed=4).to_parquet("later.parquet")
    options = ("--dataset", "later.parquet", "--set", "dataset.min_rows=50")
    return [*command, *options]


RUNS = (
    Case(
        ", or use --set search.folds={}",
        run_of(_three_of_a_class, "expectations.parameters={labels: [ask, drop, stop]}"),
        5,
    ),
    Case(
        "or use --set features.min_groups=1 to keep every term",
        run_of(_all_texts_differ, "features.analyzers=[word]"),
        5,
    ),
    Case(
        "or list the classes: --set 'expectations.parameters={labels: [A, B]}'",
        run_of(_rare_class, "features.min_groups=5", "dataset.min_rows=50"),
        5,
        take="or list.*",
        own={"A": "ask", "B": "drop"},
        name="list",
    ),
    Case(
        "--set dataset.columns.target=COLUMN --set dataset.columns.text=COLUMN name them; if",
        run_of(_label_column_swapped),
        5,
        take="--set.*name them",
        own={"target=COLUMN": "target=kind", "text=COLUMN": "text=text"},
        name="swap",
    ),
    Case(
        "or use --set split.test_fraction=0.2",
        run_of(
            _thirty,
            "split.method=stratified_group",
            "split.test_fraction=0.07",
            "dataset.min_rows=20",
        ),
        5,
    ),
    Case(
        "use --set split.near_duplicates=auto",
        run_of(
            write_letters,
            "split.near_duplicates=text",
            "dataset.columns.text=null",
            base=EMBEDDINGS,
        ),
        2,
    ),
    Case("or use --set search.choose_on=table", _challenge(9, "search.choose_on=challenge"), 2),
    Case(
        "or use --set evaluation.challenge_split=none",
        _challenge(1, "evaluation.challenge_split=half"),
        4,
    ),
    Case(
        "`head -n 2 FILE` shows the first lines",
        _requests_with_another_name,
        2,
        own={"FILE": "requests.csv"},
        change=_correct_name,
    ),
    Case("--set '{}={}'", _without_suite, 2),
    Case(
        "use the features.use and search.inputs that the version was trained with",
        _gate(*TEXTS),
        2,
        change=_inputs_of,
        then=6,
        later="the gate rejected",
    ),
    Case("use --dataset with a table that has other rows", _trained_on_all, 2, change=_other_test),
    Case("use --dataset with a table like the one", _narrow, 2, change=_other_table),
    Case(
        "did you mean {}? --set 'dataset.aliases=", _mixed("urgencyy"), 4, take="did you mean[^;]*"
    ),
    Case(
        "map it: --set 'dataset.aliases={COLUMN: {}}'",
        _mixed("how_soon"),
        4,
        take="map it[^;]*",
        own={"COLUMN": "how_soon"},
    ),
    Case(
        "`pcc-job models show {}` prints its estimator",
        _constant,
        2,
        change=_instead("explain", "texts", "ask"),
    ),
)
