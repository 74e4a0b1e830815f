"""The card is what the hub's own reader accepts, and claims nothing that the run does not know."""

import re

import pytest
import yaml
from huggingface_hub import ModelCard
from support.pages import draw
from support.reports import HOSTILE, cross_fitted, make_metadata, make_reports

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
    return draw(metadata, evaluation)["model_card.md"]


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
    start = lines.index("| class | evaluated rows | recall | precision | F1 |") + 2

    names = [line.split("`")[1] for line in lines[start : start + 4]]
    assert reports[1]["classes"] == names


def test_limitations_and_what_the_table_says_stand_in_it(card):
    """What was found in this run is told, and is no markup."""
    assert card.endswith("\n\n- Texts that carry more than one label: 2, in 5 rows.\n- Another.\n")
    assert "comes with the table: made up, \\<b\\>all" in card


def test_purpose_follows_from_input_and_classes(card):
    """Nothing is claimed that the run does not know."""
    start = "## Intended Use\n\nClassify embeddings into the classes `request_of_kind_00`, "

    assert start in card


def test_purpose_can_be_stated(reports):
    """By whoever knows it."""
    metadata = with_settings(reports[0], intended_use="Triage of mail; a person decides.")

    assert "## Intended Use\n\nTriage of mail; a person decides.\n" in write(metadata, reports[1])


def test_rejected_candidate_is_not_for_use():
    assert "Rejected by the gate: not for use." in write(*make_reports(is_accepted=False))


def test_text_model_is_for_texts(reports):
    text = {"kind": "text", "names": [], "dtypes": ["str"], "shape": [None]}
    metadata = make_metadata("v20260101_000000_aaaaaaaa", ["a"], {}, 4, input=text)

    assert "pipeline_tag: text-classification" in write(metadata, reports[1])


def test_scores_hold_for_the_wording_of_the_table(card):
    assert "\nThe scores apply to inputs whose wording is similar to the table's.\n" in card


def test_factors_are_those_of_the_run(reports):
    """Slices and similarity are named where they were measured, and only there."""
    metadata, evaluation = reports
    plain = {**evaluation, "slices": None, "wording": None}

    assert (
        "by class, by slices of `request_of_kind_03` and by similarity to the nearest training row,"
    ) in write(metadata, evaluation)
    assert "Scores are reported by class, in `evaluation.json`" in write(metadata, plain)


def test_accuracy_by_similarity_is_a_table(card):
    """Without rows, or with few groups, it says so."""
    lines = card.splitlines()
    start = lines.index("| similarity | rows | groups | accuracy | interval |") + 2

    assert "| 0.0 to 0.2 | 0 | 0 | no such rows |  |" == lines[start]
    assert "| 0.2 to 0.4 | 17 | 3 | 0.6471 | too few groups |" == lines[start + 1]
    assert "| 0.4 to 1.0 | 143 | 88 | 0.9312 | 0.9127 to 0.9518 |" == lines[start + 2]


SIDES = {
    "equal": ({}, "none", "Rows with equal text stay on one side of the split."),
    "near": (
        {},
        "text",
        "Rows with equal text and near-duplicates by text stay on one side of the split.",
    ),
    "groups": (
        {"key": "group"},
        "embeddings",
        "Rows of one group stay on one side of the split; training rows that have near-duplicates "
        "in the hold-out were dropped: 3.",
    ),
    "official": (
        {"method": "official_test", "key": "group"},
        "text",
        "Training rows that share a text or a group with the official test were dropped: 3. "
        "Near-duplicates of its rows stay in training: 12.",
    ),
}


@pytest.mark.parametrize("name", SIDES)
def test_what_stays_on_one_side_follows_from_the_split(reports, name):
    """Equal rows, near-duplicates or groups; of an official test, what was dropped for it."""
    more, kind, text = SIDES[name]
    metadata, evaluation = reports
    duplicates = {
        **evaluation["split"]["near_duplicates"],
        "found_by": kind,
        "n_near_official_test": 12,
    }
    split = {**evaluation["split"], **more, "near_duplicates": duplicates}

    assert f"\n{text}\n" in write(metadata, {**evaluation, "split": split})


def test_scores_of_the_recipe_and_of_the_model_have_their_names(reports):
    """Each in a column of its own; the hub is told that the scores are cross-fitted."""
    metadata, evaluation = reports
    text = write(metadata, cross_fitted(evaluation))
    accuracy = evaluation["scores"]["accuracy"]

    assert "input) on 160 rows in 90 groups, each predicted by a model" in text
    assert "its own scores are measured on 163 held-out rows in 94 groups" in text
    assert (
        "| metric | Training recipe (cross-fitted) | Published model (hold-out) | dummy |" in text
    )
    assert f"| Accuracy | {accuracy:.4f} | {accuracy - 0.0317:.4f} | 0.2500 |" in text
    assert "split: cross-fitted\n" in text


@pytest.mark.parametrize(
    ("suite", "feature_blocks", "is_about"),
    [
        ("curated_training_data", None, True),
        ("labelled_text", None, False),
        ("labelled_text", "Sorting of privacy requests.", True),
        ("curated_training_data", "Routing of bank questions.", False),
    ],
)
def test_texts_are_about_privacy_only_where_it_is_stated(reports, suite, feature_blocks, is_about):
    """By the upstream's suite, or by the intended use."""
    metadata = with_settings(reports[0], intended_use=feature_blocks)
    metadata["settings"]["expectations"] = {"suite": suite, "parameters": {}}
    text = write(metadata, reports[1])

    assert is_about == ("people's requests about their privacy" in text)
    assert is_about != ("The table's texts may contain personal data." in text)
    assert is_about == ("- privacy\n" in text)


def test_license_of_the_table_is_told(reports):
    """Where the table or its sidecar states one."""
    metadata, evaluation = reports
    dataset = {**metadata["dataset"], "sidecar": {"license": "CC BY 4.0"}}

    assert "- License of the model: unknown\n" in write(metadata, evaluation)
    assert "unknown; the table states: CC BY 4.0\n" in write(
        {**metadata, "dataset": dataset}, evaluation
    )


DECISION = {
    "target_precision": 0.95,
    "threshold": None,
    "reason": "Too few groups.",
    "n_chosen_on": 640,
    "n_groups_chosen_on": 512,
    "n_answered": 0,
    "coverage": None,
    "precision": None,
}


@pytest.mark.parametrize(
    ("decision", "text"),
    [
        ({**DECISION, "status": "not_shown"}, "No decision threshold is published for a precision"),
        ({**DECISION, "status": "not_needed"}, "No decision threshold is needed for a precision"),
        ({**DECISION, "status": "chosen", "threshold": 0.7}, "Decision threshold for a precision"),
    ],
)
def test_threshold_or_its_absence_is_told_with_the_reason(reports, decision, text):
    metadata, evaluation = reports
    found = write(metadata, {**evaluation, "decision": decision, "reliability": None})

    assert f"\n{text} of 0.95" in found
    assert "Too few groups." in found


def test_batches_that_are_standardized_anew_are_told_in_one_line(reports):
    """And not at all where they were not measured."""
    metadata, evaluation = reports
    found = write(metadata, evaluation)
    without = write(metadata, {**evaluation, "stress": None})
    text = "On batches with a different class mix that are standardized on their own rows"

    assert 1 == found.count(f"\n{text}")
    assert "it is 0.9321, and on recentered batches 0.9231.\n" in found
    assert text not in without
