"""Hints of predict and explain."""

from pathlib import Path

from support.forged_versions import make_earlier_release
from support.hint_cases.commands import words
from support.hint_cases.places import letters, version_of, write_csv
from support.obeying import Case
from support.small_runs import write_letters

OUT = {"FILE": "new.csv", "TABLE": "table.parquet"}


def _predict(make, *options, version="texts"):
    def first(_):
        return ["predict", version, "--dataset", make(), "--out", "out.csv", *options]

    return first


def _texts(**columns):
    return lambda: write_csv("t.csv", letters(**columns))


def _renamed(**names):
    return lambda: write_csv("t.csv", letters().rename(columns=names))


def _into(out, *options):
    def first(_):
        if "/" not in out:
            Path("old.csv").write_text("mine")
        return ["predict", "texts", "--dataset", "table.parquet", "--out", out, *options]

    return first


def _into_itself(_):
    write_csv("t.csv")
    return ["predict", "texts", "--dataset", "t.csv", "--out", "t.csv", "--force"]


def _empty_texts():
    return write_csv("t.csv", letters(body=letters()["text"], text=None))


def _empty_embeddings():
    table = write_letters(60)
    table.assign(vec=table["embeddings"], embeddings=None).to_parquet("t.parquet")
    return "t.parquet"


def _latin_lines(place):
    place.stdin = "L\u00f6schen Sie bitte meine Daten\n".encode("latin-1")
    return ["predict", "texts", "-"]


def _converted(place, command, outputs):
    place.stdin = outputs[0]
    return command


def _earlier(place):
    make_earlier_release(place.folder / "models" / version_of(place, "texts"))
    return ["predict", "texts", "a text"]


def _instead(*command):
    return lambda *_: [*command]


PREDICTIONS = (
    Case(
        "--set dataset.columns.embeddings=COLUMN",
        _predict(_empty_embeddings, version="production"),
        4,
        take="--set dataset.columns.embeddings=COLUMN",
        own={"COLUMN": "vec"},
        name="embeddings",
    ),
    Case(
        "`pcc-job predict {0} 'please delete my data'`",
        words("predict", "texts"),
        2,
        take="for example `[^`]*`",
        name="nothing",
    ),
    Case(
        "or `pcc-job predict {0} --dataset TABLE",
        words("predict", "texts"),
        2,
        take="or `.*",
        own=OUT,
        name="nothing",
    ),
    Case(
        "or `pcc-job predict {0} --dataset TABLE",
        words("predict", "texts", "a", "--dataset", "t.csv"),
        2,
        take="or `.*",
        own=OUT,
        name="both",
    ),
    Case(
        "or `pcc-job predict {0} --dataset TABLE",
        words("predict", "texts", "--dataset", "t.csv"),
        2,
        take="or `.*",
        own=OUT,
        name="no --out",
    ),
    Case(
        "`iconv -f ENCODING -t UTF-8` converts it",
        _latin_lines,
        2,
        own={"ENCODING": "LATIN1"},
        change=_converted,
    ),
    Case("choose a file elsewhere with --out FILE", _into_itself, 2, own=OUT),
    Case("such as --out predictions.parquet", _into("s3://bucket/p.csv"), 2),
    Case("such as --out predictions.csv", _into("p.txt"), 2),
    Case("`mkdir -p {}`", _into("a folder/p.csv"), 2),
    Case("choose another file with --out FILE", _into("old.csv"), 2, own=OUT, take="choose[^,]*"),
    Case(", or overwrite it with --force", _into("old.csv"), 2, take="or overwrite.*"),
    Case(
        "gives it another name",
        _predict(
            lambda: write_csv("t.csv", letters(label=range(60))),
            "--set",
            "dataset.columns.id=label",
        ),
        2,
    ),
    Case(
        "use a table with such columns, or name them: --set dataset.columns.text=COLUMN",
        _predict(_empty_texts),
        4,
        take="--set dataset.columns.text=COLUMN",
        own={"COLUMN": "body"},
    ),
    Case(
        "name it: --set dataset.columns.{}={}",
        _predict(_renamed(text="Text")),
        4,
        take="name it[^;]*",
        name="similar",
    ),
    Case(
        "name it: --set dataset.columns.{}={}",
        _predict(_renamed(text="body")),
        4,
        take="name it[^;]*",
        own={"COLUMN": "body"},
        name="other",
    ),
    Case(
        "put the requests into a table with these columns",
        words("predict", "production", "a"),
        2,
        own=OUT,
    ),
    Case(
        "its classes: {}; `pcc-job models show",
        words("explain", "texts", "asks"),
        2,
        change=_instead("explain", "texts", "ask"),
    ),
    Case(
        "explain a version that takes texts",
        words("explain", "production", "ask"),
        2,
        own={" --open": ""},
        change=_instead("explain", "texts", "ask"),
    ),
    Case(
        "checks its model.joblib in a process without credentials",
        _earlier,
        2,
        change=_instead("predict", "production", "a"),
        then=2,
        later="does not take a text",
    ),
)
