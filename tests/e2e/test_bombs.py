"""Tables and settings that are larger than they look are refused at low cost."""

import pytest

from benchmarks.bombs import BOMBS, MAX_MB, measure


@pytest.mark.parametrize(
    "name",
    ["1 MB repeated, later", "a list of 100 million", "CSV of 200,000 columns", "YAML aliases"],
)
def test_bomb_is_refused_in_little_memory(tmp_path, name):
    """Time is not checked: other processes can use the processor."""
    [(_, _, end)] = measure(tmp_path, iter([name]))

    assert end.code == BOMBS[name][2], end.message
    assert end.megabytes < MAX_MB
