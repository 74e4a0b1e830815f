"""The report says how the scores were made, on which wording, and what the table can show."""

import copy

import pytest
from support.pages import Reader, draw, find_unknown_numbers
from support.reports import add_intervals, cross_fitted, make_reports


@pytest.fixture(scope="module")
def reports():
    metadata, evaluation = make_reports()
    return metadata, cross_fitted(add_intervals(evaluation))


@pytest.fixture(scope="module")
def text(reports):
    return Reader(draw(*reports)["report.html"]).text


def test_every_number_of_a_cross_fitted_report_is_in_the_files(reports):
    """As of any other report."""
    assert [] == find_unknown_numbers(*reports)


def test_head_names_the_method_before_any_number_of_it(text):
    """And both the recipe's rows and those of the published model."""
    place = text.index(
        "The scores are cross-fitted scores of the training recipe (estimator, hyperparameters and "
        "input) on 160 rows in 90 groups"
    )

    assert place < text.index("F1, macro")
    assert "its own scores are measured on 163 held-out rows in 94 groups." in text
    assert "was repeated without each of the 5 folds; 2 of these choices differed." in text


def test_scores_of_both_stand_beside_each_other(reports, text):
    accuracy = reports[1]["scores"]["accuracy"]
    own = accuracy - 0.0317

    assert (
        "Training recipe (cross-fitted) Interval Published model (hold-out) Interval of the "
        "published model"
    ) in text
    assert f"{own:.4f} {own - 0.0471:.4f} to {own + 0.0377:.4f}" in text


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("holdout", "those of the published model on 160 held-out rows in 90 groups."),
        ("official_test", "those of the published model on 160 rows of the official test table"),
    ],
)
def test_other_methods_are_named_too(method, words):
    metadata, evaluation = make_reports()
    text = Reader(draw(metadata, {**evaluation, "method": method})["report.html"]).text

    assert words in text
    assert "recipe (" not in text


def test_file_of_an_earlier_release_says_it_by_its_split():
    """It has no `method` and no `wording`."""
    metadata, evaluation = make_reports()
    del evaluation["wording"]
    evaluation["split"]["method"] = "official_test"
    text = Reader(draw(metadata, evaluation)["report.html"]).text

    assert "on 160 rows of the official test table." in text


def test_gate_tells_what_the_table_can_show(text):
    assert "Power of the comparison A retraining that is as good as the champion is" in text
    assert "a probability of 0.9372. A drop of F1, macro by 0.0871 is accepted" in text


def test_criterion_that_the_default_decided_says_so(reports):
    metadata, evaluation = copy.deepcopy(reports)
    evaluation["gate"]["criteria"][0]["rule"] = "default"
    evaluation["gate"]["criteria"][1]["rule"] = "margin"
    evaluation["gate"]["can_show"] = None
    text = Reader(draw(metadata, evaluation)["report.html"]).text

    assert 1 == text.count("(decided by gate.inconclusive : the data cannot show gate.margin )")
    assert "Power of the comparison" not in text


def test_wording_stands_beside_the_scores(text):
    """With its counts, the bins, and the sentence."""
    place = text.index("Wording This section shows how varied the wording of the table is")

    assert text.index("Scores on 160 rows") < place < text.index("Lowest recall first")
    for words in (
        "effective number of groups 612.4",
        "share of rows from sentence templates 0.1327",
        "0.0 to 0.2 0 0 no such rows",
        "0.2 to 0.4 17 3 0.6471 too few groups",
        "0.4 to 1.0 143 88 0.9312 0.9127 to 0.9518",
        "149 of 151 distinct texts with 631 of 633",
    ):
        assert words in text


ABSENT = (
    "No threshold is published for a precision of 95%; there were 640 rows in 512 groups to choose "
    "it on. This is why."
)
STATUSES = {
    "chosen": "if the confidence is at least 0.7312",
    "not_needed": "No threshold is needed",
    "not_shown": ABSENT,
    "templates": ABSENT,
}


@pytest.mark.parametrize("status", STATUSES)
def test_status_of_the_threshold_is_told_with_its_reason(reports, status):
    metadata, evaluation = copy.deepcopy(reports)
    evaluation["decision"] = {
        "status": status,
        "reason": "This is why.",
        "target_precision": 0.95,
        "threshold": 0.7312 if status == "chosen" else None,
        "n_chosen_on": 640,
        "n_groups_chosen_on": 512,
        "n_answered": 0,
        "coverage": None,
        "precision": None,
    }
    text = Reader(draw(metadata, evaluation)["report.html"]).text

    told = {words for words in STATUSES.values() if words in text}

    assert {STATUSES[status]} == told


def test_groups_that_are_too_large_and_class_shares_stand_with_the_data(reports):
    metadata, evaluation = copy.deepcopy(reports)
    evaluation["split"] |= {
        "n_large_groups": 2,
        "n_rows_large_groups": 431,
        "class_share_difference": 0.0613,
    }
    text = Reader(draw(metadata, evaluation)["report.html"]).text

    assert (
        "groups too large to hold out (always used for training) 2 rows of these groups 431" in text
    )
    assert "largest difference of a class share between the sides 0.0613" in text


def test_counts_that_an_earlier_release_did_not_publish_are_not_shown(reports):
    """Their defaults are numbers that are not in the file."""
    metadata, evaluation = copy.deepcopy(reports)
    del evaluation["split"]["n_large_groups"]
    del evaluation["split"]["class_share_difference"]
    text = Reader(draw(metadata, evaluation)["report.html"]).text

    assert "groups too large to hold out" not in text
    assert "largest difference of a class share" not in text
