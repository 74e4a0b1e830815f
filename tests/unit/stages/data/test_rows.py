"""Rows get their keys and templates when they are created."""

import numpy as np
import pytest
from support.datasets import table_of

from job.contracts.dataset import Column
from job.stages.data.rows import make_rows

IS_SOUND = np.array([True, False, True])


@pytest.fixture
def dataset():
    """Three rows; the second one is invalid, and the third one has no text."""
    columns = {
        "target": ["a", "b", "c"],
        "text": ["Order 17", "lost", None],
        "categorical": ["web", "app", "phone"],
    }
    return table_of(
        tuple(
            Column(name=name, role=name, kind="string", values=np.array(values, dtype=object))
            for name, values in columns.items()
        )
    )


def test_rows_have_templates_if_requested(dataset):
    """The valid rows have them."""
    rows = make_rows(dataset, IS_SOUND, ("text",), needs_templates=True)

    assert ["a", "c"] == rows.y.tolist()
    assert ["text:order 0", "row:phone"] == rows.templates.tolist()
    assert [0, 2] == rows.positions.tolist()


def test_rows_have_no_templates_otherwise(dataset):
    """Templates cost time and memory."""
    rows = make_rows(dataset, IS_SOUND, ("text",))

    assert rows.templates is None


def test_table_without_text_has_no_templates(dataset):
    """Its rows are compared by embeddings or not at all."""
    rows = make_rows(dataset.without("text"), IS_SOUND, (), needs_templates=True)

    assert rows.templates is None


def test_feature_blocks_that_are_not_used_are_left_out(dataset):
    """Keys are computed from the text even if the model does not read it."""
    rows = make_rows(dataset, IS_SOUND, ("categorical",))

    assert rows.text is None
    assert ["web", "phone"] == rows.frame["categorical"].tolist()
    assert ["text:order 17", "row:phone"] == rows.text_keys.tolist()
