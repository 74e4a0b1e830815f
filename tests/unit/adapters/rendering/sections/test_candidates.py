"""The report says why a candidate with a lower score was chosen."""

import pytest

from job.adapters.rendering.sections.candidates import SECTION
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.search import SearchReport


def candidate(estimator, score):
    return {
        "estimator": estimator,
        "parameters": {},
        "input": ["embeddings"],
        "n_samples": 100,
        "fold_scores": [score],
        "mean_score": score,
        "ended": None,
    }


@pytest.mark.parametrize(
    ("prefers", "chosen_on", "is_said"),
    [("wording", "table", True), ("wording", "challenge", False), ("score", "table", False)],
)
def test_preference_for_wording_is_explained(prefers, chosen_on, is_said):
    chosen, other = candidate("prototypes", 0.95), candidate("logistic_regression", 0.99)
    search = {
        "metric": "f1_macro",
        "prefers": prefers,
        "chosen_on": chosen_on,
        "chosen": chosen,
        "candidates": [chosen, other],
    }
    values = SECTION.values(
        {}, Evaluation.model_construct(search=SearchReport.model_validate(search))
    )

    assert is_said == values["prefers_wording"]
    assert ["", "chosen"] == [found["outcome"] for found in values["candidates"]]
