"""Suspected labels are listed with the ids of their rows, if the table has any."""

from job.contracts.reports.label_issues import LabelIssues
from job.contracts.reports.label_noise import LabelIssue

ISSUE = {"row": 3, "given": "a", "likely": "b", "label_quality": 0.1}


def list_issues(ids):
    return LabelIssues.of([LabelIssue(**ISSUE)], 9, ids).to_json()


def test_table_without_ids_has_none_in_the_list():
    assert {"n_rows": 9, "issues": [ISSUE]} == list_issues(None)


def test_id_that_a_row_lacks_is_null():
    """The column is there."""
    assert [{**ISSUE, "id": None}] == list_issues({3: None})["issues"]
    assert [{**ISSUE, "id": "x"}] == list_issues({3: "x"})["issues"]
