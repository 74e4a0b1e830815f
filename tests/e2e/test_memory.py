"""The estimate that decides whether a run may begin holds the peak that the run then has."""

import pytest

from benchmarks.memory import measure, write_table


@pytest.mark.parametrize("features", ["384", "text"])
def test_peak_of_a_run_is_within_its_estimate(tmp_path, features):
    """Not below the peak, or the kernel is first; not twice as much, or what would do is refused."""
    table = tmp_path / f"table-{features}.parquet"
    write_table(table, 8000, features)
    _, peak, estimate = measure(table, features, tmp_path / "models")

    assert peak <= estimate <= 2 * peak
