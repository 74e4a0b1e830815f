"""Every limitation is one sentence with its numbers, and only a clean run has none."""

import copy

import pytest
from support.pages import parse
from support.reports import (
    INTERVALS,
    cross_fitted,
    make_geometry,
    make_out_of_scope,
    make_reports,
    make_stress,
    make_wording,
)

from job.contracts.reports.validation import ValidationReport
from job.contracts.settings.job_settings import JobSettings
from job.stages.packaging.limitations import NONE, find_limitations

ENDS = {"value": 0.95, "lower": 0.93, "upper": 0.97, "is_by_count": False}


def validation(n_dropped=0):
    return ValidationReport.of("s", (), n_rows=1800, n_dropped=n_dropped, dropped_by_rule={})


@pytest.fixture
def clean():
    """Return the evaluation of a run without limitations."""
    _, evaluation = make_reports()
    evaluation = copy.deepcopy(evaluation)
    evaluation["split"] |= {
        "n_conflicting_texts": 0,
        "n_dropped_leaking": 0,
        "n_test_only_rows": 0,
        "test_only_classes": [],
    }
    evaluation["slices"]["scores"] = []
    evaluation["geometry"] = make_geometry("one_length").to_json()
    evaluation["stress"] = evaluation["input_check"] = None
    evaluation["drift"]["measures"] = []
    evaluation["label_noise"]["share"]["lower"] = 0.001
    evaluation["intervals"] = {
        **INTERVALS,
        "per_class": {},
        "scores": {"accuracy": dict(ENDS), "f1_macro": dict(ENDS)},
    }
    evaluation["decision"] = {
        "status": "chosen",
        "reason": "",
        "threshold": 0.7,
        "target_precision": 0.95,
        "n_chosen_on": 640,
        "n_groups_chosen_on": 512,
        "n_answered": 0,
        "coverage": None,
        "precision": None,
    }
    return evaluation


def find(evaluation, *, n_dropped=0, **settings):
    return find_limitations(parse(evaluation), validation(n_dropped), JobSettings(**settings))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"has_set": False}, "requests that belong to no class was not measured"),
        ({"n_answered": 4}, None),  # of 83: below .05
        ({"n_answered": 5}, "no class: 0.0602 of 83 requests are answered at the decision"),
        ({"threshold": None}, "no class: all of 83 requests are answered, because there is no"),
    ],
)
def test_answers_to_requests_of_no_class_are_reported(clean, options, words):
    """It is one if more are answered than the target precision tolerates, or without a set."""
    clean["out_of_scope"] = make_out_of_scope(["a", "b"], **options)
    [text] = find(clean)

    assert text == NONE if words is None else words in text


def test_clean_run_has_none(clean):
    assert [NONE] == find(clean)


SPLIT = {
    "n_conflicting_texts": "Texts with more than one label: 2, in 5 rows.",
    "n_dropped_leaking": "because they are also in the hold-out: 2.",
    "n_rebalanced_classes": "so that both sides of the split have some: 2.",
    "n_rare_classes": "because they have too few rows: 2, with 0 rows.",
    "n_test_only_rows": "without training rows, which count as errors: 2.",
    "n_large_groups": "always trained on: 2, with 400 rows.",
}


@pytest.mark.parametrize("name", SPLIT)
def test_count_of_the_split_is_reported(clean, name):
    clean["split"] |= {"n_rows_large_groups": 400, name: 2}
    [text] = find(clean)

    assert SPLIT[name] in text


DUPLICATES = {
    "n_exact_duplicates": "Duplicates: rows that are equal to an earlier row: 8364.",
    "n_near_duplicates": "Near-duplicates: distinct rows that are similar to an earlier row: 8364.",
    "n_near_official_test": "near-duplicates of rows in the official test table: 8364.",
}


@pytest.mark.parametrize("name", DUPLICATES)
def test_duplicates_are_reported(clean, name):
    clean["split"]["near_duplicates"][name] = 8364
    [text] = find(clean)

    assert DUPLICATES[name] in text


def test_dropped_rows_are_reported(clean):
    assert ["Rows dropped because they violated an expectation: 3."] == find(clean, n_dropped=3)


@pytest.mark.parametrize(("difference", "is_reported"), [(0.1, False), (0.1001, True)])
def test_class_shares_are_compared_with_the_drift_threshold(clean, difference, is_reported):
    clean["split"]["class_share_difference"] = difference

    assert is_reported == ("Class shares differ" in find(clean)[0])


@pytest.mark.parametrize(("n", "is_reported"), [(149.9, True), (150.0, False)])
def test_few_effective_groups_are_reported(clean, n, is_reported):
    clean["wording"]["judged"]["n_effective_groups"] = n

    assert is_reported == (
        "Few groups: the 160 evaluated rows come from 90 groups" in find(clean)[0]
    )


@pytest.mark.parametrize("name", ["accuracy", "f1_macro"])
def test_wide_interval_of_accuracy_or_of_the_search_metric_is_reported(clean, name):
    clean["intervals"]["scores"][name] |= {"lower": 0.8, "upper": 0.9001}

    assert [f"Wide interval: {name} is between 0.8000 and 0.9001."] == find(clean)


def test_metric_without_an_interval_is_not_a_limitation(clean):
    del clean["intervals"]["scores"]["f1_macro"]

    assert [NONE] == find(clean)


def test_small_classes_are_reported(clean):
    clean["per_class"]["request_of_kind_00"]["n_test"] = 29

    assert ["Classes with fewer than 30 evaluated rows, whose scores are uncertain: 1."] == find(
        clean
    )


def test_templates_are_reported_with_their_share(clean):
    clean["wording"] = make_wording(is_templated=True).to_json()

    templates, wording = find(clean)

    assert "Templates: 0.9214 of the table's rows come from 6 sentence templates." == templates
    assert wording.startswith("Wording: the scores apply to requests worded like the table's")


def test_few_rows_of_new_wording_are_reported(clean):
    clean["wording"] = make_wording(n_new_groups=4).to_json()

    assert "17 evaluated rows in 4 groups had a similarity below 0.4" in find(clean)[0]


def test_standardized_embeddings_are_reported(clean):
    clean["wording"] = make_wording(is_standardized=True).to_json()

    assert "standardized per batch" in find(clean)[0]


def test_restored_embeddings_are_reported(clean):
    """The columns of another batch have another scale."""
    clean["geometry"] = make_geometry().to_json()

    assert "from 384 of 584 columns: embeddings that were standardized in another" in find(clean)[0]


def test_accuracy_in_standardized_batches_is_reported(clean):
    """The sentence says how to avoid it, and names no class."""
    clean["stress"] = make_stress(["one", "other"]).to_json()
    [text] = find(clean)

    assert "the accuracy is 0.8118 (lowest by class 0.8108); for the same rows with" in text
    assert "do not fit them to each batch; recentering the batches gives 0.9231." in text
    assert "other" not in text


def test_batches_that_could_not_be_measured_are_reported(clean):
    """A consumer must know about them as well."""
    clean["input_check"] = {
        "measure": "column_means",
        "lower": 0.0,
        "upper": 2.0,
        "min_rows": 8,
    }
    [text] = find(clean)

    assert "was not measured. Keep the scalers of the embeddings" in text


@pytest.mark.parametrize(("claimed", "is_reported"), [(0.9199, False), (0.9201, True)])
def test_optimism_of_a_random_split_is_reported(clean, claimed, is_reported):
    clean["split"]["optimism"] = {
        "estimator": "nearest_centroid",
        "n_rows": 1800,
        "folds": 5,
        "random_accuracy": claimed,
        "leakage_safe_accuracy": 0.9,
    }

    assert is_reported == (f"the accuracy is {claimed:.4f} with a random split" in find(clean)[0])


def test_drift_worse_slices_and_wrong_labels_are_reported(clean):
    _, reports = make_reports()
    clean["drift"]["measures"] = reports["drift"]["measures"]
    clean["slices"]["scores"] = reports["slices"]["scores"]
    clean["label_noise"]["share"]["lower"] = 0.021
    drift, slices, labels = find(clean)

    assert drift.endswith("champion's table: 1.")
    assert slices.endswith("the other rows: 1.")
    assert "wrong labels is 0.0625" in labels


THRESHOLDS = [
    (None, "No decision threshold is published: no target precision was set."),
    (
        {"status": "templates", "reason": "Templates."},
        "No decision threshold is published: templates.",
    ),
    (
        {"status": "not_shown", "reason": None},
        "640 rows in 512 groups do not show a precision of 0.95 at any",
    ),
    ({"status": "not_needed", "reason": "All are."}, NONE),
]


@pytest.mark.parametrize(("decision", "text"), THRESHOLDS)
def test_absent_threshold_is_reported_with_its_reason(clean, decision, text):
    """A threshold that is not needed is not a limitation."""
    clean["decision"] = decision and {**clean["decision"], "threshold": None, **decision}

    assert text in find(clean)[0]


def test_override_is_reported(clean):
    clean["gate"]["override"] = "audit"

    assert "published with an override" in find(clean)[0]


def test_floors_that_are_off_are_named(clean):
    gate = {"floors": {"accuracy": None, "f1_macro": None}}

    assert ["Disabled floors of the gate: 'accuracy', 'f1_macro'."] == find(clean, gate=gate)


def test_cross_fitted_evaluation_is_read_as_any_other(clean):
    assert [NONE] == find(cross_fitted(clean))
