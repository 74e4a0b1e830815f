"""Hints about the columns of a table and what is expected of them."""

import json
from pathlib import Path

from support.hint_cases.places import letters, write_csv
from support.hint_cases.tables import encoding, validate
from support.markdown import ROOT
from support.obeying import Case

STATED = (
    *("--set", "expectations.suite=labelled_text"),
    *("--set", "features.use=[text]"),
    *("--set", "dataset.columns.target=intent"),
    *("--set", "dataset.columns.text=text"),
)


def _renamed(**names):
    return lambda _: validate(write_csv("t.csv", letters().rename(columns=names)), *STATED)


def _upstream(_):
    """A table of texts and labels, with the suite of the upstream."""
    words = ("--set", "expectations.suite=curated_training_data")
    return validate(write_csv("t.csv"), *words, "--set", "features.use=[embeddings]")


def _marked_utf16(_):
    Path("t.csv").write_bytes(letters().to_csv(index=False).encode("utf-16-le"))
    return validate("t.csv", *encoding("utf-8"), *STATED)


def _accented_header(_):
    table = letters().rename(columns={"text": "téxt", "intent": "íntent"})
    names = (
        *STATED,
        "--set",
        "dataset.columns.text=téxt",
        "--set",
        "dataset.columns.target=íntent",
    )
    return validate(write_csv("t.csv", table), *encoding("latin-1"), *names)


def _semicolons(_):
    return validate(write_csv("t.csv", sep=";"), "--set", "dataset.csv.delimiter=,", *STATED)


def _marked_twice(_):
    data = b"\xef\xbb\xbf" * 2 + letters().to_csv(index=False).encode()
    Path("t.csv").write_bytes(data)
    return validate("t.csv", *STATED)


def _without_header(_):
    return validate(write_csv("t.csv", header=False), *STATED)


def _two_labels(_):
    table = letters()
    table = table.assign(first_kind=table["intent"], second_kind=table["intent"])
    return validate(write_csv("t.csv", table[["text", "first_kind", "second_kind"]]))


def _with_config(name):
    return lambda _, words, __: [*words, "--config", name]


def _few(_):
    return ["validate", "--dataset", write_csv("t.csv", letters().head(45)), *STATED]


def _unknown_labels(_):
    listed = "expectations.parameters={labels: [ask, drop]}"
    return validate(write_csv("t.csv"), *STATED, "--set", listed)


def _swapped(_):
    words = ("dataset.columns.target=text", "dataset.columns.text=intent")
    listed = "expectations.parameters={labels: [ask, drop, stop]}"
    return validate(write_csv("t.csv"), *(w for v in (*words, listed) for w in ("--set", v)))


def _suite_without_value(_):
    suite = json.loads((ROOT / "expectations/labelled_text.json").read_text())
    suite["expectations"][0]["kwargs"] = {"min_value": {"$PARAMETER": "least"}}
    suite["expectations"][0]["type"] = "expect_table_row_count_to_be_between"
    Path("own.json").write_text(json.dumps(suite))
    return validate(write_csv("t.csv"), *STATED, "--set", "expectations.suite=own.json")


def _set_default(place, words, _):
    suite = place.read("own.json")
    suite["meta"]["parameters"]["least"] = 5
    Path("own.json").write_text(json.dumps(suite))
    return words


def _after_excel(_):
    """A first line that only Excel reads."""
    path = Path(write_csv("t.csv"))
    path.write_text(f"sep=,\n{path.read_text()}")
    return validate("t.csv")


COLUMNS = (
    Case(
        "`sed -i 1d FILE` removes it",
        _after_excel,
        4,
        own={"FILE": "t.csv"},
        take="`sed -i 1d FILE`",
    ),
    Case("did you mean '", _renamed(intent="Intents"), 4, take="did you mean [^;]*"),
    Case(
        "such as --set dataset.columns.target=COLUMN",
        _renamed(intent="Queue"),
        4,
        take="name its columns[^,]*, such as [^,]*",
        own={"COLUMN": "Queue"},
    ),
    Case(
        "or map renamed ones: --set 'dataset.aliases=",
        _renamed(intent="Queue"),
        4,
        take="or map renamed[^;]*",
        own={"COLUMN": "Queue", "NAME IN THE SETTINGS": "intent"},
    ),
    Case(
        "pcc-job init {} --target COLUMN",
        _two_labels,
        4,
        own={"COLUMN": "first_kind"},
        take="`?pcc-job init[^`]*`?",
        change=_with_config("job.yaml"),
    ),
    Case("for a table of texts and labels", _upstream, 4, take="for a table of texts.*"),
    Case("is the file UTF-16?", _marked_utf16, 4),
    Case(
        "is the file not {}? --set dataset.csv.encoding=auto",
        _accented_header,
        4,
        take="is the file not [^;]*",
    ),
    Case("the delimiter? --set 'dataset.csv.delimiter=", _semicolons, 4),
    Case(
        "second byte order mark",
        _marked_twice,
        4,
        take="has the file .*removes them",
        own={"FILE": "t.csv"},
    ),
    Case("adds such a line", _without_header, 4, own={"FILE": "t.csv"}, take="`sed[^`]*`"),
    Case("or accept this table with --set dataset.min_rows=", _few, 4),
    Case(". `pcc-job validate` repeats the check", _unknown_labels, 4, take="`pcc-job validate`"),
    Case(
        "a parameter of the suite with --set",
        _unknown_labels,
        4,
        own={"NAME": "labels", "VALUE": "[ask, drop, stop]"},
    ),
    Case(
        "=COLUMN name them, now '{}'",
        _swapped,
        4,
        take="are two columns swapped.*now",
        own={"target=COLUMN": "target=intent", "text=COLUMN": "text=text"},
    ),
    Case(
        "or set a default in `meta.parameters`",
        _suite_without_value,
        2,
        take="or set a default.*",
        change=_set_default,
    ),
)
