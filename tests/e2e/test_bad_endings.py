"""A command ends with its own exit code while threads still read the table."""

import pytest

from benchmarks.bad_endings import CODES, count_wrong_codes, write_tables


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    return write_tables(tmp_path_factory.mktemp("tables"), n_blocks=10)


@pytest.mark.parametrize("fault", sorted(CODES))
def test_command_ends_with_its_own_code(paths, fault):
    """Without an immediate end, `too many rows` and `a cell too large` abort the process."""
    assert count_wrong_codes({fault: paths[fault]}, 1) == {fault: (1, 0)}
