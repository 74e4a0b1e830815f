"""No test row leaks into the training rows."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from job.contracts.dataset import Rows
from job.contracts.matrix_rows import MatrixRows
from job.contracts.settings.split import SplitSpec
from job.errors import TrainingError
from job.stages.data.slices import NEAR_TRAINING
from job.stages.split.split import SplitRules, split_dataset


def rows_of(y, keys, text_keys=None):
    keys = np.array(keys, dtype=object)
    return Rows(
        y=np.array(y, dtype=object),
        leakage_keys=keys,
        text_keys=keys if text_keys is None else np.array(text_keys, dtype=object),
        text=None,
        embeddings=MatrixRows(np.zeros((len(y), 2), np.float32), np.arange(len(y))),
        frame=pd.DataFrame(index=range(len(y))),
    )


def split(rows, official=None, has_groups=False, labels=None, **spec):
    rules = SplitRules(
        spec=SplitSpec(**spec),
        has_groups=has_groups,
        labels=labels,
        min_groups=5,
        folds=3,
        random_state=0,
    )
    return split_dataset(rows, official, rules)


@pytest.fixture
def two_classes():
    """A thousand rows with four hundred leakage keys."""
    numbers = np.random.default_rng(0).integers(0, 400, 1000)
    return rows_of(["ab"[n % 2] for n in numbers], [f"k{n}" for n in numbers])


@pytest.mark.parametrize("method", ["hash", "stratified_group"])
def test_no_key_is_on_both_sides(two_classes, method):
    """Rows with one leakage key stay together."""
    data_split = split(two_classes, method=method)

    assert set() == set(data_split.train.leakage_keys) & set(data_split.test.leakage_keys)
    assert len(two_classes) == len(data_split.train) + len(data_split.test)


@pytest.mark.parametrize("fraction", [0.15, 0.2, 0.3])
def test_strata_keep_class_shares_within_two_points(fraction):
    """This holds if the groups allow it, for example if each row is its own group."""
    y = np.random.default_rng(1).choice(["a", "b", "c"], 4000, p=[0.6, 0.3, 0.1])
    report = split(
        rows_of(y, [f"k{n}" for n in range(4000)]),
        method="stratified_group",
        test_fraction=fraction,
    ).report
    shares = report.to_json()["classes"].values()

    assert max(abs(s["train_share"] - s["test_share"]) for s in shares) < 0.02
    assert abs(report.n_test / 4000 - fraction) < 0.02


def test_training_rows_whose_text_stands_in_the_test_side_are_dropped():
    """Groups may share texts; the training rows are dropped and counted."""
    n = 600
    texts = [f"t{i % 150}" for i in range(n)]
    rows = rows_of(["ab"[i % 2] for i in range(n)], [f"g{i % 60}" for i in range(n)], texts)
    data_split = split(rows, has_groups=True)

    assert set() == set(data_split.train.text_keys) & set(data_split.test.text_keys)
    assert (
        n - len(data_split.train) - len(data_split.test) == data_split.report.n_dropped_leaking > 0
    )


def test_rare_classes_of_an_open_set_are_dropped_and_not_named(two_classes):
    """A label of few persons is data, not schema."""
    rows = rows_of([*two_classes.y, "zq-secret"], [*two_classes.leakage_keys, "rare"])
    report = split(rows).report

    assert (1, 1) == (report.n_rare_classes, report.n_dropped_rare_class)
    assert "zq-secret" not in json.dumps(report.to_json())


@pytest.mark.parametrize(("n_persons", "n_rare"), [(4, 1), (5, 0)])
def test_class_of_few_persons_is_dropped_whatever_its_rows(two_classes, n_persons, n_rare):
    """The twelve rows of the class have different texts."""
    n = len(two_classes)
    rows = rows_of([*two_classes.y, *"c" * 12], [*two_classes.leakage_keys, *map(str, range(12))])
    rows = replace(rows, person_ids=np.array([*range(n), *(n + np.arange(12) % n_persons)]))

    assert n_rare == split(rows).report.n_rare_classes


def test_stated_class_without_rows_is_an_error(two_classes):
    """A model that can never predict one of the expected classes must not be published."""
    with pytest.raises(TrainingError, match="'c'"):
        split(two_classes, labels=("a", "b", "c"))


def test_class_with_fewer_keys_than_folds_is_an_error(two_classes):
    """Each fold needs a group of each class."""
    few = [("c", f"c{n}") for n in range(3)]  # one is held out, which leaves two
    rows = rows_of(
        [*two_classes.y, *(y for y, _ in few)], [*two_classes.leakage_keys, *(k for _, k in few)]
    )

    with pytest.raises(TrainingError, match="folds"):
        split(rows, labels=("a", "b", "c"))


def test_official_test_drops_equal_texts_and_reports_its_own_class(two_classes):
    """The official rows are the hold-out; a class of five rows is named, one of fewer is not."""
    classes = ["a", "b", *["new"] * 5, "rare"]
    test = rows_of(classes, ["k0", "other", *[f"another {n}" for n in range(6)]])
    data_split = split(two_classes, test)

    assert "k0" not in set(data_split.train.leakage_keys)
    assert ("(other)", "new") == data_split.report.test_only_classes
    assert 6 == data_split.report.n_test_only_rows


def test_texts_with_two_labels_are_counted(two_classes):
    """Both labels stay, and the report counts them."""
    rows = rows_of([*two_classes.y, "a", "b"], [*two_classes.leakage_keys, "both", "both"])
    report = split(rows).report

    assert (1, 2) == (report.n_conflicting_texts, report.n_conflicting_rows)


def with_families(rows, near_duplicate_groups):
    return replace(rows, near_duplicate_groups=np.array(near_duplicate_groups))


def test_training_rows_with_a_near_duplicate_on_the_test_side_are_dropped():
    """Groups with similar texts are not joined: otherwise all would soon be one group."""
    n = 600
    groups = [f"group:{i % 60}" for i in range(n)]
    rows = rows_of(["ab"[i % 2] for i in range(n)], groups, [f"t{i}" for i in range(n)])
    data_split = split(with_families(rows, np.arange(n) // 4), has_groups=True)

    assert set() == set(data_split.train.near_duplicate_groups) & set(
        data_split.test.near_duplicate_groups
    )
    assert set() == set(data_split.train.leakage_keys) & set(data_split.test.leakage_keys)
    assert (
        n - len(data_split.train) - len(data_split.test) == data_split.report.n_dropped_leaking > 0
    )


def test_near_duplicates_of_an_official_test_are_a_slice(two_classes):
    """Rows that are similar to training rows are scored separately from the others."""
    official = rows_of(["a", "b", "a"], ["new 1", "new 2", "new 3"])
    slices = pd.DataFrame({"source": pd.Categorical(["web"] * 3)})
    data_split = split(
        replace(two_classes, near_duplicate_groups=pd.factorize(two_classes.text_keys)[0]),
        replace(official, near_duplicate_groups=np.array([5, 2000, 2001]), slices=slices),
    )

    assert ["yes", "no", "no"] == data_split.test.slices[NEAR_TRAINING].tolist()


def test_near_duplicates_of_an_official_test_stay_and_are_counted(two_classes):
    """Equal texts are dropped; near-duplicates are normal among real questions."""
    rows = rows_of([*two_classes.y, "a", "a"], [*two_classes.leakage_keys, "near", "equal"])
    rows = with_families(rows, [*pd.factorize(two_classes.leakage_keys)[0], 900, 901])
    test = with_families(rows_of(["a", "b"], ["equal", "other"]), [901, 900])
    data_split = split(rows, test)

    assert (1, 1) == (
        data_split.report.near_duplicates.n_near_official_test,
        data_split.report.n_dropped_leaking,
    )
    assert "near" in set(data_split.train.leakage_keys)


def test_duplicates_are_counted():
    """Five texts of twenty rows remain, three of them in one near-duplicate group."""
    keys = ["a1", "a2", "a3", "b", "c", "a1", "a1", "a1", "b", "b"] * 2
    near_duplicate_groups = [{"a": 0, "b": 1, "c": 2}[key[0]] for key in keys]
    more = [f"x{n}" for n in range(60)]
    rows = rows_of(["ab"[n % 2] for n in range(20)] + ["ab"[n % 2] for n in range(60)], keys + more)
    rows = with_families(rows, [*near_duplicate_groups, *range(10, 70)])
    report = split(rows, test_fraction=0.3).report.near_duplicates

    assert (15, 2, 1, (12,)) == (
        report.n_exact_duplicates,
        report.n_near_duplicates,
        report.n_groups,
        report.largest,
    )


def test_class_with_fewer_groups_than_folds_is_an_error(two_classes):
    """Additional copies of a text do not help."""
    keys = [f"c{n}" for n in range(30)]
    rows = rows_of([*two_classes.y, *"c" * 30], [*two_classes.leakage_keys, *keys])
    near_duplicate_groups = [*pd.factorize(two_classes.leakage_keys)[0], *(900 + np.arange(30) % 3)]

    with pytest.raises(TrainingError, match="near-duplicates are one group"):
        split(with_families(rows, near_duplicate_groups), labels=("a", "b", "c"))
