"""A later table is held against aggregates of an earlier one."""

import json
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from job.contracts.dataset import Column, Dataset, MatrixRows, Provenance, Rows
from job.contracts.drift_specs import DriftSpec
from job.contracts.profile import Numbers, Profile
from job.stages.drift import keep, measure_drift, observe
from job.stages.drift.shares import (
    Shares,
    count_again,
    keep_numbers,
    keep_values,
    shannon_distance,
    stability_index,
)
from job.stages.slicing import NamingRule

RULE = NamingRule(min_rows=10, min_groups=3)
SPEC = DriftSpec()
WORDS = [f"word{n:02d}" for n in range(60)]
CLASSES = ("a", "b", "c")


def draw(seed, n=600, *, shares=(0.5, 0.3, 0.2), mean=0.0, words=WORDS, turn=None, copies=1):
    """Draw a table: classes, a category, a truth value, a number, texts of words, embeddings."""
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(n // copies), copies)
    n = len(unit)
    y = np.array(CLASSES, object)[rng.choice(3, n // copies, p=shares)][unit]
    matrix = (rng.normal(size=(n, 8)) * [4, 3, 3, 2, 2, 1, 1, 1]).astype(np.float32)
    matrix = matrix if turn is None else matrix @ turn
    texts = np.array([" ".join(rng.choice(words, 8)) for _ in range(n)], object)
    columns = {
        "source": (
            "categorical",
            "string",
            np.array(["web", "app"], object)[rng.integers(0, 2, n)],
        ),
        "has_id": ("boolean", "boolean", rng.integers(0, 2, n).astype(np.float32)),
        "length": ("numeric", "number", (rng.normal(size=n) + mean).astype(np.float32)),
        "text": ("text", "string", texts),
    }
    return make(y, columns, matrix, unit, texts)


def make(y, columns, matrix, unit, texts=None):
    made = tuple(
        Column(name=name, role=role, kind=kind, values=values)
        for name, (role, kind, values) in columns.items()
    )
    provenance = Provenance(
        uri="t",
        format="csv",
        n_bytes=1,
        modified_at=datetime(2026, 1, 1, tzinfo=UTC),
        file_digest="",
        content_digest="",
    )
    dataset = Dataset(n_rows=len(y), columns=made, embeddings=None, provenance=provenance)
    ids = [f"row:{n}" for n in range(len(y))]
    keys = np.array(ids if texts is None else [f"text:{text}" for text in texts], object)
    rows = Rows(
        y=y,
        keys=keys,
        text_keys=keys,
        text=None,
        embeddings=MatrixRows(matrix, np.arange(len(y))),
        frame=pd.DataFrame(index=range(len(y))),
        families=unit,
        positions=np.arange(len(y)),
    )
    return dataset, rows


def look(table):
    return observe(*table, "model", 0)


def kept_of(table):
    return keep(look(table), CLASSES, RULE, "salt")


def drift(before, after, spec=SPEC):
    return measure_drift(look(after), kept_of(before), "v1", spec)


def found_in(report):
    return {(measure.subject, measure.measure) for measure in report.found}


def test_the_same_table_has_not_moved_at_all():
    table = draw(0)
    report = drift(table, table)

    moved = {m.subject: m.value for m in report.measures if m.measure != "unseen_words"}
    assert all(abs(value) < 1e-5 for value in moved.values()), moved
    assert (600, 600) == (report.n_rows, report.n_rows_before)
    assert () == report.found == report.not_compared
    assert pytest.approx([0] * 5, abs=0.01) == report.principal_angles


@pytest.mark.parametrize("copies", [1, 6])
def test_chance_is_exceeded_once_in_a_thousand_times(copies):
    """Of tables drawn alike, with and without rows that hang together, some 1 in 1,000 measures."""
    reports = [drift(draw(2 * n, copies=copies), draw(2 * n + 1, copies=copies)) for n in range(60)]

    told = [m for report in reports for m in report.measures if m.by_chance is not None]
    above = [m.measure for m in told if m.value > m.by_chance and m.measure != "axes"]
    assert len(told) > 600
    assert len(above) <= 0.006 * len(told), above
    assert not any(found_in(report) for report in reports)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"shares": (0.2, 0.3, 0.5)}, {("classes", "psi"), ("class a", "class_share")}),
        ({"mean": 1.5}, {("column length", "psi")}),
        (
            {"words": [*WORDS[:30], *(f"lord{n:02d}" for n in range(30))]},
            {("words", "unseen_words")},
        ),
        ({"turn": np.eye(8, dtype=np.float32)[::-1]}, {("embeddings", "axes")}),
    ],
)
def test_what_moves_is_found_and_nothing_else(changed, expected):
    found = found_in(drift(draw(0), draw(1, **changed)))

    assert expected <= found
    subjects = {subject for subject, _ in expected} | {f"class {name}" for name in CLASSES}
    assert {subject for subject, _ in found} <= subjects


def test_mean_of_embeddings_that_moves_is_found():
    dataset, rows = draw(1)
    moved = MatrixRows(rows.embeddings.read() + np.float32(3), np.arange(len(rows)))
    report = measure_drift(
        observe(dataset, rows_with(rows, embeddings=moved), "model", 0),
        kept_of(draw(0)),
        "v1",
        SPEC,
    )

    assert {("embeddings", "mean_shift")} == found_in(report)


def rows_with(rows, **changes):
    from dataclasses import replace

    return replace(rows, **changes)


def test_thresholds_are_not_all_that_counts():
    """What is above a threshold may be chance, and what is beyond chance may be small."""
    moved = drift(draw(0, 60), draw(1, 60), DriftSpec(psi=1e-6, class_share=0))
    large = drift(draw(0, 6000), draw(1, 6000, mean=0.2), DriftSpec(psi=10))

    assert () == moved.found
    [length] = [m for m in large.measures if (m.subject, m.measure) == ("column length", "psi")]
    assert length.value > length.by_chance
    assert not length.is_drift


def test_new_category_that_many_rows_have_is_found():
    y, unit = np.full(400, "a", object), np.arange(400)
    before = np.array(["web", "app"] * 200, object)
    after = np.where(unit < 200, "fax", before)
    tables = [
        make(y, {"source": ("categorical", "string", values)}, np.zeros((400, 2), np.float32), unit)
        for values in (before, after)
    ]

    assert ("column source", "psi") in found_in(drift(*tables))


def test_numbers_that_are_missing_are_found():
    dataset, rows = draw(1)
    [length] = dataset.of_role("numeric")
    length.values[::2] = np.nan
    report = drift(draw(0), (dataset, rows))

    assert ("column length", "psi") in found_in(report)
    [missing] = [m for m in report.measures if m.measure == "missing"]
    assert (0.0, 0.5) == (missing.before, missing.after)


def test_what_one_of_both_has_not_is_told():
    """A column that is gone, another model's embeddings, texts that are not there."""
    dataset, rows = draw(1)
    columns = tuple(c for c in dataset.columns if c.role not in ("boolean", "text"))
    other = Dataset(n_rows=600, columns=columns, embeddings=None, provenance=dataset.provenance)
    report = measure_drift(observe(other, rows, "another", 0), kept_of(draw(0)), "v1", SPEC)

    assert ("column has_id", "embeddings", "text length", "words") == report.not_compared


def test_profile_is_read_as_it_was_written():
    kept = kept_of(draw(0))
    files = kept.files()

    assert Profile.model_validate_json(files["profile.json"]) == kept.profile
    assert set(files) == {"profile.json", "vocabulary.npy"}


def test_few_rows_name_no_value_and_make_no_bin():
    """A value under few keys is pooled; of few numbers no decile is kept."""
    y, unit = np.full(40, "a", object), np.arange(40)
    values = np.array(["web"] * 35 + ["Jane Doe"] * 5, object)
    columns = {
        "source": ("categorical", "string", values),
        "age": ("numeric", "number", np.arange(40, dtype=np.float32)),
    }
    parts = kept_of(make(y, columns, np.zeros((40, 2), np.float32), unit)).profile.parts

    assert {"web": 0.875, "(other)": 0.125} == parts["column source"].shares
    assert [] == parts["column age"].edges


def test_class_that_is_not_learnt_has_no_name():
    dataset, rows = draw(0)
    kept = keep(observe(dataset, rows, "model", 0), ("a", "b"), RULE, "salt")

    assert {"a", "b", "(other)"} == set(kept.profile.parts["classes"].shares)


def test_edges_have_three_digits():
    values = np.random.default_rng(0).normal(size=500).astype(np.float32) * 123456789
    edges = keep_numbers(values, np.arange(500)).edges

    assert 9 == len(edges)
    assert edges == [float(f"{edge:.3g}") for edge in edges]


@given(st.lists(st.one_of(st.none(), st.floats(-5, 5, width=32)), min_size=1, max_size=200))
def test_numbers_are_counted_again_as_they_were_kept(numbers):
    values = np.array([np.nan if n is None else n for n in numbers], np.float32)
    kept = Numbers(edges=[-2.0, 0.0, 1.0], shares=[0, 0, 0, 0, 0], effective_rows=1)
    shares = count_again(kept, values, np.arange(len(values))).shares

    bins = pd.cut(values, [-np.inf, -2, 0, 1, np.inf]).value_counts().tolist()
    assert pytest.approx(np.array([*bins, np.isnan(values).sum()]) / len(values)) == shares


def test_index_is_the_sum_of_its_formula():
    """Two bins of (40, 60) and (50, 50) in 100 rows, half a row added to each."""
    before, after = (
        Shares(shares=np.array(s), effective_rows=100) for s in ([0.4, 0.6], [0.5, 0.5])
    )
    p, q = np.array([40.5, 60.5]) / 101, np.array([50.5, 50.5]) / 101
    index, by_chance = stability_index(before, after)

    assert pytest.approx(((q - p) * np.log(q / p)).sum()) == index
    assert pytest.approx(10.828 * 0.02, rel=1e-3) == by_chance  # chi-squared, 1 degree, 99.9 %


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=2, max_size=9))
def test_shannon_distance_is_scipys(pairs):
    p, q = (np.array(side) / sum(side) for side in zip(*pairs, strict=True))
    sides = [Shares(shares=s, effective_rows=1) for s in (p, q)]

    assert np.nan_to_num(jensenshannon(p, q, base=2)) == pytest.approx(
        shannon_distance(*sides), abs=1e-6
    )


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.sampled_from([1, 3, 10]))
def test_rows_that_are_alike_count_once(seed, copies):
    """Shares of units of equal rows are as sure as those of so many rows."""
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(200), copies)
    cells = np.array(["a", "b", "c"], object)[rng.integers(0, 3, 200)][unit]
    effective = keep_values(cells, unit, ("a", "b", "c")).effective_rows

    assert 190 <= effective <= 201 or effective == len(unit) == 200


def test_one_large_unit_does_not_look_sure():
    unit = np.where(np.arange(1000) < 900, 0, np.arange(1000))
    cells = np.where(unit == 0, "a", "b").astype(object)

    assert keep_values(cells, unit, ("a", "b")).effective_rows < 20


def test_report_is_json():
    content = drift(draw(0), draw(1, mean=1.5)).to_json()

    assert content == json.loads(json.dumps(content))
    assert any(measure["is_drift"] for measure in content["measures"])
