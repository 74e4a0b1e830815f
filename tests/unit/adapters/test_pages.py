"""Pages say what was found, and what a label says is never markup."""

import pytest

from job.adapters.rendering.pages import Pages

LABEL = "<script>alert(1)</script>"


def render():
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
        "mean_score": 0.5,
        "fold_scores": [0.4, 0.6],
    }
    evaluation = {
        "classes": [LABEL, "other"],
        "n_test": 4,
        "scores": {"accuracy": 0.75},
        "baselines": {"dummy": {"accuracy": 0.5}},
        "per_class": {LABEL: scores, "other": scores},
        "confusion": [[2, 0], [1, 1]],
        "curves": {LABEL: points, "other": points},
        "gate": {"is_accepted": True, "criteria": []},
        "search": {"metric": "f1_macro", "candidates": [candidate]},
    }
    metadata = {
        "model_version": "v20260101_000000_aaaaaaaa",
        "classifier": "dummy",
        "input": {"kind": "text"},
        "trained_on": {"n_train": 8},
        "dataset": {"n_rows": 12, "uri": "t.csv", "content_digest": "sha256:0"},
        "split": {"key": "text"},
        "hyperparameters": {},
        "random_state": 42,
        "limitations": ["2 texts carry more than one label."],
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


def test_pages_repeat(pages):
    """No date, no random identifier."""
    assert pages == render()
