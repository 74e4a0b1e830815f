"""Which predictions are answers."""

import numpy as np
import pytest

from job.contracts.reports.predictions import AnswerRule
from job.stages.prediction.answers import find_answers

CONFIDENCE = np.array([0.2, 0.7, np.nan, 0.9])


@pytest.mark.parametrize(
    ("threshold", "status", "expected"),
    [
        (0.7, "chosen", [False, True, False, True]),
        (None, "not_needed", [True, True, False, True]),
        (None, "not_shown", [False] * 4),
        (None, "templates", [False] * 4),
        (None, None, [False] * 4),
    ],
)
def test_rule_is_that_of_the_consumers_page(threshold, status, expected):
    """An equal confidence answers; without a prediction, nothing is answered."""
    rule = AnswerRule(threshold=threshold, status=status, reason=None)

    assert expected == find_answers(rule, CONFIDENCE).tolist()
