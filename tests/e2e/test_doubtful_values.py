"""Values that only look like values: `pcc-job validate` warns in log and report, or refuses."""

import json
import re
from itertools import cycle

import numpy as np
import pandas as pd
import pytest

CANARY = "zq-secret-cell"
TOPICS = ("billing", "delivery", "returns")
N = 240


def frame_of(**columns):
    """Return a table of texts and labels, with more columns or with others."""
    texts = [f"please help with request {n} of {CANARY}" for n in range(N)]
    labels = [TOPICS[n % 3] for n in range(N)]
    return pd.DataFrame({"text": texts, "intent": labels} | columns)


def repeated(*cells):
    return [cell for cell, _ in zip(cycle(cells), range(N), strict=False)]


@pytest.fixture
def validate(pcc_job, tmp_path):
    """Validate a table; return the exit code, the report, the events of the log, and all output."""

    def run(frame, *settings, suffix="csv"):
        path = tmp_path / f"table.{suffix}"
        frame.to_csv(path, index=False) if suffix == "csv" else frame.to_parquet(path)
        every = ("features.use=[text]", "expectations.suite=labelled_text", "dataset.min_rows=10")
        options = [part for setting in (*every, *settings) for part in ("--set", setting)]
        done = pcc_job("validate", "--dataset", path, *options)
        events = [json.loads(line) for line in done.stderr.splitlines()]
        report = json.loads(done.stdout) if done.returncode == 0 else None
        return done.returncode, report, events, done.stdout + done.stderr

    return run


def rule_of(report, name, column=None):
    found = [r for r in report["rules"] if r["rule"] == name and column in (None, r["column"])]
    assert len(found) == 1, [(r["rule"], r["column"]) for r in report["rules"]]
    return found[0]


def advice_on(events, name):
    [event] = [e for e in events if e.get("rule") == name]
    assert "warning" == event["level"]
    return event["advice"]


@pytest.mark.parametrize(
    ("other", "kind"),
    [
        ("Billing", "case"),
        ("billing ", "blanks"),
        ("\u00a0billing", "blanks"),
        ("bil\u200bling", "invisible characters"),
        ("billing\0", "invisible characters"),
        ("\ufeffbilling", "invisible characters"),
        ("\uff42illing", "Unicode form"),
    ],
)
def test_labels_that_look_alike(validate, other, kind):
    """The rarer spelling is counted, and classes that nobody expects are numbered."""
    labels = repeated(*TOPICS * 9, other, *TOPICS)
    code, report, events, output = validate(frame_of(intent=labels), suffix="parquet")
    rule = rule_of(report, "labels_look_alike")
    n_other = labels.count(other)
    advice = advice_on(events, "labels_look_alike")

    assert (0, n_other, 1, "warning") == (
        code, rule["n_broken"], rule["observed"], rule["severity"]
    )  # fmt: skip
    assert re.search(rf"class \d differs from class \d in {kind}:", advice)
    assert "billing" not in output.lower()


def test_labels_that_look_like_expected_ones_are_the_hint(validate):
    """The expected label is named; the table's is not."""
    labels = repeated(*TOPICS, "Billing")
    listed = f"expectations.parameters={{labels: [{', '.join(TOPICS)}]}}"
    code, _, events, output = validate(frame_of(intent=labels), listed)

    assert 4 == code
    assert "class 1 differs from 'billing' in case" in events[-1]["hint"]
    assert "Billing" not in output


@pytest.mark.parametrize("word", ["NA", "None", r"\N", "#N/A", "-", "null"])
def test_words_for_a_missing_value_are_counted_and_kept(validate, word):
    """In labels and in texts; they are not changed."""
    frame = frame_of(intent=repeated(*TOPICS, word))
    frame.loc[:6, "text"] = word
    code, report, events, _ = validate(frame)
    found = {r["column"]: r["n_broken"] for r in report["rules"] if r["rule"] == "looks_missing"}

    assert (0, {"target": N // 4, "text": 7}) == (code, found)
    assert 0 == report["n_dropped"]
    assert 2 == sum(e.get("rule") == "looks_missing" and "empty" in e["advice"] for e in events)


def test_listed_label_is_no_word_for_a_missing_value(validate):
    """A class named `none` is a class if the settings say so."""
    frame = frame_of(intent=repeated("billing", "none"))
    _, report, _, _ = validate(frame, "expectations.parameters={labels: [billing, none]}")

    assert "looks_missing" not in {r["rule"] for r in report["rules"]}


@pytest.mark.parametrize("blank", [" ", "\t \t", "\u00a0", "\u200b\ufeff", "\u3000"])
def test_blank_cells_are_missing(validate, blank):
    """They count against the completeness, and their rows are dropped."""
    frame = frame_of()
    frame.loc[0, "text"] = frame.loc[1, "intent"] = blank
    _, report, _, _ = validate(frame, suffix="parquet")
    frame.loc[:9, "text"] = blank
    code, _, events, _ = validate(frame, suffix="parquet")

    assert 2 == report["n_dropped"]
    assert 4 == code
    assert "'text'" in events[-1]["reason"]


@pytest.mark.parametrize(
    ("cells", "notation"),
    [
        (["24/12/2026", "01/02/2026"], "day_first"),
        (["12-24-2026"], "month_first"),
        ([1700000000, 1710000000], "epoch_seconds"),
        ([1700000000123, 1710000000456], "epoch_milliseconds"),
        ([45000.5, 46000.25], "spreadsheet_days"),
        (["3 January 2026"], "names_of_months"),
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_times_in_another_notation_are_named(validate, cells, notation, suffix):
    """The cells count as missing; nothing is guessed."""
    frame = frame_of(timestamp=repeated(*cells))
    code, report, events, _ = validate(frame, suffix=suffix)
    rule = rule_of(report, "timestamp_cells_unreadable")

    assert (0, N, notation) == (code, rule["n_broken"], rule["looks_like"])
    assert "ISO 8601" in advice_on(events, "timestamp_cells_unreadable")


@pytest.mark.parametrize(
    ("block", "cells", "words"),
    [
        ("numeric", ["24/12/2026"], "day first"),
        ("numeric", ["soon", "later"], "remove 'more' from dataset.columns.numeric"),
        ("numeric", [None], "numeric_column_empty"),
        ("numeric", ["NA", None], "numeric_column_empty"),
        ("boolean", ["perhaps"], "remove 'more' from dataset.columns.boolean"),
        ("boolean", [None], "boolean_column_empty"),
        ("categorical", [" ", None], "categorical_column_empty"),
    ],
)
def test_used_column_without_a_value_stops_the_run(validate, block, cells, words):
    """A model cannot use it; an unused column is only a warning."""
    frame = frame_of(more=repeated(*cells))
    code, _, events, _ = validate(
        frame, f"features.use=[text, {block}]", f"dataset.columns.{block}=[more]"
    )
    unused = validate(frame, f"dataset.columns.{block}=[more]")[0]

    assert (4, 0) == (code, unused)
    assert words in events[-1]["reason"] + events[-1]["hint"]


@pytest.mark.parametrize(
    ("n_wrong", "cell", "code"),
    [(4, "soon", 0), (5, "soon", 4), (60, "NA", 0), (60, None, 0)],
)
def test_used_column_with_unreadable_cells_is_judged_by_the_validity(validate, n_wrong, cell, code):
    """At most 2% may be wrong; missing cells are filled in, and no row is dropped."""
    numbers = [cell] * n_wrong + [str(n) for n in range(N - n_wrong)]
    found, report, _, _ = validate(
        frame_of(more=numbers), "features.use=[text, numeric]", "dataset.columns.numeric=[more]"
    )

    assert code == found
    assert report is None or report["n_dropped"] == 0


@pytest.mark.parametrize("role", ["timestamp", "id", "group"])
def test_stated_column_that_is_absent_is_refused(validate, role):
    """A default column may be absent."""
    code, _, events, _ = validate(frame_of(), f"dataset.columns.{role}=when")

    assert 4 == code
    assert "lacks the required column 'when'" in events[-1]["reason"]
    assert f"--set dataset.columns.{role}=null" in events[-1]["hint"]


@pytest.mark.parametrize(
    ("numbers", "code", "rule", "words"),
    [
        ((*range(5), *range(7, 12)), 0, "embedding_number_gaps", "number 5 to 6:"),
        (range(3, 13), 0, "embedding_number_gaps", "number 0 to 2:"),
        ((*range(10), "model"), 0, "embedding_name_strays", "'emb_model'"),
        ((*range(10), "01"), 4, None, "'emb_01', 'emb_1'"),
    ],
)
def test_numbered_columns_with_gaps_strays_or_equal_numbers(validate, numbers, code, rule, words):
    """Gaps and strays are named; two columns for one place are refused."""
    rng = np.random.default_rng(1)
    frame = frame_of(**{f"emb_{n}": rng.standard_normal(N) for n in numbers})
    found, report, events, _ = validate(
        frame,
        "features.use=[embeddings]",
        "expectations.suite=labelled_embeddings",
        "dataset.columns.embeddings=emb_*",
    )

    assert code == found
    if rule is None:
        assert words in events[-1]["reason"]
    else:
        assert words in advice_on(events, rule)
        assert "warning" == rule_of(report, rule)["severity"]


@pytest.mark.parametrize(
    "labels", [("yes", "no"), ("on", "off"), ("1.10", "0123"), ("12:30", "2026-01-02")]
)
@pytest.mark.parametrize("quote", ["{}", "'{}'"])
def test_labels_in_the_settings_are_read_as_they_are_written(validate, labels, quote):
    """YAML would make truth values and numbers of them."""
    listed = ", ".join(quote.format(label) for label in labels)
    code, report, _, _ = validate(
        frame_of(intent=repeated(*labels)), f"expectations.parameters={{labels: [{listed}]}}"
    )

    assert (0, True) == (code, report["is_met"])
    assert 0 == rule_of(report, "expect_column_values_to_be_in_set")["n_broken"]


def test_no_cell_stands_in_an_output(validate):
    """Whatever is wrong with the table."""
    labels = repeated(*TOPICS, f"{CANARY} label", f"{CANARY}  Label", f"{CANARY} label\0")
    frame = frame_of(intent=labels, timestamp=[f"{CANARY} {n}" for n in range(N)])
    _, report, _, output = validate(frame, "logs.level=debug", suffix="parquet")

    assert 2 == rule_of(report, "labels_look_alike")["observed"]
    assert N // 6 == rule_of(report, "nul_characters")["n_broken"]
    assert CANARY not in output
