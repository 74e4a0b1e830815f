"""Describe the headline scores: which model or recipe they describe, and on which rows.

A recipe is an unfitted model: an estimator with its hyperparameters and its input.
"""

from __future__ import annotations

from typing import Final

from job.adapters.rendering.formatting import count
from job.contracts.reports.evaluation import Evaluation, Method

HOLDS_FOR: Final = "The scores apply to inputs whose wording is similar to the table's."
RECIPE: Final = "Training recipe (cross-fitted)"
PUBLISHED: Final = "Published model (hold-out)"
_JUDGED: Final = {
    "cross_fit": "the evaluated rows",
    "holdout": "the hold-out",
    "official_test": "the official test table",
}


def method_of(evaluation: Evaluation) -> Method:
    """Return the method of the scores; for files of earlier releases, infer it from the split."""
    if evaluation.method is not None:
        return evaluation.method
    return "official_test" if evaluation.split.method == "official_test" else "holdout"


def judged_rows(evaluation: Evaluation) -> str:
    """Return words for the rows that the scores were computed on, such as `the hold-out`."""
    return _JUDGED[method_of(evaluation)]


def count_judged(evaluation: Evaluation) -> str:
    """Return words for the evaluated rows: the numbers of rows and groups, and their source."""
    method, n_rows = method_of(evaluation), count(evaluation.n_test)
    groups = _count_groups(evaluation)
    if method == "cross_fit":
        return f"{n_rows} rows{groups}, each predicted by a model trained without its group"
    if method == "official_test":
        return f"{n_rows} rows of the official test table{groups}"
    return f"{n_rows} held-out rows{groups}"


def _count_groups(evaluation: Evaluation) -> str:
    if evaluation.wording is None:
        return ""
    judged = evaluation.wording.judged
    noun = "group" if judged.n_groups == 1 else "groups"
    return f" in {count(judged.n_groups)} {noun}"


def describe_scores(evaluation: Evaluation) -> str:
    """Return sentences that say which model or recipe the scores describe, and on which rows."""
    judged = count_judged(evaluation)
    if method_of(evaluation) != "cross_fit":
        return f"The scores are those of the published model on {judged}."
    text = (
        "The scores are cross-fitted scores of the training recipe (estimator, hyperparameters and "
        f"input) on {judged}."
    )
    cross_fit, holdout = evaluation.cross_fit, evaluation.holdout
    if cross_fit and cross_fit.is_nested:
        text += (
            f" The choice of the candidate was repeated without each of the {cross_fit.n_folds} "
            f"folds; {cross_fit.n_other_choices or 'none'} of these choices differed."
        )
    elif cross_fit:
        text += f" The recipe was fitted in {cross_fit.n_folds} folds."
    if holdout:
        noun = "group" if holdout.n_groups == 1 else "groups"
        text += (
            " The published model was trained on the training rows; its own scores are measured on "
            f"{count(holdout.n_rows)} held-out rows in {count(holdout.n_groups)} {noun}."
        )
    return text
