"""Pages say what was found, and what a label says is never markup."""

import pytest

from job.adapters.rendering.pages import Pages

LABEL = "<script>alert(1)</script>"


def render(classes=(LABEL, "other"), confusion=((2, 0), (1, 1)), **publish):
    scores = {"precision": 1.0, "recall": 0.5, "f1": 0.6, "n_test": 2}
    points = {
        "false_positive_rate": [0, 1],
        "true_positive_rate": [0, 1],
        "recall": [0, 1],
        "precision": [1, 0],
    }
    candidate = {
        "estimator": "dummy",
        "parameters": {},
        "input": ["embeddings", "text"],
        "n_samples": 8,
        "mean_score": 0.5,
        "fold_scores": [0.4, 0.6],
        "ended": None,
    }
    stopped = {**candidate, "ended": "beaten"}
    evaluation = {
        "classes": list(classes),
        "n_test": 4,
        "scores": {"accuracy": 0.75, "f1_macro": 0.7},
        "baselines": {"dummy": {"accuracy": 0.5}, "logistic_regression": {}},
        "per_class": dict.fromkeys(classes, scores),
        "confusion": confusion,
        "curves": dict.fromkeys(classes, points),
        "gate": {"is_accepted": True, "override": None, "criteria": []},
        "search": {
            "metric": "f1_macro",
            "is_cut_short": True,
            "candidates": [candidate, stopped],
        },
    }
    metadata = {
        "model_version": "v20260101_000000_aaaaaaaa",
        "classifier": "dummy",
        "input": {"kind": "text"},
        "trained_on": {"n_train": 8},
        "dataset": {
            "n_rows": 12,
            "uri": "t.csv",
            "content_digest": "sha256:0",
            "file_digest": "sha256:1",
            "description": "made up, <b>all</b> of it",
        },
        "settings": {"publish": {"intended_use": None, **publish}},
        "settings_digest": "sha256:2",
        "split": {"key": "text"},
        "hyperparameters": {"C": 10.0},
        "random_state": 42,
        "limitations": ["Texts that carry more than one label: 2, in 4 rows.", "Another."],
    }
    return {name: data.decode() for name, data in Pages().render(metadata, evaluation).items()}


@pytest.fixture(scope="module")
def pages():
    return render()


def test_label_is_no_markup(pages):
    """A label column may hold anything."""
    assert [] == [name for name, text in pages.items() if "<script" in text.replace("\\<", "")]


def test_report_loads_nothing_and_holds_its_figures(pages):
    """One page, to be kept and mailed."""
    report = pages["report.html"]

    assert 3 == report.count("<svg ")
    assert "src=" not in report
    assert "<link" not in report


def test_limitations_stand_in_card_and_report(pages):
    """What was found in this run is told in both."""
    told = [n for n in ("model_card.md", "report.html") if "more than one label" in pages[n]]

    assert ["model_card.md", "report.html"] == told


def test_scores_of_the_card_are_a_table(pages):
    """Header, separator and rows follow each other, with as many cells each."""
    lines = pages["model_card.md"].splitlines()
    start = lines.index("| metric | model | dummy | logistic_regression |")

    assert [
        "",
        "| metric | model | dummy | logistic_regression |",
        "|---|---:|---:|---:|",
        "| accuracy | 0.7500 | 0.5000 |  |",
        "| f1_macro | 0.7000 |  |  |",
        "",
    ] == lines[start - 1 : start + 5]


def test_limitations_of_the_card_are_a_list(pages):
    """One line each."""
    text = pages["model_card.md"]

    assert text.endswith("\n\n- Texts that carry more than one label: 2, in 4 rows.\n- Another.\n")


def test_card_and_report_say_what_the_table_says_of_itself(pages):
    """A model of synthetic rows is known as one, and the words are no markup."""
    assert "says of itself: made up, \\<b\\>all" in pages["model_card.md"]
    assert "made up, &lt;b&gt;all" in pages["report.html"]


def test_purpose_follows_from_input_and_classes():
    """Nothing is claimed that the run does not know."""
    card = render(("a", "b"))["model_card.md"]

    assert "## Intended use\n\nSort texts into the classes a, b.\n\n## Data" in card


def test_purpose_can_be_stated():
    """By whoever knows it."""
    card = render(intended_use="Triage of mail; a person decides.")["model_card.md"]

    assert "## Intended use\n\nTriage of mail; a person decides.\n\n## Data" in card


@pytest.mark.parametrize("words", ["t.csv", "sha256:0", "sha256:1", "sha256:2", "C = 10.0"])
def test_report_names_dataset_digests_and_hyperparameters(pages, words):
    """A page that was mailed tells what it is about."""
    assert words in pages["report.html"]


def test_report_of_many_classes_lists_the_most_confused():
    """A matrix of so many has no room for names."""
    names = [f"class {n}" for n in range(16)]
    confusion = [[5 if a == b else 0 for b in range(16)] for a in range(16)]
    confusion[3][4], confusion[7][1] = 2, 3
    report = render(names, confusion)["report.html"]
    rows = [
        f"<tr><td>class {a}</td><td>class {b}</td><td>{n}</td></tr>"
        for a, b, n in ((7, 1, 3), (3, 4, 2))
    ]

    assert 0 < report.index(rows[0]) < report.index(rows[1])


def test_pages_repeat(pages):
    """No date, no random identifier."""
    assert pages == render()


def test_report_tells_what_ended_before_its_time(pages):
    """A candidate that was stopped, and a search that had no more time; and inputs by name."""
    report = pages["report.html"]

    assert 1 == report.count("stopped: could not win")
    assert "Time was over" in report
    assert "embeddings, text" in report
