"""The list of runs, with those that published nothing, and the reports of these."""

import pytest
from support.memory_store import MemoryStore
from support.versions import name_of

from job.contracts.reports.run_record import RunRecord
from job.errors import ConfigurationError
from job.registry.runs import find_run, list_runs, read_run_report


class Clocked(MemoryStore):
    """A store whose objects are written one second after the other."""

    def entries(self, prefix, after=""):
        from datetime import timedelta

        order = list(self.objects)
        for key, info in super().entries(prefix, after):
            at = info.modified_at + timedelta(seconds=order.index(key))
            yield key, type(info)(n_bytes=info.n_bytes, modified_at=at)


@pytest.fixture
def store():
    return Clocked()


def record(store, run_id, outcome, attempt=1, **facts):
    content = RunRecord(
        run_id=run_id,
        attempt=attempt,
        outcome=outcome,
        failed_stage=None,
        duration_seconds=1.0,
        stages={},
        **facts,
    )
    store.objects[f"runs/{run_id}/{attempt}.json"] = content.to_bytes()


def test_latest_attempt_of_each_run_is_listed_newest_first(store):
    """Other objects of a run are not taken for records."""
    record(store, "zeta", "failed", reason="no table")
    record(store, "alpha", "rejected", reason="too low")
    record(store, "zeta", "published", attempt=2, version=name_of("zeta", 1))
    store.objects["runs/alpha/claim.json"] = b"{}"
    store.objects["runs/alpha/latency/1.json"] = b"{}"
    listed = list_runs(store, 20)

    assert [("zeta", 2, "published"), ("alpha", 1, "rejected")] == [
        (run.run_id, run.attempt, run.outcome) for run in listed.runs
    ]
    assert (name_of("zeta", 1), "too low") == (listed.runs[0].version, listed.runs[1].reason)
    assert listed.is_complete


def test_attempts_are_ordered_as_numbers(store):
    """The tenth comes after the ninth."""
    for attempt in (9, 10):
        record(store, "r", "failed", attempt=attempt)

    assert [10] == [run.attempt for run in list_runs(store, 20).runs]


def test_limit_cuts_the_oldest_runs(store):
    """The result says that there are more."""
    for name in ("a", "b", "c"):
        record(store, name, "failed")
    listed = list_runs(store, 2)

    assert ["c", "b"] == [run.run_id for run in listed.runs]
    assert not listed.is_complete


def test_record_that_cannot_be_read_is_listed_without_facts(store):
    """Other runs are still listed."""
    store.objects["runs/r/1.json"] = b"\x00"

    assert (None, "r") == (
        list_runs(store, 20).runs[0].outcome,
        list_runs(store, 20).runs[0].run_id,
    )


def test_report_is_that_of_the_highest_attempt_that_has_one(store):
    """A later attempt may have failed before it had a candidate."""
    record(store, "r", "rejected")
    record(store, "r", "rejected", attempt=2)
    record(store, "r", "failed", attempt=3, reason="no table")
    for attempt, page in ((1, b"one"), (2, b"two")):
        for name in ("report.html", "metadata.json", "evaluation.json"):
            store.objects[f"runs/r/{attempt}/{name}"] = page
    found = find_run(store, "r")

    assert 3 == found.attempt
    assert b"two" == read_run_report(store, found)["report.html"]


def test_run_without_a_report_says_why(store):
    """The reason is that of its record."""
    record(store, "r", "failed", reason="no table")

    with pytest.raises(ConfigurationError, match="it ended as 'failed': no table"):
        read_run_report(store, find_run(store, "r"))


@pytest.mark.parametrize("name", ["nosuch", "a/b", "..", "", "a\\b"])
def test_unknown_run_is_none(store, name):
    """Also if the name is no run id."""
    record(store, "r", "failed")

    assert find_run(store, name) is None
