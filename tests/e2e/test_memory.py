"""The memory estimate that decides whether a run may start covers the run's peak."""

import pytest

from benchmarks.memory import measure, write_table


@pytest.mark.parametrize("features", ["384", "text"])
def test_peak_of_a_run_is_within_its_estimate(tmp_path, features):
    """If too low, the kernel kills runs; if more than twice the peak, feasible runs are refused."""
    table = tmp_path / f"table-{features}.parquet"
    write_table(table, 8000, features)
    _, peak, estimate = measure(table, features, tmp_path / "models")

    assert peak <= estimate <= 2 * peak
