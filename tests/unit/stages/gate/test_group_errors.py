"""What a run stores about its groups, and how two runs are paired by it."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from structlog.testing import capture_logs
from support.lineage import KEY
from support.memory_store import MemoryStore
from support.metadata import make_metadata
from support.simulated import draw, predictions

from job.contracts.dataset import Rows
from job.contracts.identity import Digest, canonical_json
from job.contracts.metrics import METRICS
from job.contracts.reports.evaluation import CrossFit
from job.contracts.settings.gate import PairedSpec
from job.contracts.store_bounds import MAX_GROUP_ERRORS_BYTES
from job.registry.champion import PublishedVersion
from job.stages.gate import kept_errors
from job.stages.gate.comparison import compare_errors
from job.stages.gate.group_errors import GroupErrors, count_group_errors, pair_group_errors
from job.stages.gate.kept_errors import describe_cross_fit, read_group_errors, store_group_errors
from job.stages.gate.paired_bootstrap import compare_pair

SPEC = PairedSpec(metric=METRICS["f1_macro"], alpha=0.05, resamples=1000, random_state=0)
FOLDS = CrossFit(
    n_folds=5,
    n_rows=300,
    n_groups=300,
    n_effective_groups=300,
    is_nested=True,
    n_other_choices=0,
)


def rows_of(groups, y):
    keys = np.array([f"secret text {n}" for n in groups], dtype=object)
    return Rows(
        y=np.array([f"c{n:02}" for n in y], dtype=object),
        leakage_keys=keys,
        text_keys=keys,
        text=None,
        embeddings=None,
        frame=pd.DataFrame(index=range(len(y))),
        near_duplicate_groups=np.asarray(groups),
    )


def count(groups, predicted, index=slice(None)):
    mask = np.zeros(len(groups), bool)
    mask[index] = True
    return count_group_errors(
        predicted.take(mask), rows_of(groups[mask], predicted.y_true[mask]), KEY
    )


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    groups, old = draw(300, rng, is_uneven=True)
    wrong = rng.random(len(groups)) < 0.05
    new = predictions(old.y_true, np.where(wrong, (old.y_true + 2) % 4, old.y_pred))
    return groups, old, new


def compare(before, after):
    champion = PublishedVersion(version="v1", files={})
    return compare_errors(champion, before, after, SPEC)


def test_same_table_compares_as_row_by_row(pair):
    """The comparison needs only the counts by group."""
    groups, old, new = pair
    comparison = compare(count(groups, old), count(groups, new))
    expected = compare_pair(old, new, groups, SPEC)

    assert (comparison.champion_score, comparison.candidate_score) == pytest.approx(
        (expected.champion_score, expected.candidate_score)
    )
    assert comparison.standard_error == pytest.approx(expected.standard_error, rel=0.1)
    assert comparison.difference.lower == pytest.approx(expected.interval.lower, abs=0.005)
    assert {name: r.difference.value for name, r in comparison.recalls.items()} == pytest.approx(
        {name: r.difference.value for name, r in expected.recalls.items()}
    )
    assert ("shared_groups", len(groups), 300, 0) == (
        comparison.basis,
        comparison.n_rows,
        comparison.n_groups,
        comparison.n_excluded,
    )


def test_groups_of_one_table_alone_are_left_out(pair):
    """The others are compared as if these did not exist."""
    groups, old, new = pair
    first, last = np.flatnonzero(groups < 200), np.flatnonzero(groups >= 100)
    both = (groups >= 100) & (groups < 200)
    comparison = compare(count(groups, old, first), count(groups, new, last))
    expected = compare_pair(old.take(both), new.take(both), groups[both], SPEC)

    assert comparison.difference.value == pytest.approx(expected.interval.value)
    assert (int(both.sum()), 100) == (comparison.n_rows, comparison.n_groups)
    assert len(last) - both.sum() == comparison.n_excluded


def test_rows_weigh_as_tonight(pair):
    """More copies of a group in the champion's table change nothing."""
    groups, old, new = pair
    copied = np.repeat(np.arange(len(groups)), 1 + 4 * (groups % 3 == 0))
    before = count_group_errors(old.take(copied), rows_of(groups[copied], old.y_true[copied]), KEY)
    comparison, expected = (
        compare(champion_errors, count(groups, new))
        for champion_errors in (before, count(groups, old))
    )

    assert comparison.difference.value == pytest.approx(expected.difference.value)
    assert comparison.champion_score == pytest.approx(expected.champion_score)


def test_group_with_another_label_is_left_out(pair):
    """It is another question, which the champion's predictions show nothing about."""
    groups, old, new = pair
    y = np.where(groups < 50, (new.y_true + 1) % 4, new.y_true)
    relabelled = predictions(y, new.y_pred)
    comparison = compare(count(groups, old), count(groups, relabelled))

    assert (groups < 50).sum() == comparison.n_excluded
    assert 250 == comparison.n_groups


def test_group_is_known_by_the_texts_that_stay(pair):
    """Most of a group's texts may be new; one text in both tables is enough."""
    groups, old, new = pair
    first = np.unique(groups, return_index=True)[1]
    rows = rows_of(groups, old.y_true)
    tonight = rows.text_keys + " of tonight"
    tonight[first] = rows.text_keys[first]
    later = replace(rows, leakage_keys=tonight, text_keys=tonight)
    comparison = compare(count(groups, old), count_group_errors(new, later, KEY))
    expected = compare(count(groups, old), count(groups, new))

    assert expected == comparison


def test_group_that_has_grown_together_is_the_one_it_shares_most_with(pair):
    """Two groups of the champion's table have become one."""
    groups, old, new = pair
    joined = np.where(groups == 1, 0, groups)
    rows = replace(rows_of(groups, new.y_true), near_duplicate_groups=joined)
    comparison = compare(count(groups, old), count_group_errors(new, rows, KEY))

    assert 299 == comparison.n_groups


def test_few_shared_groups_cannot_be_compared(pair):
    """The hold-out is used instead."""
    groups, old, new = pair

    assert compare(count(groups, old, groups < 4), count(groups, new)) is None
    assert compare(count(groups, old, groups < 100), count(groups, new, groups >= 100)) is None


def test_other_classes_cannot_be_compared(pair):
    """Neither can metrics of probabilities, which are not stored."""
    groups, old, new = pair
    other = predictions(old.y_true, old.y_pred, 5)
    errors = count(groups, new)

    assert compare(count_group_errors(other, rows_of(groups, old.y_true), KEY), errors) is None
    spec = SPEC.model_copy(update={"metric": METRICS["neg_log_loss"]})
    assert compare_errors(PublishedVersion(version="v", files={}), errors, errors, spec) is None


def test_counts_hold_every_row_once(pair):
    """Rows are counted by group, class and predicted class."""
    groups, old, _ = pair
    errors = count(groups, old)
    counts = pair_group_errors(errors, errors)

    assert len(groups) == errors.n_rows.sum() == counts.group_sums.total[0, :4].sum()


def test_what_is_kept_names_no_text(pair):
    """Digests of 64 bits take the place of texts."""
    groups, old, _ = pair
    data = count(groups, old).to_bytes()

    assert b"secret" not in data
    assert {16} == {len(key) for key in json.loads(data)["keys"]}


def test_kept_errors_are_read_as_written(pair):
    """They are stored below the run, under their digest."""
    groups, old, _ = pair
    store, errors = MemoryStore(), count(groups, old)
    store_group_errors(store, "night", errors)
    store_group_errors(store, "night", errors)  # another attempt
    metadata = make_metadata(run_id="night", cross_fit=describe_cross_fit(FOLDS, errors))
    read = read_group_errors(store, metadata)

    assert isinstance(read, GroupErrors)
    assert errors.to_bytes() == read.to_bytes()
    (key,) = store.keys("runs/")
    store.delete(key)
    store.put_if_absent(key, errors.to_bytes().replace(b"1", b"2"))
    assert read_group_errors(store, metadata) is None
    store.delete(key)
    assert read_group_errors(store, metadata) is None
    assert read_group_errors(store, make_metadata(cross_fit=None)) is None


def test_errors_of_a_million_groups_fit():
    """Here, a hundredth of them takes less than a hundredth of the bound."""
    n_groups, zeros = 10_000, np.zeros(10_000, int)
    names = np.arange(n_groups)
    errors = GroupErrors(
        key_id="k" * 16,
        classes=("a", "b"),
        keys=np.sort(np.random.default_rng(0).integers(2**63, size=n_groups)).astype(np.uint64),
        key_groups=names + 1_000_000,
        groups=names + 1_000_000,
        y_true=zeros,
        y_pred=zeros,
        n_rows=zeros + 1,
    )

    assert len(errors.to_bytes()) < MAX_GROUP_ERRORS_BYTES / 100


def test_errors_that_no_run_could_read_are_not_stored(pair, monkeypatch):
    """The next run compares the models instead; it would otherwise end with exit code 8."""
    groups, old, _ = pair
    store, errors = MemoryStore(), count(groups, old)
    n_bytes = len(errors.to_bytes())
    monkeypatch.setattr(kept_errors, "MAX_GROUP_ERRORS_BYTES", n_bytes - 1)
    with capture_logs() as logs:
        store_group_errors(store, "night", errors)
    assert [] == list(store.keys(""))
    assert [("group_errors_not_stored", n_bytes)] == [(e["event"], e["n_bytes"]) for e in logs]

    monkeypatch.setattr(kept_errors, "MAX_GROUP_ERRORS_BYTES", n_bytes)
    store_group_errors(store, "night", errors)
    metadata = make_metadata(run_id="night", cross_fit=describe_cross_fit(FOLDS, errors))
    assert read_group_errors(store, metadata) is not None


def test_kept_errors_of_an_earlier_release_are_not_read(pair):
    """Their digests were made without a key, so the models are compared instead."""
    groups, old, _ = pair
    store, errors = MemoryStore(), count(groups, old)
    content = json.loads(errors.to_bytes())
    del content["key_id"]
    data = canonical_json(content)
    digest = Digest.of(data)
    store.put_if_absent(f"runs/night/group_errors/{digest.hex}.json", data)
    cross_fit = {**FOLDS.fields(), "group_errors_digest": str(digest)}

    with capture_logs() as logs:
        assert read_group_errors(store, make_metadata(run_id="night", cross_fit=cross_fit)) is None
    assert ["group_errors_not_read"] == [entry["event"] for entry in logs]
