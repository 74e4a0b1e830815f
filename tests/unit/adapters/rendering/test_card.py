"""The card is what the hub's own reader accepts, and claims nothing that the run does not know."""

import re

import pytest
import yaml
from huggingface_hub import ModelCard
from support.reports import HOSTILE, make_metadata, make_reports

from job.adapters.rendering.pages import Pages

SECTIONS = [
    "Model Details",
    "Intended Use",
    "Factors",
    "Metrics",
    "Evaluation Data",
    "Training Data",
    "Quantitative Analyses",
    "Ethical Considerations",
    "Caveats and Recommendations",
]
# https://huggingface.co/docs/hub/model-cards: the tasks that a scikit-learn model can have here
TASKS = {"tabular-classification", "text-classification"}


def write(metadata, evaluation):
    return Pages().render(metadata, evaluation)["model_card.md"].decode()


def with_settings(metadata, **publish):
    settings = {**metadata["settings"], "publish": {**metadata["settings"]["publish"], **publish}}
    return {**metadata, "settings": settings}


@pytest.fixture(scope="module")
def reports():
    return make_reports()


@pytest.fixture(scope="module")
def card(reports):
    return write(*reports)


@pytest.mark.parametrize("names", [None, HOSTILE], ids=["plain", "hostile"])
def test_hub_reads_the_results(names):
    """Task, data, and the scores by the hub's names; an unfit model-index raises."""
    metadata, evaluation = make_reports(names=names)
    metadata["dataset"] = {**metadata["dataset"], "uri": "x\n---\nlicense: mit \u202e"}
    data = ModelCard(write(metadata, evaluation), ignore_metadata_errors=False).data
    found = {(r.metric_type, r.metric_name): r.metric_value for r in data.eval_results}

    assert ("unknown", "sklearn") == (data.license, data.library_name)
    assert data.pipeline_tag in TASKS
    assert metadata["model_version"] == data.model_name
    assert evaluation["scores"]["accuracy"] == found["accuracy", "Accuracy"]
    assert evaluation["scores"]["f1_macro"] == found["f1", "F1, macro"]


def test_hub_writes_the_front_matter_as_it_reads_it(card):
    """Nothing is lost between the file and the hub's own values."""
    again = ModelCard(str(ModelCard(card)))

    assert yaml.safe_load(card.split("---\n")[1]) == again.data.to_dict()


def test_sections_are_those_of_model_cards(card):
    assert SECTIONS == re.findall(r"^## (.+)$", card, re.MULTILINE)


def test_hostile_names_make_no_heading_table_or_element():
    """They are quoted, or escaped."""
    from markdown_it import MarkdownIt

    metadata, evaluation = make_reports(names=HOSTILE)
    metadata = with_settings({**metadata, "limitations": list(HOSTILE)}, intended_use=HOSTILE[10])
    text = ModelCard(write(metadata, evaluation)).text
    tokens = MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(text)
    inline = {child.type for token in tokens for child in token.children or ()}

    assert 1 + len(SECTIONS) == [t.type for t in tokens].count("heading_open")
    assert 4 == [t.type for t in tokens].count("table_open")
    assert not {"html_inline", "link_open"} & inline
    assert "html_block" not in {t.type for t in tokens}
    assert {"image"} == inline - {"text", "text_special", "code_inline", "softbreak"}


def test_scores_are_a_table(card):
    """Header, separator and rows follow each other, with as many cells each."""
    lines = card.splitlines()
    start = lines.index("| metric | model | dummy | logistic\\_regression |")

    assert "" == lines[start - 1]
    assert {5} == {line.count("|") for line in lines[start : start + 13]}


def test_scores_of_every_class_are_a_table(card, reports):
    lines = card.splitlines()
    start = lines.index("| class | judged rows | recall | precision | F1 |") + 2

    names = [line.split("`")[1] for line in lines[start : start + 4]]
    assert reports[1]["classes"] == names


def test_limitations_and_what_the_table_says_stand_in_it(card):
    """What was found in this run is told, and is no markup."""
    assert card.endswith("\n\n- Texts that carry more than one label: 2, in 5 rows.\n- Another.\n")
    assert "says of itself: made up, \\<b\\>all" in card


def test_purpose_follows_from_input_and_classes(card):
    """Nothing is claimed that the run does not know."""
    start = "## Intended Use\n\nSort embeddings into the classes `request_of_kind_00`, "

    assert start in card


def test_purpose_can_be_stated(reports):
    """By whoever knows it."""
    metadata = with_settings(reports[0], intended_use="Triage of mail; a person decides.")

    assert "## Intended Use\n\nTriage of mail; a person decides.\n" in write(metadata, reports[1])


def test_rejected_candidate_is_not_for_use():
    assert "Rejected by the gate: not for use." in write(*make_reports(is_accepted=False))


def test_text_model_is_for_texts(reports):
    metadata = make_metadata("v20260101_000000_aaaaaaaa", ["a"], {}, 4, input={"kind": "text"})

    assert "pipeline_tag: text-classification" in write(metadata, reports[1])
