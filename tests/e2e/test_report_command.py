"""Reports and comparisons on the command line, for versions that runs have published."""

import json

import jsonschema
import pytest

from job.contracts.reports.evaluation import Evaluation
from scripts.generate_schemas import FOLDER

CANARY = "zq-canary-4711"
SCHEMA = json.loads((FOLDER / "evaluation.schema.json").read_text())


@pytest.fixture
def versions(train, result_of, table, tmp_path):
    """Publish two versions of a table with a unique word in one text."""
    import pyarrow.parquet as pq

    frame = table.to_pandas()
    frame.loc[5, "text"] = f"please delete {CANARY} at once"
    frame["channel"] = ["web", "app", "mail"] * (len(frame) // 3) + ["web"] * (len(frame) % 3)
    frame.loc[::25, "channel"] = [f"{CANARY}-{n}" for n in range(len(frame.loc[::25]))]
    path = tmp_path / "curated.parquet"
    import pyarrow as pa

    schema = table.schema.append(pa.field("channel", pa.string()))
    pq.write_table(pa.Table.from_pandas(frame, schema), path)
    by_channel = ("--set", "dataset.columns.categorical=[channel]")
    first = result_of(train(path, *by_channel))
    more = (
        *by_channel,
        "--set",
        "search.estimators={logistic_regression: {C: [1]}}",
        "--set",
        "gate.margin=1",
    )
    return [first["version"], result_of(train(path, *more))["version"]]


def test_reports_of_versions(versions, pcc_job, result_of, tmp_path):
    """The published bytes are verified; page and command line show the same comparison."""
    models = tmp_path / "models"
    published = (models / versions[1] / "report.html").read_bytes()
    evaluation = json.loads((models / versions[1] / "evaluation.json").read_text())
    script = tmp_path / "browser"
    script.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/asked\n')
    script.chmod(0o755)
    browser = {"BROWSER": f"{script} %s"}
    told = result_of(pcc_job("report", "latest", "--open", "--store", "models", **browser))

    assert {"is_verified": True, "is_opened": True, "is_drawn_anew": False}.items() <= told.items()
    assert published == (tmp_path / told["path"]).read_bytes()
    assert f"{(tmp_path / told['path']).as_uri()}\n" == (tmp_path / "asked").read_text()
    assert told["path"] == result_of(pcc_job("report", "latest", "--store", "models"))["path"]

    drawn = result_of(pcc_job("report", f"models/{versions[1]}", "--anew", "--to", "anew.html"))
    assert published == (tmp_path / drawn["path"]).read_bytes()

    local = result_of(pcc_job("report", f"models/{versions[1]}"))
    assert (True, f"models/{versions[1]}/report.html") == (local["is_verified"], local["path"])

    by_channel = {s["value"] for s in evaluation["slices"]["scores"] if s["column"] == "channel"}
    assert {"app", "mail", "web"} <= by_channel <= {"app", "mail", "web", "(other)"}

    difference = result_of(pcc_job("models", "diff", *versions, "--store", "models"))
    assert versions[0] == evaluation["changes"]["champion"]
    assert difference["changed"] == evaluation["changes"]["changed"]
    lines = pcc_job("models", "diff", *versions, "--store", "models", "--output", "table").stdout
    head, *rows = lines.splitlines()
    assert ["what", *versions, "difference"] == head.split()
    assert ["hyperparameters.C", "10", "1"] in [row.split() for row in rows]
    assert rows[0].startswith("metrics.")

    for path in (models / versions[1]).rglob("*"):
        assert path.is_dir() or CANARY.encode() not in path.read_bytes(), path.name
    for version in versions:
        content = json.loads((models / version / "evaluation.json").read_text())
        jsonschema.validate(content, SCHEMA)
        _check_that_all_is_known(content)

    (models / versions[1] / "report.html").write_bytes(b"changed")
    for arguments in (("latest", "--store", "models"), (f"models/{versions[1]}",)):
        assert 8 == pcc_job("report", *arguments, "--to", "damaged.html").returncode
    assert not (tmp_path / "damaged.html").exists()


def _check_that_all_is_known(content):
    """Other releases may read more keys; every key that this release writes is in its type."""
    assert content == Evaluation.model_validate(content).to_json()


def test_report_of_a_rejected_run_is_shown_where_it_lies(train, pcc_job, result_of, sample):
    """It is not verified, and the output says so."""
    done = train(sample, "--run-id", "r1", "--set", "gate.floors.accuracy=1.0")
    told = result_of(pcc_job("report", "models/runs/r1/1"))

    assert 6 == done.returncode
    assert (False, "models/runs/r1/1/report.html") == (told["is_verified"], told["path"])


def test_report_replaces_nothing(pcc_job, tmp_path):
    """A file of this name may belong to somebody else."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "mine.html").write_text("mine")
    for name in ("report.html", "metadata.json", "evaluation.json"):
        (folder / name).write_text("{}")
    refused = pcc_job("report", "folder", "--to", "mine.html")

    assert (2, True) == (refused.returncode, "'mine.html' already exists" in refused.stderr)
    assert "mine" == (tmp_path / "mine.html").read_text()


@pytest.mark.parametrize(
    ("content", "arguments", "words"),
    [
        (None, (), "does not have files 'report.html'"),
        ("{}", ("--anew",), "was not written by this job"),
    ],
)
def test_folder_without_a_report_is_refused(pcc_job, tmp_path, content, arguments, words):
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("report.html", "metadata.json", "evaluation.json") if content else ():
        (folder / name).write_text(content)
    refused = pcc_job("report", "folder", *arguments)

    assert (2, True) == (refused.returncode, words in refused.stderr)
