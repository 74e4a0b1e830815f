"""CSV files that other tools read wrongly are read right, or refused with words that help."""

import bz2
import json
import re
import shlex
import subprocess

import pyarrow as pa
import pytest
from support.small_runs import write_letters

SECRET = "zq-secret-cell"


def letters(n_rows=80):
    table = write_letters(n_rows)[["text", "intent"]].copy()
    table["text"] = [
        f"{SECRET} {n} {text}" for n, text in enumerate(table["text"].str.replace(r"\s+", " "))
    ]
    return table


def validate(pcc_job, path, *settings):
    words = [word for setting in settings for word in ("--set", setting)]
    return pcc_job("validate", "--dataset", path.name, *words)


def error_of(done):
    assert SECRET not in done.stdout + done.stderr
    error = json.loads(done.stderr.splitlines()[-1])
    return error["reason"] + " / " + error["hint"]


def open_quote_to_the_end(lines):
    lines[31] = re.sub(",", ',"', lines[31], count=1)
    return lines


def open_quote_of_several_rows(lines):
    for n in (10, 40):
        lines[n] = re.sub(",", ',"', lines[n], count=1)
        lines[n + 5] += '"'
    return lines


def open_quote_before_the_label(lines):
    for n in (10, 30, 50):
        lines[n] = '"' + lines[n]
        lines[n + 1] = '"' + lines[n + 1].replace(",", '",')
    return lines


@pytest.mark.parametrize("n_files", [2, 3, 30])
def test_headers_of_joined_files_are_dropped(n_files, pcc_job, tmp_path):
    """A header in the middle of a file is not a row; too many of them stop the run."""
    lines = letters(120).to_csv(index=False).splitlines()
    size = -(-120 // n_files)
    parts = [lines[:1] + lines[1 + start : 1 + start + size] for start in range(0, 120, size)]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(line for part in parts for line in part) + "\n")

    done = validate(pcc_job, path, "dataset.min_rows=10")

    assert (0 if n_files < 4 else 4) == done.returncode, done.stderr
    assert "row_repeats_header" in (done.stdout if n_files < 4 else error_of(done))
    if n_files < 4:
        assert f'"n_dropped": {len(parts) - 1}' in done.stdout


@pytest.mark.parametrize(
    ("order", "damage"),
    [
        (["intent", "text"], open_quote_to_the_end),
        (["intent", "text"], open_quote_of_several_rows),
        (["text", "intent"], open_quote_before_the_label),
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_rows_in_cells_stop_a_run(order, damage, delimiter, pcc_job, tmp_path):
    """Unless the suite tolerates that many."""
    table = letters()
    table["text"] = table["text"].str.replace(",", "")
    lines = damage(table[order].to_csv(index=False).splitlines())
    path = tmp_path / "t.csv"
    path.write_text("\n".join(lines).replace(",", delimiter) + "\n")
    given = ("dataset.min_rows=10", f"dataset.csv.delimiter={delimiter}")

    refused = validate(pcc_job, path, *given)
    accepted = validate(pcc_job, path, *given, "expectations.parameters={validity: 0.1}")

    assert 4 == refused.returncode, refused.stderr
    assert "cells_hold_rows" in error_of(refused)
    assert "a quote is not closed" in error_of(refused)
    assert 0 == accepted.returncode, accepted.stderr
    assert '"event": "cells_hold_rows"' in accepted.stderr
    assert "cells_hold_rows" in accepted.stdout


@pytest.mark.parametrize("suffix", ["csv.zst", "tsv.bz2", "csv.bz2"])
def test_compressed_table_is_valid(suffix, pcc_job, tmp_path):
    """The early look at the table reads it, too."""
    text = letters().to_csv(index=False, sep="\t" if "tsv" in suffix else ",").encode()
    packed = (
        bz2.compress(text) if "bz2" in suffix else pa.Codec("zstd").compress(text, asbytes=True)
    )
    (tmp_path / f"t.{suffix}").write_bytes(packed)

    found = validate(pcc_job, tmp_path / f"t.{suffix}")
    assert 0 == found.returncode, found.stderr


def test_table_of_spark_is_valid(pcc_job, tmp_path):
    """Its texts keep their quotes."""
    lines = [f'"I say \\"{text}\\", please",{label}' for text, label in letters().values]
    (tmp_path / "t.csv").write_text("text,intent\n" + "\n".join(lines))

    found = validate(pcc_job, tmp_path / "t.csv")
    assert 0 == found.returncode, found.stderr


NAMES = {
    "byte order mark": "\ufeff\ufeffintent",
    "zero-width space": "int\u200bent",
    "no-break space": "intent\xa0",
    "soft hyphen": "in\xadtent",
    "blank": " intent ",
    "direction": "\u202aintent\u202c",
    "filler": "intent\u3164",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_header_with_invisible_characters_is_shown_and_the_hint_helps(name, pcc_job, tmp_path):
    """The alias has the code points as escapes."""
    table = letters()
    table.rename(columns={"intent": name})[["text", name]].to_csv(tmp_path / "t.csv", index=False)
    stated = "dataset.columns.target=intent"

    refused = validate(pcc_job, tmp_path / "t.csv", stated)
    [alias] = re.findall(r"--set '(dataset\.aliases=\{[^']*\})'", error_of(refused))[:1]
    obeyed = validate(pcc_job, tmp_path / "t.csv", stated, alias)

    assert 4 == refused.returncode
    assert name not in error_of(refused) or name == " intent "
    assert all(f"<U+{ord(c):04X}>" in error_of(refused) for c in name if not c.isascii())
    assert 0 == obeyed.returncode, obeyed.stderr


def test_optional_column_with_invisible_characters_is_told(pcc_job, tmp_path):
    """The settings state the column, so its absence is an error."""
    table = letters().assign(**{"\u200btimestamp": "2026-01-01"})
    table.to_csv(tmp_path / "t.csv", index=False)

    found = validate(pcc_job, tmp_path / "t.csv", "dataset.columns.timestamp=timestamp")
    assert 4 == found.returncode, found.stderr
    assert "'<U+200B>timestamp' is 'timestamp' with an invisible character" in found.stderr


def test_control_character_in_a_header_is_shown_and_the_command_helps(pcc_job, tmp_path):
    """No setting may have one."""
    path = tmp_path / "t.csv"
    letters().rename(columns={"intent": "in\x01tent\x7f"}).to_csv(path, index=False)

    refused = validate(pcc_job, path, "dataset.columns.target=intent")
    [command] = re.findall(r"`(LC_ALL=C sed [^`]*)`", error_of(refused))
    subprocess.run(command.replace("FILE", str(path)), shell=True, check=True)
    obeyed = validate(pcc_job, path, "dataset.columns.target=intent")

    assert 4 == refused.returncode
    assert "'in<U+0001>tent<U+007F>' is 'intent'" in error_of(refused)
    assert 0 == obeyed.returncode, obeyed.stderr


def test_notation_of_a_used_feature_is_named_and_the_setting_reads_it(pcc_job, tmp_path):
    """The log does not quote the numbers."""
    table = letters().assign(score=[f"{n},31415" for n in range(80)])
    table.to_csv(tmp_path / "t.csv", index=False, sep=";")
    given = ("dataset.columns.numeric=[score]", "features.use=[text, numeric]")

    told = validate(pcc_job, tmp_path / "t.csv", *given)
    [setting] = set(re.findall(r"--set '(dataset\.csv\.decimal=,)'", told.stderr))
    read = validate(pcc_job, tmp_path / "t.csv", *given, setting)

    assert "31415" not in told.stderr + told.stdout
    assert "a decimal comma" in told.stderr
    assert 0 == read.returncode, read.stderr
    assert "cells_unreadable" not in read.stderr


def test_large_cell_is_unreadable_and_the_setting_reads_it(pcc_job, tmp_path):
    """The hint is a setting of the exact size."""
    table = letters()
    table.loc[7, "text"] = "word " * 250_000
    table.to_csv(tmp_path / "t.csv", index=False)

    refused = validate(pcc_job, tmp_path / "t.csv")
    words = shlex.split(re.search(r"--set \S+", error_of(refused))[0])
    obeyed = pcc_job("validate", "--dataset", "t.csv", *words)

    assert 3 == refused.returncode
    assert "column 'text' has a cell of 1,250,000 bytes" in error_of(refused)
    assert 0 == obeyed.returncode, obeyed.stderr
