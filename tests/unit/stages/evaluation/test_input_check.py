"""Each kind of input has the check that suits it, or none."""

import pytest

from job.contracts.reports.geometry import Geometry
from job.stages.evaluation.input_check import choose_input_check

RESTORED, GIVEN = (
    Geometry(status=status, n_rows=2, n_distinct_rows=2, width=2)
    for status in ("restored", "too_few_rows")
)


@pytest.mark.parametrize(
    ("geometry", "is_standardized", "measure"),
    [
        (RESTORED, True, "length_deviation"),
        (RESTORED, False, "length_deviation"),
        (GIVEN, True, "column_means"),
        (None, True, "column_means"),
        (GIVEN, False, None),
        (None, False, None),
    ],
)
def test_restored_rows_are_checked_by_length_and_others_by_column_means(
    geometry, is_standardized, measure
):
    """Embeddings that nobody standardizes are not checked."""
    check = choose_input_check(geometry, ("embeddings",), is_standardized=is_standardized)

    assert measure == (check and check.measure)


def test_model_without_embeddings_has_no_check():
    assert choose_input_check(None, ("text",), is_standardized=True) is None
