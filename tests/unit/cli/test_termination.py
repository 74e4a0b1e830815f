"""The outcome is where Kubernetes reads it, in at most 2,048 bytes."""

import json

import pytest

from job.cli.termination import write_termination_message


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "termination-log"
    file.touch()
    return file


def test_message_holds_the_facts(path):
    write_termination_message("failed", 4, error="e", hint="h", run_id="r", path=path)

    expected = {"outcome": "failed", "exit_code": 4, "error": "e", "hint": "h", "run_id": "r"}
    assert expected == json.loads(path.read_bytes())


def test_message_of_a_held_back_run_says_why(path):
    write_termination_message("held_back", 0, reason="1 group changed", run_id="r", path=path)

    expected = {"outcome": "held_back", "exit_code": 0, "reason": "1 group changed", "run_id": "r"}
    assert expected == json.loads(path.read_bytes())


def test_no_file_is_made_where_there_is_none(tmp_path):
    write_termination_message("failed", 4, path=tmp_path / "absent")

    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(("n_error", "n_hint"), [(5000, 10), (10, 5000), (5000, 5000), (1990, 0)])
@pytest.mark.parametrize("letter", ["x", "é", "\n", "\U0001f512"])
def test_long_texts_are_cut_and_the_rest_stays_json(path, n_error, n_hint, letter):
    """Escaped characters count as well; short facts are kept."""
    write_termination_message(
        "failed", 4, error=letter * n_error, hint=letter * n_hint, run_id="r", path=path
    )

    content = path.read_bytes()
    assert len(content) <= 2048
    assert ("r", 4) == (json.loads(content)["run_id"], json.loads(content)["exit_code"])


def test_what_fits_is_not_cut(path):
    write_termination_message("failed", 4, error="x" * 1900, path=path)

    assert "x" * 1900 == json.loads(path.read_bytes())["error"]


def test_long_hint_is_cut_before_the_error(path):
    write_termination_message("failed", 4, error="x" * 1000, hint="y" * 3000, path=path)

    assert "x" * 1000 == json.loads(path.read_bytes())["error"]
