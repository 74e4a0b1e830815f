"""A table of one's own: `pcc-job init` finds the roles, and one run publishes a model."""

import json
import re
import shlex

import numpy as np
import pandas as pd
import pytest
from support.own_tables import (
    EIGHT,
    SECRET,
    comment_label,
    other_writer,
    parquet_vectors,
    utterance_category_created,
)
from support.small_runs import write_letters

QUICK = {
    "PCC_JOB_SEARCH__ESTIMATORS": "{logistic_regression: {C: [1]}}",
    "PCC_JOB_EVALUATION__METHOD": "holdout",
    "PCC_JOB_EVALUATION__RESAMPLES": "1000",
}


@pytest.fixture
def follow(pcc_job):
    """Run a command that a message names, word for word."""

    def run(command, **environment):
        program, *words = shlex.split(command)
        assert "pcc-job" == program
        return pcc_job(*words, **environment)

    return run


@pytest.mark.parametrize("write", EIGHT)
def test_init_writes_settings_with_which_the_table_is_valid(write, pcc_job, result_of, tmp_path):
    path = write(tmp_path)

    found = result_of(pcc_job("init", path.name))
    report = result_of(pcc_job("validate", "--config", found["path"]))

    assert "240 rows" in found["found"]
    assert "(3 values" in found["found"]
    assert (write is other_writer) == ("user_id" in str(found["doubts"]))
    assert len(found["doubts"]) <= 1
    assert 240 == report["n_rows"]
    assert 0 == report["n_dropped"]


@pytest.mark.parametrize("write", [comment_label, parquet_vectors])
def test_init_and_one_run_publish_a_model(write, pcc_job, follow, result_of, tmp_path):
    """The first attempt, with the command that `init` prints; `gate` has the same criteria."""
    path = write(tmp_path)

    found = result_of(pcc_job("init", path.name))
    result = result_of(follow(found["next_command"], **QUICK))
    version = result["version"]
    judged = result_of(pcc_job("gate", version, version, "--config", found["path"], **QUICK))

    assert "published" == result["outcome"]
    assert (tmp_path / "models" / version / "manifest.json").is_file()
    met = {criterion["name"]: criterion["is_met"] for criterion in judged["gate"]["criteria"]}
    assert met["better_than_majority"]


def test_run_finds_the_same_without_a_file(pcc_job, result_of, tmp_path):
    path = utterance_category_created(tmp_path)

    found = result_of(pcc_job("init", path.name))
    with_file = result_of(pcc_job("validate", "--config", found["path"]))
    without = result_of(pcc_job("validate", "--dataset", path.name))

    assert with_file == without


def test_init_writes_only_what_differs(pcc_job, sample, tmp_path):
    """The upstream's own table needs nothing but its address."""
    done = pcc_job("init", sample)

    assert 0 == done.returncode, done.stderr
    lines = (tmp_path / "job.yaml").read_text().splitlines()
    stated = [line for line in lines if not line.lstrip().startswith("#")]
    assert ["dataset:", f'  uri: "{sample}"'] == stated


def test_init_does_not_overwrite(pcc_job, tmp_path):
    comment_label(tmp_path)
    (tmp_path / "job.yaml").write_text("mine: true\n")

    done = pcc_job("init", "feedback.csv")

    assert 2 == done.returncode
    assert "--out FILE" in done.stderr
    assert "mine: true\n" == (tmp_path / "job.yaml").read_text()


def test_store_with_the_champion_of_another_table_is_not_used(pcc_job, follow, result_of, tmp_path):
    """A candidate cannot be compared with such a champion; with that of the same table, it can."""
    comment_label(tmp_path)
    first = result_of(pcc_job("init", "feedback.csv"))
    result_of(follow(first["next_command"], **QUICK))
    (tmp_path / "feedback.csv").rename(tmp_path / "letters.csv")

    other = result_of(pcc_job("init", "letters.csv", "--out", "other.yaml"))
    (tmp_path / "letters.csv").rename(tmp_path / "feedback.csv")
    same = result_of(pcc_job("init", "feedback.csv"))

    assert "./models-letters" == other["store_uri"]
    assert 'uri: "./models-letters"' in (tmp_path / "other.yaml").read_text()
    assert "./models" == first["store_uri"] == same["store_uri"]


def test_stated_form_of_the_file_is_kept(pcc_job, follow, result_of, tmp_path):
    """What was needed to read the header is needed to read the rows."""
    table = write_letters(60)
    table["text"] = "Gr\xfc\xdfe, " + table["text"]
    path = tmp_path / "latin.csv"
    table[["text", "intent"]].to_csv(path, index=False, encoding="latin-1")
    stated = ("--set", "dataset.csv.encoding=windows-1252")

    found = result_of(pcc_job("init", path.name, *stated))
    report = result_of(pcc_job("validate", "--config", found["path"]))

    assert 60 == report["n_rows"]


def test_run_without_a_table_names_the_settings_file(pcc_job, result_of, tmp_path):
    path = comment_label(tmp_path)
    found = result_of(pcc_job("init", path.name))

    refused = pcc_job("validate")
    obeyed = pcc_job("validate", "--config", found["path"])

    assert (3, 0) == (refused.returncode, obeyed.returncode)
    assert "--config job.yaml" in json.loads(refused.stderr.splitlines()[-1])["hint"]


@pytest.mark.parametrize(
    "name", ["a: b", "x\u2028y: 1", 'quo"te', "\u00e9t\u00e9 {1}", "yes", "# no"]
)
def test_any_name_of_a_column_survives_the_settings_file(name, pcc_job, result_of, tmp_path):
    """A name cannot add lines or values to the file."""
    table = write_letters(60)[["text", "intent"]].rename(columns={"intent": name})
    table.to_parquet(tmp_path / "named.parquet")

    found = result_of(pcc_job("init", "named.parquet", "--target", "2"))
    shown = result_of(pcc_job("config", "show", "--config", found["path"], "--changed"))

    assert name == shown["dataset.columns.target"]["value"]
    sections = {key.rpartition(".")[0] for key in shown}
    assert {"dataset", "dataset.columns", "features", "expectations"} == sections


def test_table_that_lost_columns_does_not_change_the_contract(train, pcc_job, result_of, sample):
    """The upstream's champion is not replaced by a model with other features or weaker rules."""
    result_of(train(sample))
    table = pd.read_parquet(sample)[["intent", "text", "embeddings", "timestamp"]]
    table.to_parquet(sample.parent / "reduced.parquet")

    done = pcc_job("run", "--dataset", sample.parent / "reduced.parquet", "--store", "models")

    assert 2 == done.returncode, done.stderr[-1500:]
    error = json.loads(done.stderr.splitlines()[-1])
    assert "'expectations.suite', 'features.use'" in error["reason"]
    assert "--set 'features.use=[text, embeddings]'" in error["hint"]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("s3://user:zq-secret@bucket/t.csv", "credentials"),
        ("http://user:zq-secret@host/t.csv", "scheme"),
        ("", "empty"),
    ],
)
def test_address_that_cannot_be_read_is_refused(table, words, pcc_job):
    done = pcc_job("init", table)

    assert 2 == done.returncode
    assert words in done.stderr
    assert "zq-secret" not in done.stderr + done.stdout


def test_file_of_settings_is_a_file(pcc_job, tmp_path):
    comment_label(tmp_path)
    (tmp_path / "folder").mkdir()

    for out in ("folder", "missing/job.yaml", "x" * 300):
        assert 2 == pcc_job("init", "feedback.csv", "--out", out).returncode


def two_possible_labels(folder):
    table = write_letters(60)
    kinds = pd.DataFrame({"first_kind": table["intent"], "second_kind": table["intent"]})
    kinds.assign(comment=table["text"]).to_csv(folder / "two.csv", index=False)
    return folder / "two.csv"


def test_doubtful_label_is_asked_for(pcc_job, result_of, tmp_path):
    path = two_possible_labels(tmp_path)

    done = pcc_job("init", path.name)

    assert 2 == done.returncode
    hint = json.loads(done.stderr)
    assert "'first_kind', 'second_kind'" in hint["reason"]
    command = re.search("`pcc-job (init .*?)`", hint["hint"])[1]
    for column in ("second_kind", "2"):
        words = command.replace("COLUMN", column).split()
        found = result_of(pcc_job(*words, "--out", f"{column}.yaml"))
        assert "label: 'second_kind'" in found["found"]


def test_doubtful_label_of_a_run_names_the_command(pcc_job, follow, tmp_path):
    path = two_possible_labels(tmp_path)

    done = pcc_job("run", "--dataset", path.name)

    assert 4 == done.returncode
    hint = json.loads(done.stderr.splitlines()[-1])["hint"]
    assert "`pcc-job init two.csv" in hint


def test_table_without_a_header(pcc_job, tmp_path):
    """No cell is shown; the commands that the hint names lead to a settings file."""
    table = write_letters(60)
    table["text"] = SECRET + " " + table["text"]
    path = tmp_path / "headless.csv"
    table[["text", "intent"]].to_csv(path, index=False, header=False)

    done = pcc_job("init", path.name)

    assert 4 == done.returncode
    assert "header" in done.stderr
    assert SECRET not in done.stderr + done.stdout
    assert not (tmp_path / "job.yaml").exists()
    by_number = pcc_job("init", path.name, "--target", "2")
    assert "the first line of the file was taken as the names" in by_number.stdout
    assert SECRET not in by_number.stderr + by_number.stdout


def test_coin_is_not_better_than_the_majority_class(pcc_job, tmp_path):
    """Labels that do not depend on the texts: no floor is set, and the candidate is rejected."""
    path = comment_label(tmp_path)
    table = pd.read_csv(path)
    rng = np.random.default_rng(2)
    table["label"] = rng.choice(["ask", "drop", "stop"], len(table), p=[0.5, 0.3, 0.2])
    table["comment"] = table["comment"].str.replace("^(ask|drop|stop) ", "", regex=True)
    table.to_csv(path, index=False)

    done = pcc_job("run", "--dataset", path.name, **QUICK)

    assert 6 == done.returncode, done.stderr[-2000:]
    error = json.loads(done.stderr.splitlines()[-1])
    assert "not shown to be better than the majority class" in error["reason"]
    (page,) = (tmp_path / "models/runs").glob("*/1/report.html")
    assert "gate.floors.f1_macro" in page.read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--dataset", "nowhere.parquet"), 3, "does not exist"),
        (("--dataset", "table.parq"), 3, "does not exist"),
        (("--dataset", "feedback.csv", "--set", "dataset.columns.target=nothing"), 4, "'nothing'"),
        (("--dataset", "feedback.csv", "--set", "gate.margn=1"), 2, "gate.margin"),
        (("--dataset", "feedback.csv", "--set", "expectations.suite=labeled_text"), 2, "suite"),
        (("--dataset", "gs://bucket/table.csv"), 2, "gs"),
        (("--dataset", "feedback.csv", "--store", "feedback.csv/models"), 2, "not a folder"),
    ],
)
def test_early_refusal_loads_no_library(arguments, code, words, cold_job, tmp_path):
    """What is wrong before the first row is told before pandas or scikit-learn is loaded."""
    comment_label(tmp_path)

    done = cold_job("run", *arguments, PYTHONPROFILEIMPORTTIME="1")

    assert code == done.returncode, done.stderr[-2000:]
    report = [line for line in done.stderr.splitlines() if not line.startswith("import time:")]
    assert words in "\n".join(report)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if "|" in line}
    assert "pydantic" in loaded
    assert not loaded & {"numpy", "pandas", "sklearn", "pyarrow", "great_expectations", "scipy"}
