"""A later table is compared with the aggregates of an earlier one."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from support.datasets import table_of
from support.lineage import KEY

from job.contracts.dataset import Column, Rows
from job.contracts.matrix_rows import MatrixRows
from job.contracts.reports.profile import Profile
from job.contracts.settings.drift import DriftSpec
from job.stages.data.slices import DisclosureRule
from job.stages.drift import build_profile, measure_drift, take_snapshot
from job.stages.drift.bins import find_edges
from job.stages.drift.clusters import make_clusters
from job.stages.drift.histograms import (
    Shares,
    count_shares,
    jensen_shannon_distance,
    profile_numbers,
    profile_values,
    read_shares,
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
    groups = np.repeat(np.arange(n // copies), copies)
    n = len(groups)
    y = np.array(CLASSES, object)[rng.choice(3, n // copies, p=shares)][groups]
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
    return make(y, columns, matrix, groups, texts)


def make(y, columns, matrix, groups, texts=None):
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
        near_duplicate_groups=groups,
        positions=np.arange(len(y)),
    )
    return dataset, rows


def snapshot(table):
    return take_snapshot(*table, "model", 0)


def profile(table):
    return build_profile(snapshot(table), CLASSES, RULE, KEY)


def measure(before, after, spec=SPEC):
    return measure_drift(snapshot(after), profile(before), profile(after), "v1", spec)


def find_drift(report):
    return {(measure.subject, measure.measure) for measure in report.measures if measure.is_drift}


def test_same_table_does_not_drift():
    table = draw(0)
    report = measure(table, table)

    values = {m.subject: m.value for m in report.measures if m.measure not in ONE_SIDED}
    assert all(abs(value) < 1e-3 for value in values.values()), values
    assert (600, 600) == (report.n_rows, report.n_rows_before)
    assert () == report.findings == report.missing_subjects == report.not_compared


def draw_near_duplicates(seed):
    """Draw one class of about ten groups of sixty near-duplicates, and twenty of single rows.

    The texts of a group share words that no other group has.
    """
    rng = np.random.default_rng(seed)
    n_groups = 2 + rng.poisson(8)
    groups = np.concatenate([np.repeat(np.arange(n_groups), 60), 1000 + np.arange(1500)])
    names = np.array([f"c{n:02d}" for n in range(20)], object)
    y = np.where(groups < 1000, "a", names[rng.integers(0, 20, len(groups))])
    stems = [
        f"own{seed:03d}x{u:03d} {w}" if u < 1000 else w
        for u, w in zip(groups, rng.choice(WORDS, len(groups)), strict=True)
    ]
    texts = np.array([f"{text} {row:04d}" for row, text in enumerate(stems)], object)
    matrix = rng.normal(size=(len(groups), 16)).astype(np.float32)
    columns = {"text": ("text", "string", texts)}
    return make(y, columns, matrix, groups, texts)


@pytest.mark.parametrize("kind", ["single rows", "groups of six", "near-duplicates of one class"])
def test_null_quantile_is_rarely_exceeded(kind):
    """Both tables come from one distribution; the nominal rate is one in a thousand."""
    makers = {
        "single rows": draw,
        "groups of six": lambda seed: draw(seed, copies=6),
        "near-duplicates of one class": draw_near_duplicates,
    }
    n_pairs = 60
    classes = ("a", "b", "c", *(f"c{n:02d}" for n in range(20)))
    measures = []
    for n in range(n_pairs):
        tables = [snapshot(makers[kind](2 * n + side)) for side in (0, 1)]
        profiles = (build_profile(table, classes, RULE, KEY) for table in tables)
        report = measure_drift(tables[1], *profiles, "v1", SPEC)
        measures += [m for m in report.measures if m.null_quantile is not None]
        assert not report.findings, report.findings
    above = [(m.subject, m.measure) for m in measures if m.value > m.null_quantile]

    assert len(measures) > 6 * n_pairs
    assert len(above) <= 0.005 * len(measures), above


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
def test_change_is_found_and_nothing_else(changed, expected):
    drifted = find_drift(measure(draw(0), draw(1, **changed)))

    assert expected <= drifted
    subjects = {subject for subject, _ in expected} | {f"class {name}" for name in CLASSES}
    assert {subject for subject, _ in drifted} <= subjects


def test_shift_of_the_mean_embedding_is_found():
    dataset, rows = draw(1)
    shifted = MatrixRows(rows.embeddings.read() + np.float32(3), np.arange(len(rows)))
    report = measure(draw(0), (dataset, replace(rows, embeddings=shifted)))

    assert {("embeddings", "mean_shift")} == find_drift(report)


def test_drift_exceeds_threshold_and_null_quantile():
    """A measure above its threshold may be noise, and a significant one may be small."""
    noisy = measure(draw(0, 60), draw(1, 60), DriftSpec(psi=1e-6, class_share=0))
    large = measure(draw(0, 6000), draw(1, 6000, mean=0.2), DriftSpec(psi=10))

    assert set() == find_drift(noisy)
    [length] = [m for m in large.measures if (m.subject, m.measure) == ("column length", "psi")]
    assert length.value > length.null_quantile
    assert not length.is_drift


def test_new_category_that_many_rows_have_is_found():
    y, groups = np.full(400, "a", object), np.arange(400)
    before = np.array(["web", "app"] * 200, object)
    after = np.where(groups < 200, "fax", before)
    tables = [
        make(
            y, {"source": ("categorical", "string", values)}, np.zeros((400, 2), np.float32), groups
        )
        for values in (before, after)
    ]

    assert ("column source", "psi") in find_drift(measure(*tables))


def test_numbers_that_are_missing_are_found():
    dataset, rows = draw(1)
    [length] = dataset.of_role("numeric")
    length.values[::2] = np.nan
    report = measure(draw(0), (dataset, rows))

    assert ("column length", "psi") in find_drift(report)
    [missing] = [m for m in report.measures if m.measure == "missing"]
    assert (0.0, 0.5) == (missing.before, missing.after)


def test_lost_subject_is_drift_and_new_subject_is_listed():
    """Columns and texts may be in one table only, and embeddings may come from another model."""
    dataset, rows = draw(1)
    columns = tuple(c for c in dataset.columns if c.role not in ("boolean", "text"))
    other = table_of(columns)
    tables = [snapshot(draw(0)), take_snapshot(other, rows, "another", 0)]
    profiles = [build_profile(table, CLASSES, RULE, KEY) for table in tables]
    forward = measure_drift(tables[1], *profiles, "v1", SPEC)
    backward = measure_drift(tables[0], *profiles[::-1], "v1", SPEC)

    assert ("column has_id", "embeddings", "text length", "words") == forward.missing_subjects
    assert forward.findings[0].startswith("column has_id: missing")
    assert ("embeddings",) == backward.missing_subjects
    assert ("column has_id", "text length", "words") == backward.not_compared


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
def test_drift_of_any_kind_of_numbers_is_found(before, after):
    """These are near-constant columns, values far from zero, and columns of few distinct values."""
    y, groups = np.full(1000, "a", object), np.arange(1000)
    tables = [
        make(
            y,
            {"x": ("numeric", "number", np.asarray(v, np.float32))},
            np.zeros((1000, 2), np.float32),
            groups,
        )
        for v in (before, after)
    ]
    [index] = [
        m for m in measure(*tables).measures if (m.subject, m.measure) == ("column x", "psi")
    ]

    assert index.value > index.null_quantile


def test_column_without_disclosable_values_is_not_compared():
    """Sixty countries are data, not schema; reporting no drift would be wrong."""
    y, groups = np.full(600, "a", object), np.arange(600)
    countries = np.array([f"country {n % 60}" for n in range(600)], object)
    columns = {"country": ("categorical", "string", countries)}
    table = make(y, columns, np.zeros((600, 2), np.float32), groups)

    assert ("column country",) == measure(table, table).not_compared


@pytest.mark.parametrize("name", ["(other)", "(missing)"])
def test_class_named_like_a_pooled_value_is_a_class(name):
    y, groups = np.array([name, "b"] * 300, object), np.arange(600)
    table = make(y, {}, np.zeros((600, 2), np.float32), groups)
    kept = build_profile(snapshot(table), (name, "b"), RULE, KEY)
    report = measure_drift(snapshot(table), kept, kept, "v1", SPEC)

    assert 0.5 == kept.profile.parts["classes"].shares[name]
    assert all(measure.value == 0 for measure in report.measures)


def test_words_of_one_group_are_not_stored():
    """The number of the group's texts that use them has no effect."""
    groups = np.repeat(np.arange(40), 12)
    own = ["own" + chr(97 + u // 26) + chr(97 + u % 26) for u in range(40)]
    texts = np.array([f"delete my account {own[u]} {n}" for n, u in enumerate(groups)], object)
    table = make(
        np.full(480, "a", object),
        {"text": ("text", "string", texts)},
        np.zeros((480, 2), np.float32),
        groups,
        texts,
    )
    words = profile(table).profile.words

    assert 3 == words.n_words
    assert words.unseen_share > 0.2


def draw_letters(persons):
    """Draw letters with a word that no other letter has, and words that only the first six have."""
    own = ["own" + chr(97 + n // 26) + chr(97 + n % 26) for n in range(40)]
    texts = [f"delete my account {own[n]}" + " quixano" * (n < 6) for n in range(40)]
    texts = np.array([f"{text} jo.quill@example.com 4711" for text in texts], object)
    columns = {"text": ("text", "string", texts)}
    dataset, rows = make(
        np.full(40, "a", object), columns, np.zeros((40, 2), np.float32), np.arange(40), texts
    )
    return dataset, replace(rows, person_ids=persons)


@pytest.mark.parametrize(("n_persons", "n_words"), [(2, 3), (6, 4)])
def test_word_is_stored_if_enough_persons_use_it(n_persons, n_words):
    """The number of a person's letters has no effect, and words inside of slots are left out."""
    persons = np.where(np.arange(40) < 6, np.arange(40) % n_persons, np.arange(40))

    assert n_words == profile(draw_letters(persons)).profile.words.n_words


@pytest.mark.parametrize("n_persons", [2, 3])
def test_values_are_named_if_enough_persons_have_them(n_persons):
    """This covers the values of a column and the ties of a number."""
    is_own = np.arange(400) < 200
    columns = {
        "source": ("categorical", "string", np.where(is_own, "zq", "web").astype(object)),
        "length": ("numeric", "number", np.where(is_own, 1.25, np.arange(400)).astype(np.float32)),
    }
    dataset, rows = make(
        np.full(400, "a", object), columns, np.zeros((400, 2), np.float32), np.arange(400)
    )
    persons = np.where(is_own, np.arange(400) % n_persons, np.arange(400))
    parts = profile((dataset, replace(rows, person_ids=persons))).profile.parts

    is_named = n_persons >= RULE.min_groups
    assert is_named == ("zq" in parts["column source"].shares)
    assert is_named == (1.25 in parts["column length"].ties)


def test_no_axis_follows_a_single_group():
    """This covers a text in many rows and an outlier."""
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(1000, 16)).astype(np.float32)
    groups = np.where(np.arange(1000) < 200, 0, np.arange(1000))
    matrix[:200] = matrix[0] * 4
    matrix[999] *= 1000
    y = np.full(1000, "a", object)
    axes = np.array(profile(make(y, {}, matrix, groups)).profile.embeddings.axes)

    for row in (0, 999):
        assert np.abs(axes @ matrix[row]).max() / np.linalg.norm(matrix[row]) < 0.9


@pytest.mark.parametrize("scale", [0, 1e-20, 1e20])
def test_embeddings_of_any_size_end_in_numbers(scale):
    dataset, rows = draw(0)
    sized = MatrixRows(rows.embeddings.read() * np.float32(scale), np.arange(len(rows)))
    table = (dataset, replace(rows, embeddings=sized))

    assert set() == find_drift(measure(table, table))


def test_profile_is_read_as_it_was_written():
    kept = profile(draw(0))

    assert Profile.model_validate_json(kept.to_bytes()) == kept.profile


def test_few_rows_name_no_value_and_make_no_bin():
    """A value with few keys is pooled; few numbers have no deciles."""
    y, groups = np.full(40, "a", object), np.arange(40)
    values = np.array(["web"] * 35 + ["Jane Doe"] * 5, object)
    columns = {
        "source": ("categorical", "string", values),
        "age": ("numeric", "number", np.arange(40, dtype=np.float32)),
    }
    parts = profile(make(y, columns, np.zeros((40, 2), np.float32), groups)).profile.parts

    assert ({"web": 0.875}, 0.125) == (parts["column source"].shares, parts["column source"].other)
    assert [] == parts["column age"].edges


def test_class_that_is_not_learnt_has_no_name():
    dataset, rows = draw(0)
    kept = build_profile(take_snapshot(dataset, rows, "model", 0), ("a", "b"), RULE, KEY)

    assert {"a", "b"} == set(kept.profile.parts["classes"].shares)


def test_edges_of_few_rows_are_rounded():
    """Edges that many rows share are exact, and each is its own bin."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=500).astype(np.float32) * 123456789
    groups, keys = np.arange(500), np.arange(500)
    edges, ties = find_edges(values, groups, keys, RULE)
    all_edges, exact = find_edges(
        np.where(groups % 2, np.float32(4711.5), values), groups, keys, RULE
    )

    assert (9, set()) == (len(edges), ties)
    assert all(edge % 100_000 == 0 for edge in edges)
    assert 4711.5 in all_edges and {4711.5} == exact


def test_value_of_one_group_is_not_an_exact_edge():
    groups = np.where(np.arange(500) < 400, 0, np.arange(500))
    values = np.where(groups == 0, 417.0, np.arange(500) / 7).astype(np.float32)

    assert 417.0 not in find_edges(values, groups, groups, RULE)[1]


@given(st.lists(st.one_of(st.none(), st.floats(-5, 5, width=32)), min_size=1, max_size=200))
def test_numbers_are_counted_in_their_bins(numbers):
    values = np.array([np.nan if n is None else n for n in numbers], np.float32)
    clusters = make_clusters(np.arange(len(values)))
    kept = profile_numbers(values, clusters, [-2.0, 0.0, 1.0], {0.0})
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
        count_shares(kept, values, clusters).shares
    )


def independent(shares, n_rows):
    """Return shares of independent rows."""
    shares = np.array(shares)
    n_free = (shares > 0).sum() - 1
    return Shares(
        shares=shares,
        errors=np.sqrt(shares * (1 - shares) / n_rows),
        expected_index=n_free / n_rows,
        degrees_of_freedom=n_free,
    )


def test_index_is_the_sum_of_its_formula():
    """The bins are (40, 60) and (50, 50) in 100 rows; half a row is added to each."""
    before, after = (independent(shares, 100) for shares in ([0.4, 0.6], [0.5, 0.5]))
    p, q = np.array([40.5, 60.5]) / 101, np.array([50.5, 50.5]) / 101
    index, null_quantile = stability_index(before, after)

    assert pytest.approx(((q - p) * np.log(q / p)).sum()) == index
    assert pytest.approx(10.828 * 0.02, rel=1e-3) == null_quantile  # chi-squared, 1 degree, 99.9 %


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=2, max_size=9))
def test_shannon_distance_is_scipys(pairs):
    p, q = (np.array(side) / sum(side) for side in zip(*pairs, strict=True))
    sides = [independent(s, 100) for s in (p, q)]

    assert np.nan_to_num(jensenshannon(p, q, base=2)) == pytest.approx(
        jensen_shannon_distance(*sides), abs=1e-6
    )


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.sampled_from([1, 3, 10]))
def test_equal_rows_of_a_group_count_once(seed, copies):
    """Groups of equal rows have the sampling error of as many rows: p (1 - p) / n."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(200), copies)
    cells = np.array(["a", "b", "c"], object)[rng.integers(0, 3, 200)][groups]
    kept = profile_values(cells, make_clusters(groups), ("a", "b", "c"))

    for name, share in kept.shares.items():
        assert pytest.approx((share * (1 - share) / 199) ** 0.5) == kept.standard_errors[name]
    assert pytest.approx(2 / 199) == kept.expected_index
    assert pytest.approx(2) == kept.degrees_of_freedom


def test_large_group_has_a_large_standard_error():
    groups = np.where(np.arange(1000) < 900, 0, np.arange(1000))
    cells = np.where(groups == 0, "a", "b").astype(object)

    assert profile_values(cells, make_clusters(groups), ("a", "b")).standard_errors["a"] > 0.5


@pytest.mark.parametrize("n_rows", [60, 600])
def test_report_is_json(n_rows):
    """The null quantile may be above the threshold, as with few rows, or below it."""
    content = measure(draw(0, n_rows), draw(1, n_rows, mean=9)).to_json()

    assert content == json.loads(json.dumps(content))
    assert any(measure["is_drift"] for measure in content["measures"]) == (n_rows > 100)
