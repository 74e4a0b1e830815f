"""A later table is held against aggregates of an earlier one."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from support.datasets import table_of

from job.contracts.dataset import Column, MatrixRows, Rows
from job.contracts.reports.profile import Profile
from job.contracts.settings.drift import DriftSpec
from job.stages.data.slices import DisclosureRule
from job.stages.drift import keep, measure_drift, observe
from job.stages.drift.bins import find_edges
from job.stages.drift.clusters import number_clusters
from job.stages.drift.histograms import (
    Shares,
    count_again,
    keep_numbers,
    keep_values,
    read_shares,
    shannon_distance,
    stability_index,
)

RULE = DisclosureRule(min_rows=10, min_groups=3)
SPEC = DriftSpec()
WORDS = [f"word{n:02d}" for n in range(60)]
CLASSES = ("a", "b", "c")
ONE_SIDED = ("unseen_words", "lost_variance")


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
    dataset = replace(table_of(made), n_rows=len(y))
    ids = [f"row:{n}" for n in range(len(y))]
    keys = np.array(ids if texts is None else [f"text:{text}" for text in texts], object)
    rows = Rows(
        y=y,
        leakage_keys=keys,
        text_keys=keys,
        text=None,
        embeddings=MatrixRows(matrix, np.arange(len(y))),
        frame=pd.DataFrame(index=range(len(y))),
        near_duplicate_groups=unit,
        positions=np.arange(len(y)),
    )
    return dataset, rows


def look(table):
    return observe(*table, "model", 0)


def kept_of(table):
    return keep(look(table), CLASSES, RULE, "salt")


def drift(before, after, spec=SPEC):
    return measure_drift(look(after), kept_of(before), kept_of(after), "v1", spec)


def found_in(report):
    return {(measure.subject, measure.measure) for measure in report.measures if measure.is_drift}


def test_the_same_table_has_not_moved_at_all():
    table = draw(0)
    report = drift(table, table)

    moved = {m.subject: m.value for m in report.measures if m.measure not in ONE_SIDED}
    assert all(abs(value) < 1e-3 for value in moved.values()), moved
    assert (600, 600) == (report.n_rows, report.n_rows_before)
    assert () == report.found == report.lost == report.not_compared
    assert pytest.approx([0] * 5, abs=0.01) == report.principal_angles


def near_duplicate_groups(seed):
    """Draw one class of ten families of sixty rows, more or less, and twenty of single rows.

    The texts of a family share words that no other has.
    """
    rng = np.random.default_rng(seed)
    n_families = 2 + rng.poisson(8)
    unit = np.concatenate([np.repeat(np.arange(n_families), 60), 1000 + np.arange(1500)])
    names = np.array([f"c{n:02d}" for n in range(20)], object)
    y = np.where(unit < 1000, "a", names[rng.integers(0, 20, len(unit))])
    own = [
        f"own{seed:03d}x{u:03d} {w}" if u < 1000 else w
        for u, w in zip(unit, rng.choice(WORDS, len(unit)), strict=True)
    ]
    texts = np.array([f"{text} {row:04d}" for row, text in enumerate(own)], object)
    matrix = rng.normal(size=(len(unit), 16)).astype(np.float32)
    columns = {"text": ("text", "string", texts)}
    return make(y, columns, matrix, unit, texts)


@pytest.mark.parametrize("kind", ["single rows", "units of six", "families of one class"])
def test_chance_is_hardly_ever_exceeded(kind):
    """Of tables drawn alike; it is meant to be once in a thousand times, of single rows it is."""
    makers = {
        "single rows": draw,
        "units of six": lambda seed: draw(seed, copies=6),
        "families of one class": near_duplicate_groups,
    }
    n_pairs = 60
    classes = ("a", "b", "c", *(f"c{n:02d}" for n in range(20)))
    told = []
    for n in range(n_pairs):
        tables = [look(makers[kind](2 * n + side)) for side in (0, 1)]
        kept, now = (keep(table, classes, RULE, "salt") for table in tables)
        report = measure_drift(tables[1], kept, now, "v1", SPEC)
        told += [m for m in report.measures if m.by_chance is not None]
        assert not report.found, report.found
    above = [(m.subject, m.measure) for m in told if m.value > m.by_chance]

    assert len(told) > 6 * n_pairs
    assert len(above) <= 0.005 * len(told), above


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"shares": (0.2, 0.3, 0.5)}, {("classes", "psi"), ("class a", "class_share")}),
        ({"mean": 1.5}, {("column length", "psi")}),
        (
            {"words": [*WORDS[:30], *(f"lord{n:02d}" for n in range(30))]},
            {("words", "unseen_words")},
        ),
        ({"turn": np.eye(8, dtype=np.float32)[::-1]}, {("embeddings", "lost_variance")}),
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
    report = drift(draw(0), (dataset, replace(rows, embeddings=moved)))

    assert {("embeddings", "mean_shift")} == found_in(report)


def test_thresholds_are_not_all_that_counts():
    """What is above a threshold may be chance, and what is beyond chance may be small."""
    moved = drift(draw(0, 60), draw(1, 60), DriftSpec(psi=1e-6, class_share=0))
    large = drift(draw(0, 6000), draw(1, 6000, mean=0.2), DriftSpec(psi=10))

    assert set() == found_in(moved)
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


def test_what_is_gone_is_found_and_what_is_new_is_told():
    """A column that is gone or new, another model's embeddings, texts that are not there."""
    dataset, rows = draw(1)
    columns = tuple(c for c in dataset.columns if c.role not in ("boolean", "text"))
    other = table_of(columns)
    tables = [look(draw(0)), observe(other, rows, "another", 0)]
    kept = [keep(table, CLASSES, RULE, "salt") for table in tables]
    lost = measure_drift(tables[1], *kept, "v1", SPEC)
    new = measure_drift(tables[0], *kept[::-1], "v1", SPEC)

    assert ("column has_id", "embeddings", "text length", "words") == lost.lost
    assert lost.found[0].startswith("column has_id: it is gone")
    assert ("embeddings",) == new.lost
    assert ("column has_id", "text length", "words") == new.not_compared


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (np.ones(1000), np.zeros(1000)),
        (np.arange(1000) % 20 > 0, np.zeros(1000)),
        (np.where(np.arange(1000) % 12 > 0, 5, np.arange(1000) % 5), np.ones(1000)),
        (np.full(1000, 3.25), np.full(1000, 3.3)),
        (10_020 + np.sin(np.arange(1000)), 10_025 + np.sin(np.arange(1000))),
        (2015 + np.arange(1000) % 10, 2016 + np.arange(1000) % 10),
        (
            (1 + np.arange(1000) % 10) / 10,
            np.where(np.arange(1000) % 10 == 6, 0.6, (1 + np.arange(1000) % 10) / 10),
        ),
    ],
    ids=["constant", "flag", "rating", "another constant", "far from zero", "years", "tenths"],
)
def test_numbers_of_any_kind_are_seen_to_move(before, after):
    """Those that most rows hold, those that are large beside their spread, those with steps."""
    y, unit = np.full(1000, "a", object), np.arange(1000)
    tables = [
        make(
            y,
            {"x": ("numeric", "number", np.asarray(v, np.float32))},
            np.zeros((1000, 2), np.float32),
            unit,
        )
        for v in (before, after)
    ]
    [index] = [m for m in drift(*tables).measures if (m.subject, m.measure) == ("column x", "psi")]

    assert index.value > index.by_chance


def test_column_of_which_nothing_may_be_named_is_not_compared():
    """Sixty countries are data; to say that they did not move would be a lie."""
    y, unit = np.full(600, "a", object), np.arange(600)
    countries = np.array([f"country {n % 60}" for n in range(600)], object)
    columns = {"country": ("categorical", "string", countries)}
    table = make(y, columns, np.zeros((600, 2), np.float32), unit)

    assert ("column country",) == drift(table, table).not_compared


@pytest.mark.parametrize("name", ["(other)", "(missing)"])
def test_class_of_a_pools_name_is_a_class(name):
    y, unit = np.array([name, "b"] * 300, object), np.arange(600)
    table = make(y, {}, np.zeros((600, 2), np.float32), unit)
    kept = keep(look(table), (name, "b"), RULE, "salt")
    report = measure_drift(look(table), kept, kept, "v1", SPEC)

    assert 0.5 == kept.profile.parts["classes"].shares[name]
    assert all(measure.value == 0 for measure in report.measures)


def test_words_of_one_family_are_not_kept():
    """Whatever many texts of it hold them."""
    unit = np.repeat(np.arange(40), 12)
    texts = np.array([f"delete my account own{u} {n}" for n, u in enumerate(unit)], object)
    table = make(
        np.full(480, "a", object),
        {"text": ("text", "string", texts)},
        np.zeros((480, 2), np.float32),
        unit,
        texts,
    )
    words = kept_of(table).profile.words

    assert 3 == words.n_words
    assert words.unseen_share > 0.2


def test_no_axis_is_that_of_one_unit():
    """Neither of a text that stands in many rows, nor of one that is far out."""
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(1000, 16)).astype(np.float32)
    unit = np.where(np.arange(1000) < 200, 0, np.arange(1000))
    matrix[:200] = matrix[0] * 4
    matrix[999] *= 1000
    y = np.full(1000, "a", object)
    axes = np.array(kept_of(make(y, {}, matrix, unit)).profile.embeddings.axes)

    for row in (0, 999):
        assert np.abs(axes @ matrix[row]).max() / np.linalg.norm(matrix[row]) < 0.9


@pytest.mark.parametrize("scale", [0, 1e-20, 1e20])
def test_embeddings_of_any_size_end_in_numbers(scale):
    dataset, rows = draw(0)
    sized = MatrixRows(rows.embeddings.read() * np.float32(scale), np.arange(len(rows)))
    table = (dataset, replace(rows, embeddings=sized))

    assert set() == found_in(drift(table, table))


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

    assert ({"web": 0.875}, 0.125) == (parts["column source"].shares, parts["column source"].other)
    assert [] == parts["column age"].edges


def test_class_that_is_not_learnt_has_no_name():
    dataset, rows = draw(0)
    kept = keep(observe(dataset, rows, "model", 0), ("a", "b"), RULE, "salt")

    assert {"a", "b"} == set(kept.profile.parts["classes"].shares)


def test_edges_that_few_rows_hold_are_rounded():
    """And those that many hold are bins of their own."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=500).astype(np.float32) * 123456789
    unit, keys = np.arange(500), np.arange(500)
    edges, ties = find_edges(values, unit, keys, RULE)
    tied, its = find_edges(np.where(unit % 2, np.float32(4711.5), values), unit, keys, RULE)

    assert (9, set()) == (len(edges), ties)
    assert all(edge % 100_000 == 0 for edge in edges)
    assert 4711.5 in tied and {4711.5} == its


def test_value_of_one_unit_is_no_edge():
    unit = np.where(np.arange(500) < 400, 0, np.arange(500))
    values = np.where(unit == 0, 417.0, np.arange(500) / 7).astype(np.float32)

    assert 417.0 not in find_edges(values, unit, unit, RULE)[1]


@given(st.lists(st.one_of(st.none(), st.floats(-5, 5, width=32)), min_size=1, max_size=200))
def test_numbers_are_counted_in_their_bins(numbers):
    values = np.array([np.nan if n is None else n for n in numbers], np.float32)
    clusters = number_clusters(np.arange(len(values)))
    kept = keep_numbers(values, clusters, [-2.0, 0.0, 1.0], {0.0})
    known = values[~np.isnan(values)]
    expected = [
        (known <= -2).sum(),
        ((known > -2) & (known < 0)).sum(),
        (known == 0).sum(),
        ((known > 0) & (known <= 1)).sum(),
        (known > 1).sum(),
        np.isnan(values).sum(),
    ]

    assert pytest.approx(np.array(expected) / len(values)) == [*kept.shares, kept.missing]
    assert read_shares(kept).shares.tolist() == pytest.approx(
        count_again(kept, values, clusters).shares
    )


def independent(shares, n_rows):
    """Give shares as of single rows."""
    shares = np.array(shares)
    n_free = (shares > 0).sum() - 1
    return Shares(
        shares=shares,
        errors=np.sqrt(shares * (1 - shares) / n_rows),
        expected_index=n_free / n_rows,
        degrees_of_freedom=n_free,
    )


def test_index_is_the_sum_of_its_formula():
    """Two bins of (40, 60) and (50, 50) in 100 rows, half a row added to each."""
    before, after = (independent(shares, 100) for shares in ([0.4, 0.6], [0.5, 0.5]))
    p, q = np.array([40.5, 60.5]) / 101, np.array([50.5, 50.5]) / 101
    index, by_chance = stability_index(before, after)

    assert pytest.approx(((q - p) * np.log(q / p)).sum()) == index
    assert pytest.approx(10.828 * 0.02, rel=1e-3) == by_chance  # chi-squared, 1 degree, 99.9 %


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=2, max_size=9))
def test_shannon_distance_is_scipys(pairs):
    p, q = (np.array(side) / sum(side) for side in zip(*pairs, strict=True))
    sides = [independent(s, 100) for s in (p, q)]

    assert np.nan_to_num(jensenshannon(p, q, base=2)) == pytest.approx(
        shannon_distance(*sides), abs=1e-6
    )


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.sampled_from([1, 3, 10]))
def test_rows_that_are_alike_count_once(seed, copies):
    """Shares of units of equal rows are as sure as those of so many rows: p (1 - p) / n."""
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(200), copies)
    cells = np.array(["a", "b", "c"], object)[rng.integers(0, 3, 200)][unit]
    kept = keep_values(cells, number_clusters(unit), ("a", "b", "c"))

    for name, share in kept.shares.items():
        assert pytest.approx((share * (1 - share) / 199) ** 0.5) == kept.standard_errors[name]
    assert pytest.approx(2 / 199) == kept.expected_index
    assert pytest.approx(2) == kept.degrees_of_freedom


def test_one_large_unit_does_not_look_sure():
    unit = np.where(np.arange(1000) < 900, 0, np.arange(1000))
    cells = np.where(unit == 0, "a", "b").astype(object)

    assert keep_values(cells, number_clusters(unit), ("a", "b")).standard_errors["a"] > 0.5


@pytest.mark.parametrize("n_rows", [60, 600])
def test_report_is_json(n_rows):
    """Whether chance makes more than what is allowed, as of few rows, or less."""
    content = drift(draw(0, n_rows), draw(1, n_rows, mean=9)).to_json()

    assert content == json.loads(json.dumps(content))
    assert any(measure["is_drift"] for measure in content["measures"]) == (n_rows > 100)
