"""Files of other releases are read; what this release writes is complete."""

import json

import pytest
from pydantic import ValidationError
from support.evaluations import make_whole_evaluation

from job.contracts.reports.evaluation import Evaluation


def test_file_is_read_as_it_was_written():
    evaluation = make_whole_evaluation()

    assert evaluation == Evaluation.parse(evaluation.to_bytes())


def test_keys_of_a_later_release_are_left_out_at_every_level():
    """An older release draws the report of a version that a later one published."""
    evaluation = make_whole_evaluation()
    content = json.loads(evaluation.to_bytes())
    content["later"], content["gate"]["later"], content["split"]["later"] = 1, 2, 3

    assert evaluation == Evaluation.parse(json.dumps(content).encode())


def test_unknown_field_is_refused_where_a_part_is_made():
    with pytest.raises(ValidationError):
        make_whole_evaluation().split.copy_with(optimisim=None)
