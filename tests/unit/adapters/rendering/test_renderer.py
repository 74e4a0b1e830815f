"""The report shows what was found and nothing else, and what a label says is never markup."""

import base64
import copy
import hashlib
import json
import re
from xml.etree import ElementTree

import pytest
from support.pages import Reader, draw, find_unknown_numbers, is_rounded, numbers_shown, parse
from support.reports import HOSTILE, add_intervals, make_geometry, make_reports, make_stress

from job.adapters.rendering.sections import SECTIONS
from job.adapters.rendering.sections.stress import STATED
from job.contracts.identity import canonical_json


@pytest.fixture(scope="module")
def reports():
    metadata, evaluation = make_reports()
    return metadata, add_intervals(evaluation)


@pytest.fixture(scope="module")
def pages(reports):
    return draw(*reports)


@pytest.fixture(scope="module")
def hostile():
    metadata, evaluation = make_reports(names=HOSTILE)
    settings = copy.deepcopy(metadata["settings"])
    settings["search"]["estimators"] = {HOSTILE[0]: {HOSTILE[1]: [HOSTILE[2]]}}
    settings["publish"]["intended_use"] = HOSTILE[0] + HOSTILE[10]
    metadata |= {"settings": settings, "limitations": list(HOSTILE), "run_id": HOSTILE[1]}
    metadata["dataset"] = {**metadata["dataset"], "uri": HOSTILE[3], "description": HOSTILE[10]}
    return draw(metadata, add_intervals(evaluation))


def test_every_number_of_the_page_is_in_the_files(reports, pages):
    """Or is one of them, rounded; or the number of classes, of a list, or of the named curves."""
    shown = numbers_shown(pages["report.html"])

    assert len(shown) > 150
    assert [] == find_unknown_numbers(*reports)


def test_number_that_is_not_in_the_files_is_found():
    """The test above can fail."""
    assert not is_rounded("0.7321", {0.73, 0.7329, 5})
    assert is_rounded("0.7321", {0.73214})


EMPTY = {"curves": {}, "confusion": [], "per_class": {}}
ABSENT = {
    "changes": ("changes", "Differences from the champion"),
    "curves": ("curves", "ROC curve; the number"),
    "reliability": ("reliability", "Reliability diagram"),
    "confusion": ("confusion", "Most frequent confusions"),
    "per_class": ("classes", "Scores of each class"),
    "slices": ("slices", "Accuracy of slices"),
    "comparisons": ("comparisons", "Comparison on the same rows"),
    "near_duplicates": ("near-duplicates", "Near-duplicates"),
    "drift": ("drift", "Data drift"),
    "label_noise": ("labels", "Suspected label errors"),
    "wording": ("wording", "Accuracy by similarity"),
    "stress": ("batches", "Batches with a different class mix"),
}


@pytest.mark.parametrize("name", ABSENT)
def test_section_without_its_numbers_is_not_there(reports, name):
    """Nothing is made up, and no empty heading stays."""
    metadata, evaluation = copy.deepcopy(reports)
    evaluation[name] = EMPTY.get(name)
    if name in ("comparisons", "near_duplicates"):
        del evaluation[name]
    if name == "per_class":
        evaluation["curves"] = {}
    anchor, words = ABSENT[name]
    report = (
        draw(metadata, evaluation)["report.html"]
        if name not in ("confusion", "per_class")
        else _report_alone(metadata, evaluation)
    )
    body = report.partition("</style>")[2]

    assert words not in body
    assert f'id="{anchor}"' not in body


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("restored", "yes, with 384 of 584 columns (smallest singular value 0.000001, the"),
        ("one_length", "no: all rows of the table have the same length"),
        ("too_few_rows", "no: 446 distinct rows are too few to determine how the columns"),
        ("too_wide", "no: there are too many columns"),
        ("not_found", "no: no scaling of the columns gives all rows the same"),
    ],
)
def test_data_says_whether_rows_of_length_1_were_restored(reports, status, words):
    """And where nothing was looked for, nothing."""
    metadata, evaluation = copy.deepcopy(reports)
    evaluation["geometry"] = make_geometry(status).to_json()
    found = Reader(draw(metadata, evaluation)["report.html"]).text
    evaluation["geometry"] = None
    without = Reader(draw(metadata, evaluation)["report.html"]).text

    assert f"embedding rows mapped back to length 1 {words}" in found
    assert "back to length 1" not in without


@pytest.mark.parametrize("stated_by", ["settings", "suite", "check"])
def test_report_says_what_batches_cost_and_who_states_it(reports, stated_by):
    """The class with the lowest accuracy comes first."""
    metadata, evaluation = copy.deepcopy(reports)
    names = ["one", "two"]
    evaluation["stress"] = make_stress(names, stated_by).to_json()
    found = Reader(draw(metadata, evaluation)["report.html"]).text
    found = found.partition("Batches with a different class mix")[2]

    assert STATED[stated_by] in found
    assert "published model is 0.8118 (95% interval over groups: 0.6127 to 0.8911)" in found
    assert found.index("two 0.8108") < found.index("one 0.8128")


def _report_alone(metadata, evaluation):
    from job.adapters.rendering.report import render_report
    from job.contracts.reports.metadata import Metadata

    return render_report(Metadata.model_validate(metadata), parse(evaluation))


_UNCOUNTED = {"near-duplicates", "comparisons", "challenge"}


def test_every_section_of_these_reports_is_there(pages):
    """All but those whose numbers these reports lack."""
    found = [a["id"] for tag, a in Reader(pages["report.html"]).elements if tag == "section"]

    assert [s.anchor for s in SECTIONS if s.anchor not in _UNCOUNTED] == found


def test_near_duplicates_stand_side_by_side_with_a_random_split(reports):
    """Groups by size, never text."""
    metadata, evaluation = copy.deepcopy(reports)
    evaluation["split"]["near_duplicates"] = {
        "found_by": "text",
        "n_exact_duplicates": 1554,
        "n_near_duplicates": 301,
        "n_groups": 44,
        "largest": [77, 41],
        "n_near_official_test": 0,
    }
    evaluation["split"]["optimism"] = {
        "estimator": "logistic_regression",
        "n_rows": 2000,
        "folds": 5,
        "random_accuracy": 1.0,
        "leakage_safe_accuracy": 0.9455,
    }
    text = Reader(draw(metadata, evaluation)["report.html"]).text

    assert "Rows in the largest groups of near-duplicates: 77, 41." in text
    assert "at random, row by row 1.0000" in text
    assert "without leakage 0.9455" in text


def test_comparison_on_the_same_rows_names_the_classes_that_lost(reports):
    """The score first, then classes by their change, each with its interval."""
    metadata, evaluation = copy.deepcopy(reports)
    difference = {"value": -0.0125, "lower": -0.0312, "upper": 0.0062}
    ends = {"champion_recall": 0.9, "candidate_recall": 0.8}
    evaluation["gate"]["comparisons"] = [
        {
            "role": "champion",
            "version": HOSTILE[0],
            "metric": "f1_macro",
            "n_rows": 150,
            "n_groups": 80,
            "n_excluded": 10,
            "champion_score": 0.9312,
            "candidate_score": 0.9187,
            "difference": difference,
            "recalls": {
                "b": {
                    **ends,
                    "n_rows": 9,
                    "difference": {"value": 0.1, "lower": 0.0, "upper": 0.2},
                },
                "a": {
                    **ends,
                    "n_rows": 9,
                    "difference": {"value": -0.1, "lower": -0.2, "upper": 0.0},
                },
            },
            "problem": "",
        },
        {
            "role": "anchor",
            "version": "v1",
            "metric": "f1_macro",
            "difference": None,
            "problem": "it is too old",
        },
    ]
    text = Reader(draw(metadata, evaluation)["report.html"]).text

    assert (
        "F1, macro 0.9312 0.9187 \u22120.0125 \u22120.0312 to +0.0062 a 0.9000 0.8000 \u22120.1000"
        in text
    )
    assert "cannot be compared: it is too old." in text


def test_threshold_is_told_in_words(reports):
    """With its target, and what it does on rows that did not choose it."""
    metadata, evaluation = copy.deepcopy(reports)
    ends = {"is_by_count": False}
    evaluation["decision"] = {
        "target_precision": 0.95,
        "threshold": 0.7312,
        "n_chosen_on": 640,
        "n_groups_chosen_on": 512,
        "n_answered": 120,
        "coverage": {"value": 0.75, "lower": 0.6911, "upper": 0.8123, **ends},
        "precision": {"value": 0.9667, "lower": 0.9234, "upper": 0.9876, **ends},
    }
    text = Reader(draw(metadata, evaluation)["report.html"]).text
    evaluation["temperature"] = {
        "temperature": 0.4736,
        "before": {"calibration_error": 0.0599, "log_loss": 0.2848, "brier": 0.1},
        "after": {"calibration_error": 0.0113, "log_loss": 0.2545, "brier": 0.1},
    }
    evaluation["decision"] |= {"threshold": None, "coverage": None, "precision": None}
    none = Reader(draw(metadata, evaluation)["report.html"]).text

    assert "Answer a request only if the confidence is at least 0.7312 ." in text
    assert (
        "at which 95% of the answers were shown to be correct, on 640 rows in 512 groups predicted"
        in text
    )
    assert "120 of 160 rows are answered (coverage 0.7500, interval 0.6911 to 0.8123)" in text
    assert "precision of these answers is 0.9667 (interval 0.9234 to 0.9876)" in text
    assert "this changed the calibration error from 0.0599 to 0.0113" in none
    assert "640 rows in 512 groups to choose it on" in none


@pytest.mark.parametrize(("estimator", "n_times"), [("logistic_regression", 0), ("linear_svc", 2)])
def test_calibration_across_folds_is_told_of_a_linear_svc(reports, estimator, n_times):
    """Of the threshold and of the labels: other estimators have probabilities of their own."""
    metadata, evaluation = copy.deepcopy(reports)
    evaluation["search"]["chosen"]["estimator"] = estimator
    evaluation["label_noise"]["estimator"] = estimator
    evaluation["decision"] = {
        "target_precision": 0.95,
        "threshold": 0.62,
        "n_chosen_on": 800,
        "n_groups_chosen_on": 700,
        "n_answered": 100,
        "coverage": {"value": 0.8, "lower": 0.7, "upper": 0.9},
        "precision": {"value": 0.97, "lower": 0.95, "upper": 0.99},
    }
    text = Reader(draw(metadata, evaluation)["report.html"]).text
    words = "decision values calibrated on the rows of the other folds"

    assert n_times == " ".join(text.split()).count(words)


def test_override_is_told_with_its_reason():
    """In the head of the page and of the card."""
    metadata, evaluation = make_reports(is_accepted=False)
    evaluation["gate"]["override"] = "audit 12 <b>wants</b> it"
    pages = draw(metadata, evaluation)

    assert (
        "Published although the gate rejected it. Reason: audit 12 <b>wants</b> it"
        in Reader(pages["report.html"]).text
    )
    assert "published by an override. Reason: audit 12 \\<b\\>wants" in pages["model_card.md"]


def test_intervals_are_whiskers_and_words(reports, pages):
    """With the level and the method that made them."""
    report = pages["report.html"]
    accuracy = reports[1]["intervals"]["scores"]["accuracy"]

    assert 'class="whisker"' in report
    assert f"{accuracy['lower']:.4f} to {accuracy['upper']:.4f}" in Reader(report).text
    assert "95% confidence interval (percentile bootstrap over groups)" in Reader(report).text


@pytest.mark.parametrize("is_accepted", [True, False])
def test_verdict_comes_before_all_else(is_accepted):
    """With the reasons of a rejection."""
    text = Reader(draw(*make_reports(is_accepted=is_accepted))["report.html"]).text

    assert ("✓ Accepted" if is_accepted else "✕ Rejected") in text[:200]
    assert is_accepted != ("at least 0.9999 is wanted" in text[:400])


def test_policy_allows_this_style_and_this_script_alone(pages):
    """By their digests; no style or handler stands in an attribute."""
    report = pages["report.html"]
    [policy] = re.findall(r'Content-Security-Policy" content="([^"]*)"', report)
    for tag in ("style", "script"):
        [text] = re.findall(f"<{tag}>(.*?)</{tag}>", report, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy

    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy


@pytest.mark.parametrize("which", ["pages", "hostile"])
def test_nothing_is_loaded_and_no_attribute_acts(request, which):
    """Whatever classes and settings are called."""
    elements = Reader(request.getfixturevalue(which)["report.html"]).elements
    attributes = {name for _, found in elements for name in found}
    links = {found["href"] for tag, found in elements if "href" in found}

    assert 1 == [tag for tag, _ in elements].count("script")
    assert not {tag for tag, _ in elements} & {"img", "link", "iframe", "object", "form", "base"}
    assert not {n for n in attributes if n.startswith("on")} | attributes & {"src", "style"}
    assert all(link.startswith("#") for link in links)


def test_hostile_names_are_shown_as_they_are_called(hostile):
    """White space and what has no shape apart."""
    text = Reader(hostile["report.html"]).text

    for name in HOSTILE[:8]:
        assert name in text
    assert "right[U+202E]left[U+2066][U+200B]" in text
    assert "bell[U+0007][U+001B][31m[U+0000]nul" in text


def test_hidden_characters_stand_in_no_page(hostile):
    """They turn the direction of writing, ring, or color a terminal."""
    for text in hostile.values():
        assert not set(text) & set("\u202e\u2066\u200b\x07\x1b\x00")


def test_figures_are_svg_that_does_nothing(hostile):
    """Well-formed, without script, link or handler."""
    for name in [n for n in hostile if n.startswith("figures/")]:
        for element in ElementTree.fromstring(hostile[name]).iter():
            assert element.tag.rpartition("}")[2] in {"svg", "style", "path", "rect", "text"}
            assert not [a for a in element.attrib if a.startswith("on") or "href" in a]


def test_page_of_77_classes_is_small():
    """And its matrix begins with the classes that have most errors."""
    metadata, evaluation = make_reports(77)
    report = draw(metadata, evaluation)["report.html"]
    counts = evaluation["confusion"]
    errors = [sum(counts[n]) + sum(row[n] for row in counts) - 2 * counts[n][n] for n in range(77)]
    worst = evaluation["classes"][errors.index(max(errors))]
    matrix = report[report.index('class="scroll tall matrix"') :]

    assert len(report.encode()) < 3_000_000
    assert worst == re.search(r'<th scope="row" title="([^"]*)"', matrix)[1]


def test_most_confused_come_first(reports):
    """With the rows of their true class beside them."""
    metadata, evaluation = copy.deepcopy(reports)
    evaluation["confusion"] = [[38, 2, 0, 0], [0, 40, 0, 0], [3, 0, 37, 0], [0, 0, 0, 40]]
    text = Reader(draw(metadata, evaluation)["report.html"]).text
    first = text.index(
        "request_of_kind_02".replace("_", "_ ") + " request_of_kind_00".replace("_", "_ ")
    )

    assert "3 40" in text[first : first + 80]


def test_pages_repeat(reports, pages):
    """No date, no random identifier."""
    assert pages == draw(*reports)


def test_report_tells_what_ended_before_its_time(pages):
    """A candidate that was dropped by halving, and a search that had no more time."""
    text = Reader(pages["report.html"]).text

    assert "eliminated by halving" in text
    assert "The search stopped at its time limit" in text


def test_page_is_drawn_from_what_was_published(reports, pages):
    """From the files alone, as `report --anew` does."""
    metadata, evaluation = (json.loads(canonical_json(content)) for content in reports)

    assert pages["report.html"] == _report_alone(metadata, evaluation)
