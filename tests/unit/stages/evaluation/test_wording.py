"""Templates, groups and distinct items are counted and combined into one report."""

import numpy as np
import pytest
from support.rows import rows_of_embeddings, rows_of_texts
from support.simulated import predictions

from job.contracts.reports.wording import Wording
from job.contracts.settings.job_settings import JobSettings
from job.stages.evaluation.evaluated_rows import EvaluatedRows
from job.stages.evaluation.wording import (
    TEMPLATE_MIN_ROWS,
    count_groups,
    measure_templates,
    measure_wording,
)

SPEC = JobSettings(evaluation={"resamples": 1000}).scoring


def test_equal_groups_count_in_full():
    """Kish's effective number of groups of one size equals their number."""
    counts = count_groups(np.repeat(np.arange(7), 3))

    assert (21, 7, 7.0) == (counts.n_rows, counts.n_groups, counts.n_effective_groups)


def test_one_large_group_is_worth_little_more_than_one():
    """Groups of 90, 5 and 5 rows: 100 ** 2 / (90 ** 2 + 2 * 5 ** 2)."""
    counts = count_groups(np.repeat(np.arange(3), (90, 5, 5)))

    assert 10_000 / 8150 == pytest.approx(counts.n_effective_groups)


@pytest.mark.parametrize(
    ("n_templated", "n_single", "is_templated"), [(51, 49, True), (50, 50, False)]
)
def test_more_than_half_of_the_rows_make_a_table_templated(n_templated, n_single, is_templated):
    """Exactly half is not enough."""
    near_duplicate_groups = np.append(np.zeros(n_templated, int), 1 + np.arange(n_single))
    templates = measure_templates(
        rows_of_texts(["a"] * 100, near_duplicate_groups=near_duplicate_groups)
    )

    assert (1, n_templated / 100) == (templates.n_templates, templates.share)
    assert is_templated == templates.is_templated


def test_group_one_row_too_small_is_not_a_template():
    """People's texts repeat, but in few copies."""
    near_duplicate_groups = np.repeat(np.arange(30), TEMPLATE_MIN_ROWS - 1)
    templates = measure_templates(
        rows_of_texts(
            ["a"] * len(near_duplicate_groups), near_duplicate_groups=near_duplicate_groups
        )
    )

    assert (0, 0.0, False) == (templates.n_templates, templates.share, templates.is_templated)


def test_largest_groups_come_first():
    templates = measure_templates(
        rows_of_texts(["a"] * 10, near_duplicate_groups=[0, 1, 1, 1, 2, 2, 2, 2, 2, 2])
    )

    assert (0.6, 0.3, 0.1) == pytest.approx(templates.largest)


def measure(rows, evaluated, parts):
    y = np.zeros(len(evaluated), int)
    predicted = predictions(y, y)
    return measure_wording(rows, EvaluatedRows.of(evaluated, predicted, SPEC), parts, 1)


def test_texts_are_counted_and_compared():
    """A table of texts has no embeddings to check."""
    rows = rows_of_texts(["delete my data"] * 6 + ["stop the adverts", "who are you"])
    evaluated, trained = rows.take(np.arange(6, 8)), rows.take(np.arange(6))
    wording = measure(rows, evaluated, [(np.arange(2), trained)])

    assert ("text", 3, 8, 2) == (
        wording.items,
        wording.n_items,
        wording.table.n_rows,
        wording.judged.n_rows,
    )
    assert wording.standardization is None
    Wording.model_validate(wording.to_json())


def test_embeddings_are_compared_where_there_are_no_texts():
    rng = np.random.default_rng(0)
    rows = rows_of_embeddings(rng.normal(size=(40, 8)))
    evaluated, trained = rows.take(np.arange(10)), rows.take(np.arange(10, 40))
    wording = measure(rows, evaluated, [(np.arange(10), trained)])

    assert ("embedding", "embeddings") == (wording.items, wording.similarity.of)
    assert 40 == wording.standardization.n_rows
    Wording.model_validate(wording.to_json())
