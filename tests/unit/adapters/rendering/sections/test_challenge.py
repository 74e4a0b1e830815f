"""The challenge set stands before the table's own scores, and says what became of it."""

import copy
import re

import pytest
from huggingface_hub import ModelCard
from support.pages import Reader, draw, find_unknown_numbers
from support.reports import HOSTILE, add_intervals, challenged, make_challenge, make_reports

from job.adapters.rendering.challenge import describe_challenge
from job.contracts.identity import canonical_json
from job.contracts.reports.challenge import Challenge
from job.contracts.reports.decision_threshold import Decision
from job.contracts.reports.evaluation import Evaluation


@pytest.fixture(scope="module")
def reports():
    metadata, evaluation = make_reports()
    return metadata, challenged(add_intervals(evaluation))


@pytest.fixture(scope="module")
def pages(reports):
    return draw(*reports)


def test_accuracy_and_its_interval_are_told_in_words(reports, pages):
    """In report and card, with requests and groups."""
    found = reports[1]["challenge"]
    ends = found["intervals"]["scores"]["accuracy"]
    words = (
        "On 56 requests of the challenge set in 56 groups, none of which was used for training, "
        f"the published model has an accuracy of {found['scores']['accuracy']:.4f} "
        f"(95% confidence interval {ends['lower']:.4f} to {ends['upper']:.4f})."
    )

    assert words in Reader(pages["report.html"]).text
    assert words in pages["model_card.md"]


def test_challenge_set_comes_before_the_scores_of_the_table(pages):
    """In the head, in the sections, in the card and in its front matter."""
    report, card = Reader(pages["report.html"]), pages["model_card.md"]
    sections = [a["id"] for tag, a in report.elements if tag == "section"]
    results = ModelCard(card, ignore_metadata_errors=False).data.eval_results
    places = [card.index(words) for words in ("on the challenge set:", "on the rows of the table:")]

    assert sections.index("challenge") + 1 == sections.index("scores")
    assert 0 < report.text.index("Accuracy, challenge set") < report.text.index("F1, macro")
    assert places == sorted(places)
    assert ["challenge", "test"] == list(dict.fromkeys(r.dataset_split for r in results))


def test_numbers_of_the_challenge_set_are_in_the_files(reports):
    """Or are one of them, rounded."""
    assert [] == find_unknown_numbers(*reports)


def test_hostile_names_of_classes_stay_words():
    """A class is text in every table of the section."""
    metadata, evaluation = make_reports(names=HOSTILE)
    page = draw(metadata, challenged(add_intervals(evaluation)))["report.html"]
    tags = {tag for tag, _ in Reader(page).elements}

    assert "img" not in tags
    assert 1 == page.count("<script>")
    assert "right\u202eleft" not in page


@pytest.mark.parametrize(
    ("judged", "used_for", "words", "is_used_up"),
    [
        (
            "half",
            ("choice", "threshold"),
            "The other half of the set was used to choose the candidate",
            False,
        ),
        ("all", ("choice",), "The same requests were used to choose the candidate", True),
        (
            "all",
            ("threshold",),
            "The same requests were used to choose the decision threshold",
            False,
        ),
        ("all", (), "", False),
    ],
)
def test_use_of_the_set_is_told(judged, used_for, words, is_used_up):
    """A choice by the judged requests uses the set up; a threshold changes no score."""
    content = make_challenge(["a", "b"], judged=judged, used_for=used_for)
    challenge = Challenge.model_validate_json(canonical_json(content))
    text = " ".join(
        describe_challenge(Evaluation.model_construct(challenge=challenge, decision=None))
    )
    decision = Decision.model_construct(status="not_shown")
    not_shown = Evaluation.model_construct(challenge=challenge, decision=decision)

    assert words in text
    assert "decision threshold" not in " ".join(describe_challenge(not_shown))
    assert is_used_up is challenge.is_used_up is ("too high" in text)
    assert "near-duplicates of the set: 29." in text


def test_threshold_of_the_challenge_set_is_told_with_its_own_rows(reports):
    """Not with those that the table's scores are of."""
    metadata, evaluation = copy.deepcopy(reports)
    ends = {"is_by_count": False}
    evaluation["decision"] = {
        "target_precision": 0.95,
        "threshold": 0.7312,
        "status": "chosen",
        "reason": "This is why.",
        "learned_on": "challenge",
        "n_chosen_on": 203,
        "n_groups_chosen_on": 198,
        "n_measured_on": 197,
        "n_answered": 120,
        "coverage": {"value": 0.6091, "lower": 0.5411, "upper": 0.6723, **ends},
        "precision": {"value": 0.9667, "lower": 0.9234, "upper": 0.9876, **ends},
    }
    pages = draw(metadata, evaluation)
    text = Reader(pages["report.html"]).text

    assert "on 203 requests of the challenge set in 198 groups predicted by models" in text
    assert (
        "On the other half of the challenge set, which was not used to choose it, 120 of 197 rows "
        "are answered"
    ) in text
    assert "It was chosen on the challenge set." in pages["model_card.md"]


def test_choice_by_the_challenge_set_is_shown_beside_the_folds(reports):
    metadata, evaluation = copy.deepcopy(reports)
    search = evaluation["search"]
    search["chosen_on"] = "challenge"
    for number, candidate in enumerate([search["chosen"], *search["candidates"]]):
        candidate["challenge_score"] = 0.7131 + min(number, 1) / 100
    search["chosen"] = search["candidates"][0]
    text = Reader(draw(metadata, evaluation)["report.html"]).text

    assert "the score on the challenge set decided the choice" in text
    assert 2 == len(re.findall("0.7231", text))


def test_comparison_on_the_challenge_set_says_so(reports):
    """Beside the one on held-out rows."""
    metadata, evaluation = copy.deepcopy(reports)
    evaluation["gate"]["comparisons"] = [
        {
            "role": "champion",
            "version": "v1",
            "metric": "f1_macro",
            "basis": "challenge",
            "n_rows": 61,
            "n_groups": 59,
            "n_excluded": 3,
            "champion_score": 0.7,
            "candidate_score": 0.75,
            "difference": {"value": 0.05, "lower": -0.02, "upper": 0.11, "is_by_count": False},
            "recalls": {},
            "problem": "",
        }
    ]
    text = Reader(draw(metadata, evaluation)["report.html"]).text

    assert "on 61 requests of the challenge set in 59 groups" in text
