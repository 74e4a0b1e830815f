"""Hints about options and files of commands: init, report, sample-data, and the output."""

import json
from pathlib import Path

from support.hint_cases.places import TEXTS, letters, version_of, write_csv
from support.obeying import Case

from job.contracts.identity import canonical_json


def words(*given):
    """Return a function that returns these words."""
    return lambda _: [*given]


def without(option, *change):
    """Return a change that leaves out an option and its value, and adds words."""

    def drop(_, command, __):
        n = command.index(option)
        return [*command[:n], *command[n + 2 :], *change]

    return drop


def _init(*options, header=True):
    return lambda _: ["init", write_csv("t.csv", header=header), *options]


def _init_new(place):
    """A table whose model goes to a channel of its own."""
    place.set(publish__channel="new")
    return ["init", write_csv("t.csv")]


def _two_labels(_):
    table = letters()
    table = table.assign(first_kind=table["intent"], second_kind=table["intent"])
    return ["init", write_csv("t.csv", table[["text", "first_kind", "second_kind"]])]


def _init_over(_):
    Path("job.yaml").write_text("# mine\n")
    return ["init", write_csv("t.csv")]


def _after_init(place):
    place.unset("dataset__uri")
    assert 0 == place.run("init", write_csv("t.csv")).code
    return ["validate", "--set", "dataset.min_rows=50"]


def _unnamed_table(place):
    place.unset("dataset__uri")
    return ["validate", *TEXTS]


def _report_to_existing(place):
    Path("mine.html").write_text("mine")
    return ["report", "production", "--to", "mine.html"]


def _read_first_run(_, command, outputs):
    runs = json.loads(outputs[0])["runs"]
    return ["report", runs[0]["run_id"], *command[2:]]


def _foreign_folder(_):
    Path("folder").mkdir()
    for name in ("report.html", "metadata.json", "evaluation.json"):
        Path("folder", name).write_text("{}")
    return ["report", "folder", "--anew", "--to", "new.html"]


def _without_report(place):
    """A version whose manifest does not list the report."""
    folder = place.folder / "models" / version_of(place)
    (folder / "report.html").unlink()
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"] = [f for f in manifest["files"] if f["name"] != "report.html"]
    (folder / "manifest.json").write_bytes(canonical_json(manifest))
    return ["report", "production", "--to", "new.html"]


def _failed_run(place):
    done = place.run("run", "--run-id", "bad", "--set", "dataset.min_rows=9999", *TEXTS)
    assert 4 == done.code, (done.code, done.message)
    return ["report", "bad"]


def _report_that_exists(_, __, outputs):
    runs = json.loads(outputs[0])["runs"]
    return ["report", next(run["run_id"] for run in runs if run["outcome"] == "published")]


def _add(*more):
    return lambda _, command, __: [*command, *more]


HERE = {"FILE": "here.html"}
COMMANDS = (
    Case(
        "use --format parquet",
        words("sample-data", "s.parquet", "--rows", "9", "--format", "x"),
        2,
        take="[^ ]* --format parquet",
    ),
    Case(
        "or --format csv",
        words("sample-data", "s.csv", "--rows", "9", "--format", "x"),
        2,
        take="or --format csv",
    ),
    Case(
        "use --output json",
        words("models", "list", "--output", "xml"),
        2,
        take="use --output json",
        name="json",
    ),
    Case(
        "--output yaml",
        words("models", "list", "--output", "xml"),
        2,
        take="--output yaml",
        name="yaml",
    ),
    Case(
        "or --output table", words("models", "list", "--output", "xml"), 2, take="or --output table"
    ),
    Case(
        "use --channel NAME",
        words("models", "history", "--set", "publish.channel=null"),
        2,
        own={"NAME": "production"},
    ),
    Case(
        "for example --set 'features.use=[text]'",
        words("config", "show", "--set", "features.use"),
        2,
        drop=("--set",),
    ),
    Case("pcc-job run --config {}", _init_new, 0),
    Case(
        "`pcc-job init` writes them to a file",
        words("validate", *TEXTS[2:]),
        0,
        own={"pcc-job init": "pcc-job init table.parquet"},
        change=_add("--config", "job.yaml"),
    ),
    Case(
        "name a table with --dataset", _unnamed_table, 3, change=_add("--dataset", "table.parquet")
    ),
    Case(", such as --config {}", _after_init, 3),
    Case(
        "choose another file with --out FILE, or remove it",
        _init_over,
        2,
        own={"FILE": "here.yaml"},
    ),
    Case(
        "choose another file with --out FILE",
        _init("--out", "none/job.yaml"),
        2,
        own={"FILE": "here.yaml"},
    ),
    Case("with the name or the number of the column", _two_labels, 2, own={"COLUMN": "first_kind"}),
    Case(
        "--target NUMBER` with the number",
        _init(header=False),
        4,
        own={"NUMBER": "2"},
        take="use `pcc-job.*;",
    ),
    Case(
        "add a header: `sed -i '1i text,label' FILE`",
        _init(header=False),
        4,
        own={"FILE": "t.csv"},
        take="add a header.*",
    ),
    Case(
        "`pcc-job run` creates the folder",
        words("models", "list", "--store", "new"),
        2,
        own={"pcc-job run": f"pcc-job run {' '.join(TEXTS)} --store new"},
    ),
    Case("choose another file with --to FILE", _report_to_existing, 2, own=HERE),
    Case(
        "choose a file in another folder with --to FILE",
        words("report", "production", "--to", "none/r.html"),
        75,
        own=HERE,
    ),
    Case(
        "`pcc-job runs list` shows the runs",
        words("report", "r9", "--to", "here.html"),
        2,
        change=_read_first_run,
    ),
    Case("run again with --anew", _without_report, 8),
    Case("run again without --anew", _foreign_folder, 2, drop=("--anew",)),
    Case("`pcc-job runs list` shows the others", _failed_run, 2, change=_report_that_exists),
    Case(
        "or leave it out for a random one",
        words("run", "--run-id", "a b", "--dry-run", *TEXTS),
        2,
        change=without("--run-id", "--run-id", "a-b"),
        name="another",
    ),
    Case(
        "or leave it out for a random one",
        words("run", "--run-id", "a b", "--dry-run", *TEXTS),
        2,
        change=without("--run-id"),
        name="none",
    ),
)
