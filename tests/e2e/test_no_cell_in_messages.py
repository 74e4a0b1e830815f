"""No cell of a badly written file reaches an output at debug level, and the message helps.

Each case writes a file with a common mistake.  Every cell of the file, and every name that has no
business there, has words that occur nowhere else; all outputs are searched for these words.
"""

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.processes import run_command
from support.settings import OPEN

CANARY = re.compile(rb"(?i)zq[a-z]+\d+x")
CLASSES = ("close_account", "delete_data", "export_data")
WORDS = {
    "close_account": "please close the account that I opened with you in spring",
    "delete_data": "erase everything that your company has stored about my family",
    "export_data": "send a copy of all records in a format that I can read",
}
FILLERS = [
    "today",
    "soon",
    "quickly",
    "kindly",
    "finally",
    "again",
    "now",
    "really",
    "maybe",
    "surely",
]
LISTED = f"expectations.parameters={{labels: [{', '.join(CLASSES)}]}}"
SETTINGS = (
    "logs.level=debug",
    "dataset.columns.target=intent",
    "dataset.columns.text=text",
    "features.use=[text]",
    "features.analyzers=[word]",
    "expectations.suite=labelled_text",
    "dataset.min_rows=10",
    "search.estimators={logistic_regression: {C: [10]}}",
    "search.folds=2",
    OPEN,
)
MODES = (("validate",), ("run",))


def letter(n):
    """Return a letter with words, an address and an id that no other row has."""
    return f"Dear Zqsir{n}x; I am Zqjane{n}x Zqdoe{n}x, zqjane{n}x@zqmail{n}x.example, zqid{n}x"


def make_table(n_rows=240):
    """Return a sound table: each row has a text, a class and the name of a customer."""
    rng = np.random.default_rng(5)
    rows = []
    for n in range(n_rows):
        name = CLASSES[n % len(CLASSES)]
        words = [*WORDS[name].split(), *rng.choice(FILLERS, 6)]
        text = f"{' '.join(rng.permutation(words))}; {letter(n)}"
        rows.append({"text": text, "intent": name, "customer": f"Zqjane{n}x"})
    return pd.DataFrame(rows)


TABLE = make_table()
SWAPPED = TABLE.rename(columns={"text": "intent", "intent": "text"})
# a letter as the class of three rows with different texts
REPEATED = TABLE.assign(intent=[letter(n // 3) for n in range(len(TABLE))])
NOTES = {
    key: letter(n)
    for n, key in enumerate(
        [
            "created_at",
            "description",
            "embedding_model",
            "generator",
            "git_commit",
            "license",
            "schema_version",
            "seed",
            "version",
        ]
    )
} | {letter(20): letter(21), "owner": letter(22)}


def as_csv(frame, **options):
    return frame.to_csv(index=False, **options)


def prepend_row(text, frame=TABLE):
    return text + as_csv(frame, header=False)


def as_parquet(frame, notes=None):
    sink = pa.BufferOutputStream()
    table = pa.Table.from_pandas(frame, preserve_index=False)
    pq.write_table(table.replace_schema_metadata(notes), sink)
    return sink.getvalue().to_pybytes()


def rename(frame, **names):
    return frame.rename(columns=names)


# name of the file, its content, exit code of a run, words of the message
BAD_TABLES = {
    "headerless": ("t.csv", as_csv(TABLE, header=False), 4, ["is the header missing?", "'1i int"]),
    "headerless, ;": (
        "t.csv",
        as_csv(TABLE, header=False, sep=";"),
        4,
        ["is the header missing?", "'1i intent;text'"],
    ),
    "headerless, tabs": (
        "t.tsv",
        as_csv(TABLE, header=False, sep="\t"),
        4,
        ["is the header missing?", r"'1i intent\\ttext'"],
    ),
    "headerless, UTF-16": (
        "t.csv",
        as_csv(TABLE, header=False).encode("utf-16"),
        4,
        ["is the header missing?"],
    ),
    "delimiter in cells": (
        "t.csv",
        "text;intent\n" + "".join(f"{text};{name}\n" for text, name, _ in TABLE.to_numpy()),
        4,
        ["is ';' the delimiter?", "--set 'dataset.csv.delimiter=;'"],
    ),
    "equal cells": ("t.csv", prepend_row(f"{letter(7)},{letter(7)},a\n"), 4, ["is the header mis"]),
    "swapped": ("t.csv", as_csv(SWAPPED), 5, ["swapped?", "--set dataset.columns.target=COLUMN"]),
    "ragged": ("t.csv", prepend_row("text,intent\n"), 3, ["no row fits the header", "head -n 2"]),
    "title": ("t.csv", f"Of Zqjane1x Zqdoe1x\n{as_csv(TABLE)}", 4, ["is the header missing?"]),
    "Latin-1 header": (
        "t.csv",
        prepend_row("text,intent,Zqjané1x Zqdoe1x\n").encode("latin-1"),
        3,
        ["is not UTF-8 text: the header", "--set dataset.csv.encoding=windows-1252"],
    ),
    "Latin-1, headerless": (
        "t.csv",
        prepend_row("", TABLE.assign(customer=["Zqjane1x", *["Zqjané3x"] * 239])).encode("latin-1"),
        3,
        ["239 cells of column 3"],
    ),
    "second BOM": (
        "t.csv",
        "\ufeff\ufeff" + as_csv(TABLE),
        4,
        ["a second byte order mark?", "LC_ALL=C sed"],
    ),
    "second BOM, headerless": (
        "t.csv",
        "\ufeff\ufeff" + as_csv(TABLE, header=False),
        4,
        ["a second byte order mark?", "is the header missing?"],
    ),
    "UTF-16 without BOM": (
        "t.csv",
        as_csv(TABLE).encode("utf-16-le"),
        4,
        ["--set dataset.csv.encoding=utf-16"],
    ),
    "half of UTF-16": ("t.csv", as_csv(TABLE).encode("utf-16")[:-1], 3, ["is not UTF-16 text"]),
    "UTF-32": ("t.csv", as_csv(TABLE).encode("utf-32"), 3, ["is UTF-32", "iconv -f UTF-32"]),
    "Parquet of letters": (
        "t.parquet",
        as_parquet(TABLE.set_axis([letter(1), f"Zqdoe{2}x", letter(3)], axis=1)),
        4,
        ["lacks the required columns 'intent', 'text'", "column 1, column 2, column 3"],
    ),
    "equal names": (
        "t.csv",
        as_csv(TABLE.assign(a=1, b=2)).replace("a,b", f'"{letter(1)}","{letter(1)}"', 1),
        4,
        ["equal names in the columns '4', '5'"],
    ),
}


def use_local_termination_log():
    from job.cli.termination import write_termination_message

    write_termination_message.__kwdefaults__["path"] = Path("termination-log")


def write(folder, name, content):
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def run_all(folder, name, *settings, modes=MODES[-1:]):
    """Run commands on a table; return the last process and all outputs by name."""
    outputs = {}
    for mode in modes:
        store = folder / "models"
        (folder / "termination-log").write_bytes(b"")
        options = [part for one in (*SETTINGS, *settings) for part in ("--set", one)]
        where = () if mode == ("validate",) else ("--store", store)
        done = run_command(
            [*mode, "--dataset", folder / name, *where, *options],
            folder,
            {"PATH": "/usr/bin"},
            prepare=use_local_termination_log,
        )
        place = " ".join(mode)
        outputs |= {f"{place}: stdout": done.stdout.encode(), f"{place}: stderr": _bytes(done)}
        outputs[f"{place}: termination message"] = (folder / "termination-log").read_bytes()
    files = [path for path in store.rglob("*") if path.is_file()]
    return done, outputs | {str(path.relative_to(folder)): path.read_bytes() for path in files}


def _bytes(done):
    """Return stderr with its JSON escapes resolved, so that no escape hides a word."""
    return done.stderr.encode() + done.stderr.encode().decode("unicode_escape").encode()


def find_canaries(outputs):
    """Return the outputs with a canary, except models, whose terms are counted elsewhere."""
    return sorted(
        name
        for name, data in outputs.items()
        if not name.endswith(("model.joblib", "model.safetensors")) and CANARY.search(data)
    )


def check(folder, name, code, words, *settings, modes=MODES):
    done, outputs = run_all(folder, name, *settings, modes=modes)

    assert code == done.returncode, done.stderr[-3000:]
    assert [] == [word for word in words if word not in done.stderr], done.stderr
    assert [] == find_canaries(outputs)
    assert any(name.startswith("models/runs/") for name in outputs)
    assert outputs["run: termination message"]
    return outputs


@pytest.mark.parametrize("case", BAD_TABLES)
def test_bad_table_shows_no_cell(case, tmp_path):
    name, content, code, words = BAD_TABLES[case]
    assert CANARY.search(write(tmp_path, name, content).read_bytes().replace(b"\0", b""))

    check(tmp_path, name, code, words)


@pytest.mark.parametrize("case", ["headerless", "swapped", "ragged"])
@pytest.mark.parametrize(
    "setting",
    ["dataset.test_uri", "evaluation.challenge_uri", "evaluation.out_of_scope_uri"],
)
def test_other_bad_table_shows_no_cell(case, setting, tmp_path):
    """The official test, the challenge set and the out-of-scope set follow the same rule."""
    write(tmp_path, "t.csv", as_csv(TABLE))
    write(tmp_path, "other.csv", BAD_TABLES[case][1])
    done, outputs = run_all(tmp_path, "t.csv", f"{setting}={tmp_path / 'other.csv'}")

    is_usable = (case, setting) == ("swapped", "evaluation.out_of_scope_uri")  # has no labels
    assert (done.returncode == 0) == is_usable, done.stderr[-2000:]
    assert done.returncode in (0, 2, 3, 4)
    assert [] == find_canaries(outputs)


@pytest.mark.parametrize("frame", [SWAPPED, REPEATED], ids=["swapped", "repeated"])
def test_letters_as_classes_are_not_listed(frame, tmp_path):
    """Whatever `features.min_groups` is, five must hold a class that is named."""
    write(tmp_path, "t.csv", as_csv(frame))

    check(tmp_path, "t.csv", 5, ["swapped?"], "features.min_groups=1")


def test_letters_in_place_of_listed_labels_are_not_shown(tmp_path):
    write(tmp_path, "t.csv", as_csv(SWAPPED))

    check(tmp_path, "t.csv", 4, ["are two columns swapped?", "dataset.columns.text"], LISTED)


def test_empty_list_of_labels_is_no_list(tmp_path):
    """Otherwise no class would be too rare."""
    write(tmp_path, "t.csv", as_csv(REPEATED))

    asked = ("expectations.parameters={labels: []}", "features.min_groups=1")
    check(tmp_path, "t.csv", 5, ["swapped?"], *asked)


def test_rare_class_of_an_official_test_is_pooled(tmp_path):
    """Rows with letters as their class count as errors of the class `(other)`."""
    write(tmp_path, "t.csv", as_csv(TABLE))
    test = make_table(60)
    test.loc[:9, "intent"] = [letter(n) for n in range(10)]
    write(tmp_path, "test.csv", as_csv(test))
    done, outputs = run_all(tmp_path, "t.csv", f"dataset.test_uri={tmp_path / 'test.csv'}")

    assert 0 == done.returncode, done.stderr[-2000:]
    assert [] == find_canaries(outputs)
    evaluation = next(d for n, d in outputs.items() if re.search(r"models/v.*evaluation.json", n))
    assert ["(other)"] == json.loads(evaluation)["split"]["test_only_classes"]


def test_gate_lists_no_class_that_no_version_has(tmp_path):
    """The gate compares recalls by class, and its table can have any classes."""
    write(tmp_path, "t.csv", as_csv(TABLE))
    run_all(tmp_path, "t.csv")
    run_all(tmp_path, "t.csv", "random_state=3")
    names = sorted(path.name for path in (tmp_path / "models").glob("v*"))
    mixed = [letter(n) if n % 2 else label for n, label in TABLE.intent.items()]
    write(tmp_path, "new.csv", as_csv(TABLE.assign(intent=mixed)))
    options = [part for one in SETTINGS for part in ("--set", one)]
    where = ("--dataset", tmp_path / "new.csv", "--store", tmp_path / "models")
    done = run_command(["gate", *names, *where, *options], tmp_path, {})

    assert '"(other)"' in done.stdout
    assert [] == find_canaries({"stdout": done.stdout.encode(), "stderr": _bytes(done)})


def test_odd_names_and_notes_of_a_sound_table_are_numbered(tmp_path):
    """Columns that no setting names are numbered unless their names are plain."""
    frame = TABLE.assign(**{letter(1): 1, "app_version": 2, "x" * 40: 3, "4711-0815": 4})
    write(tmp_path, "t.parquet", as_parquet(frame, NOTES))
    write(tmp_path, "t.parquet.metadata.json", json.dumps(NOTES))
    outputs = check(tmp_path, "t.parquet", 0, ["app_version", "column 4", "note_not_used"])

    metadata = json.loads(next(d for n, d in outputs.items() if n.endswith("metadata.json")))
    shown = ["app_version", "customer", "column 4", "column 6", "column 7"]
    assert shown == metadata["dataset"]["ignored_columns"]
    assert ({}, {}, 22) == tuple(
        metadata["dataset"][key] for key in ("metadata", "sidecar", "n_other_notes")
    )


def test_names_of_persons_in_a_category_are_not_listed(tmp_path):
    """Not even with `features.min_groups=1`; a value of many is named."""
    names = [f"Zqdoe{n // 24}x" for n in TABLE.index]  # each in 12 rows of 4 customers
    frame = TABLE.assign(
        source=np.where(TABLE.index % 2, "web", names),
        customer=[f"Zqjane{n // 6}x" for n in TABLE.index],
    )
    write(tmp_path, "t.csv", as_csv(frame))
    outputs = check(
        tmp_path,
        "t.csv",
        0,
        [],
        "features.use=[text, categorical]",
        "dataset.columns.categorical=[source]",
        "dataset.columns.group=customer",
        "features.min_groups=1",
        "evaluation.min_slice_rows=10",
    )

    profile = next(data for name, data in outputs.items() if name.endswith("profile.json"))
    assert b'"web"' in profile


def expect(**expectation):
    return {"type": "expect_column_to_exist", "kwargs": {"column": "text"}} | expectation


SUITES = {
    "column": (expect(kwargs={"column": letter(1)}), {}, "expectation 2"),
    "type": (expect(type=letter(1)), {}, "number 2 in the suite"),
    "argument": (expect(kwargs={"column": "text", letter(1): 3}), {}, "argument 1"),
    "severity": (expect(severity=letter(1)), {}, "'severity'"),
    "parameter": (
        expect(kwargs={"column": {"$PARAMETER": letter(1)}}),
        {},
        "expectations.parameters={NAME: VALUE}",
    ),
    "default": (
        expect(),
        {letter(1): letter(2), "min_text_length": 3},
        "did you mean 'min_text_length'",
    ),
}


@pytest.mark.parametrize("case", SUITES)
def test_sentences_in_a_suite_are_not_shown(case, tmp_path):
    """An expectation that somebody wrote from a letter is numbered."""
    expectation, parameters, words = SUITES[case]
    suite = {"meta": {"parameters": parameters}, "expectations": [expect(), expectation]}
    path = write(tmp_path, "own.json", json.dumps(suite))
    write(tmp_path, "t.csv", as_csv(TABLE))
    asked = ["expectations.parameters={min_text_lenth: 1}"] if case == "default" else []

    asked.append(f"expectations.suite={path}")
    check(tmp_path, "t.csv", 2, [words], *asked, modes=MODES[-1:])


@pytest.mark.parametrize("setting", ["expectations.suite", "dataset.uri"])
def test_letters_in_place_of_json_are_not_shown(setting, tmp_path):
    """A table as the suite, and a letter as the sidecar."""
    path = write(tmp_path, "t.csv", as_csv(TABLE))
    write(tmp_path, "t.csv.metadata.json", letter(1))
    code = 2 if setting == "expectations.suite" else 3

    check(tmp_path, "t.csv", code, [], f"{setting}={path}")


def test_search_finds_canaries_where_they_are_allowed(tmp_path):
    """The operator's own words are repeated, and so are plain names of a sound table."""
    write(tmp_path, "t.csv", as_csv(rename(TABLE, customer="zqcustomer1x")))
    done, outputs = run_all(tmp_path, "t.csv", modes=MODES)
    _, refused = run_all(tmp_path, "t.csv", "search.zqmetric1x=2")

    assert 0 == done.returncode, done.stderr[-2000:]
    found = find_canaries(outputs)
    assert {"run: stderr", "validate: stderr"} <= set(found)
    assert any(re.fullmatch("models/v.*/metadata.json", name) for name in found)
    assert {"run: stderr", "run: termination message"} <= set(find_canaries(refused))


def test_misspelt_column_is_named_with_its_suggestion(tmp_path):
    """The reader can copy the option from the message."""
    write(tmp_path, "t.csv", as_csv(rename(TABLE, intent="itent")))
    words = ["did you mean 'intent'?", "--set 'dataset.aliases={itent: intent}'", "'text', 'itent'"]
    check(tmp_path, "t.csv", 4, words)

    assert 0 == run_all(tmp_path, "t.csv", "dataset.aliases={itent: intent}")[0].returncode


@pytest.mark.parametrize(
    "case", ["headerless", "headerless, ;", "headerless, tabs", "second BOM", "UTF-32"]
)
def test_command_of_the_message_repairs_the_file(case, tmp_path):
    """A reader who follows the message has a table that can be read."""
    name, content, *_ = BAD_TABLES[case]
    write(tmp_path, name, content)
    stderr = run_all(tmp_path, name)[0].stderr
    hint = next(line["hint"] for line in map(json.loads, stderr.splitlines()) if "hint" in line)
    command = re.search("`(.*?)`", hint).group(1)
    command = re.sub(r"intent(,|;|\\t)text", r"text\1intent\1customer", command)  # in file's order
    command = re.sub(r"\bNEW(\.csv)?\b", "new.csv", re.sub(r"\bFILE\b", name, command))
    subprocess.run(["bash", "-c", command], cwd=tmp_path, check=True)

    repaired = "new.csv" if (tmp_path / "new.csv").exists() else name
    assert 0 == run_all(tmp_path, repaired)[0].returncode


# content of t.csv, settings that contradict it or do not describe it, exit code
WRONG_SETTINGS = {
    "delimiter": (as_csv(TABLE, sep=";"), ["dataset.csv.delimiter=,"], 4),
    "tab": (as_csv(TABLE, sep="\t"), ["dataset.csv.delimiter=|"], 4),
    "comma": (as_csv(TABLE), ["dataset.csv.delimiter=tab"], 4),
    "unnamed columns": (
        as_csv(rename(TABLE, text="a", intent="b")),
        ["dataset.csv.delimiter=;", "dataset.aliases={a: text, b: intent}"],
        4,
    ),
    "UTF-16 without BOM": (as_csv(TABLE).encode("utf-16-be"), [], 4),
    "UTF-8, not UTF-16": (as_csv(TABLE), ["dataset.csv.encoding=utf-16"], 3),
    "UTF-16, not UTF-8": (as_csv(TABLE).encode("utf-16"), ["dataset.csv.encoding=utf-8"], 3),
    "UTF-8, not Latin-1": (
        as_csv(rename(TABLE, intent="naïve")),
        ["dataset.csv.encoding=latin-1", "dataset.columns.target=naïve"],
        4,
    ),
    "Latin-1": (as_csv(rename(TABLE, customer="naïve")).encode("latin-1"), [], 3),
    "Latin-1, not Windows": (
        as_csv(rename(TABLE, customer="na\x81ve")).encode("latin-1"),
        ["dataset.csv.encoding=windows-1252"],
        3,
    ),
}


@pytest.mark.parametrize("case", WRONG_SETTINGS)
def test_setting_of_the_message_helps(case, tmp_path):
    """A reader who copies the last `--set` about the file has a table that can be read."""
    content, settings, code = WRONG_SETTINGS[case]
    write(tmp_path, "t.csv", content)
    done, outputs = run_all(tmp_path, "t.csv", *settings)
    hint = next(h for h in (json.loads(x).get("hint") for x in done.stderr.splitlines()) if h)
    advice = re.findall(r"--set '?(dataset\.csv\.\w+=(?:[\w-]+|[,;|]))", hint)[-1]

    assert (code, []) == (done.returncode, find_canaries(outputs)), done.stderr
    again = run_all(tmp_path, "t.csv", *settings, advice)[0]
    assert 0 == again.returncode, (advice, again.stderr[-2000:])
