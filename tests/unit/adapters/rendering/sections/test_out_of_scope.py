"""Requests of no class: how many are answered, what they are taken for, and the empty one."""

import pytest
from support.pages import Reader, draw, find_unknown_numbers
from support.reports import HOSTILE, add_intervals, make_out_of_scope, make_reports

SHARE = "Out-of-scope requests: 3.6% of 83 are answered"


@pytest.fixture(scope="module")
def reports():
    metadata, evaluation = make_reports()
    return metadata, add_intervals(evaluation)


def draw_with(reports, **asked):
    metadata, evaluation = reports
    found = make_out_of_scope(sorted(evaluation["classes"]), **asked)
    return draw(metadata, {**evaluation, "out_of_scope": found})


def test_share_that_is_answered_is_told(reports):
    """With its interval in the report, and as one line in the card."""
    pages = draw_with(reports)
    text = Reader(pages["report.html"]).text

    assert f"{SHARE} (95% confidence interval 1.0% to 9.3%)." in text
    assert "A request is answered if its confidence is at least 0.7000." in text
    assert 1 == pages["model_card.md"].count(SHARE)


def test_section_stands_behind_confidence(reports):
    page = Reader(draw_with(reports)["report.html"])
    anchors = [a["id"] for tag, a in page.elements if tag == "section"]

    assert anchors.index("reliability") + 1 == anchors.index("no-class")


def test_missing_threshold_is_told(reports):
    """Then all of them are answered."""
    text = Reader(draw_with(reports, threshold=None)["report.html"]).text

    assert "Out-of-scope requests: 100.0% of 83 are answered" in text
    assert "No decision threshold is published, so every request counts as answered." in text


def test_classes_are_counted_and_the_most_frequent_comes_first(reports):
    """A reader sees whether a class that is meant for such requests takes them."""
    metadata, evaluation = reports
    found = {**evaluation["out_of_scope"]}
    names = sorted(evaluation["classes"])
    found["requests"] = {**found["requests"], "predicted": {names[0]: 11, names[1]: 72}}
    text = Reader(draw(metadata, {**evaluation, "out_of_scope": found})["report.html"]).text

    assert f"{names[1]} 72 {names[0]} 11" in text.replace("_ ", "_")  # where a line may break


@pytest.mark.parametrize(
    ("threshold", "words"), [(0.7, "and is not answered"), (0.5, "and is answered")]
)
def test_empty_request_is_told_without_a_set_too(reports, threshold, words):
    """And that nothing else was measured."""
    page = draw_with(reports, has_set=False, threshold=threshold)["report.html"]
    text = Reader(page).text

    assert f"with a confidence of 0.5127, {words}." in text
    assert "requests that belong to none of the classes were not measured" in text


def test_report_of_an_earlier_release_has_no_section(reports):
    metadata, evaluation = reports
    older = {name: part for name, part in evaluation.items() if name != "out_of_scope"}

    assert 'id="no-class"' not in draw(metadata, older)["report.html"]


def test_numbers_are_in_the_files(reports):
    """Or are one of them, rounded."""
    assert [] == find_unknown_numbers(*reports)


def test_hostile_names_of_classes_stay_words():
    """A class is text in the sentence and in the table."""
    page = draw(*make_reports(names=HOSTILE))["report.html"]
    tags = {tag for tag, _ in Reader(page).elements}

    assert "img" not in tags
    assert 1 == page.count("<script>")
