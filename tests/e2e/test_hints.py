"""Hints are obeyed word for word, and help."""

import gzip
import json
import re
import shlex
import subprocess

import pytest
from support.own_tables import comment_label
from support.small_runs import write_letters


def remedies(done):
    """Return reason and hint of the error that a command has written."""
    error = json.loads(done.stderr.splitlines()[-1])
    return error["hint"]


def settings_in(hint):
    """Return the `--set` options of a hint as words of a command line."""
    return shlex.split(" ".join(re.findall(r"--set (?:'[^']*'|\S*[^\s,;`)])", hint)))


def write(folder, table, **form):
    path = folder / "table.csv"
    table.drop(columns="embeddings").to_csv(path, index=False, **form)
    return path


def commas(folder):
    return write(folder, write_letters(60))


def semicolons(folder):
    return write(folder, write_letters(60), sep=";")


def two_bytes(folder):
    return write(folder, write_letters(60), encoding="utf-16")


def latin(folder):
    table = write_letters(60)
    table["text"] = "Grüße, " + table["text"]
    return write(folder, table, encoding="latin-1")


def few(folder):
    return write(folder, write_letters(45))


def renamed(folder):
    return write(folder, write_letters(60).rename(columns={"intent": "Intents"}))


@pytest.mark.parametrize(
    ("make", "wrong"),
    [
        (commas, "dataset.csv.delimiter=;"),
        (semicolons, "dataset.csv.delimiter=,"),
        (two_bytes, "dataset.csv.encoding=utf-8"),
        (latin, None),
        (few, None),
        (renamed, "dataset.columns.target=intent"),
        (commas, "expectations.suite=labeled_text"),
    ],
)
def test_the_set_line_of_a_hint_helps(make, wrong, pcc_job, tmp_path):
    path = make(tmp_path)
    given = () if wrong is None else ("--set", wrong)

    refused = pcc_job("validate", "--dataset", path.name, *given)
    hint = remedies(refused)
    obeyed = pcc_job("validate", "--dataset", path.name, *given, *fill(settings_in(hint), path))

    assert refused.returncode in (2, 3, 4), refused.stderr[-1500:]
    assert settings_in(hint), hint
    assert 0 == obeyed.returncode, (hint, obeyed.stderr[-1500:])


def fill(words, path):
    """Return a hint's words; a place for the user's own name gets the one that fits."""
    own = {"NAME": "labelled_text", "N": "45", "COLUMN": "Intents"}
    return [re.sub(r"(?<==)[A-Z]+$", lambda m: own[m[0]], word) for word in words]


def test_the_command_for_a_missing_header_helps(pcc_job, tmp_path):
    path = commas(tmp_path)
    _, rest = path.read_text().split("\n", 1)
    path.write_text(rest)

    refused = pcc_job("init", path.name)
    (command,) = re.findall(r"`(sed [^`]*)`", remedies(refused))
    subprocess.run(command.replace("FILE", str(path)), shell=True, check=True)
    found = pcc_job("init", path.name)

    assert 4 == refused.returncode
    assert 0 == found.returncode, found.stderr
    assert "text,label" == path.read_text().split("\n")[0]


def test_the_command_for_a_doubtful_label_helps(pcc_job, tmp_path):
    table = write_letters(60)
    table = table.assign(first_kind=table["intent"], second_kind=table["intent"])
    table[["text", "first_kind", "second_kind"]].to_csv(tmp_path / "two.csv", index=False)

    refused = pcc_job("validate", "--dataset", "two.csv")
    (command,) = re.findall(r"`pcc-job (init [^`]*)`", remedies(refused))
    found = pcc_job(*shlex.split(command.replace("COLUMN", "first_kind")))
    obeyed = pcc_job("validate", "--config", json.loads(found.stdout)["path"])

    assert 4 == refused.returncode
    assert 0 == obeyed.returncode, obeyed.stderr


def test_names_of_files_that_a_hint_asks_for_help(pcc_job, tmp_path):
    """A compressed file without .gz, and a file with .gz that is not compressed."""
    path = comment_label(tmp_path)
    packed, plain = tmp_path / "packed.csv", tmp_path / "plain.csv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    plain.write_bytes(path.read_bytes())

    for wrong, right in ((packed, "packed.csv.gz"), (plain, "plain.csv")):
        refused = pcc_job("validate", "--dataset", wrong.name)
        assert right.removeprefix("packed").removeprefix("plain") in remedies(refused)
        wrong.rename(tmp_path / right)
        obeyed = pcc_job("validate", "--dataset", right)
        assert (3, 0) == (refused.returncode, obeyed.returncode)


def test_the_next_command_of_a_run_works(train, pcc_job, sample, tmp_path):
    """The line that a run prints last, after a published, a dry and a rejected candidate."""
    rejected = ("--set", "gate.floors.accuracy=1", "--set", "publish.channel=null")
    for arguments in ((), ("--dry-run",), rejected):
        done = train(sample, *arguments)
        command = json.loads(done.stdout)["next_command"]
        program, *words = shlex.split(command)
        followed = pcc_job(*(word for word in words if word != "--open"))

        assert "pcc-job" == program
        assert 0 == followed.returncode, (command, followed.stderr[-1500:])


@pytest.mark.parametrize(
    "words",
    [
        *(["run", "--datset", "t.csv"], ["models", "promot"], ["models", "promote"], ["--nope"]),
        *(["predict"], ["runs", "list", "--limit", "none"], ["config", "show", "extra"], ["rn"]),
    ],
)
def test_the_help_that_a_wrong_argument_names_exists(words, pcc_job):
    refused = pcc_job(*words)
    (command,) = re.findall("^run `pcc-job ([^`]*)`$", remedies(refused))
    followed = pcc_job(*shlex.split(command))

    assert 2 == refused.returncode
    assert 0 == followed.returncode, followed.stderr
    assert "Usage" in followed.stdout
