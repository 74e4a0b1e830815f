"""Stages are named and timed, and the record is written once, also after a failure."""

import json

import pytest
import structlog
from structlog.testing import capture_logs
from support.memory_store import MemoryStore
from support.metadata import make_metadata

from job.errors import TrainingError, TransientError
from job.recorder import Recorder

RECORD = "runs/r1/1.json"
VERSION = "v20260101_000000_aaaaaaaa"
DIGEST = f"sha256:{'0' * 64}"


class Clock:
    """A timer that advances only by `wait`."""

    def __init__(self):
        self.seconds = 100.0

    def __call__(self):
        return self.seconds

    def wait(self, seconds):
        self.seconds += seconds


class Observer:
    """Keeps what it is told."""

    def __init__(self, calls):
        self.begin_stage, self._calls = calls.append, calls

    def end_stage(self, name, seconds):
        self._calls.append((name, seconds))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def recorder(store, clock):
    return Recorder(store, "r1", clock)


def record(store, key=RECORD):
    return json.loads(store.objects[key])


def run_stage(recorder, name, action, *args):
    with recorder.stage(name):
        return action(*args)


def fail():
    raise TrainingError("no")


def test_stage_is_timed(recorder, clock):
    """Seconds from its start to its end."""
    clock.wait(5)
    run_stage(recorder, "train", clock.wait, 1.5)

    assert {"train": 1.5} == recorder.stages


def test_times_of_a_stage_that_runs_twice_are_added_up(recorder, clock):
    """One name, one number."""
    for seconds in (1.5, 0.25):
        run_stage(recorder, "gate", clock.wait, seconds)

    assert {"gate": 1.75} == recorder.stages


def test_duration_counts_from_the_start_of_the_run(recorder, clock):
    """Time between stages counts too."""
    clock.wait(2)

    assert 2.0 == recorder.duration_seconds


def test_each_stage_is_announced(store, clock):
    """The observer is told before the stage runs, and after it with its seconds."""
    calls = []
    observer = Observer(calls)
    recorder = Recorder(store, "r1", clock, observer)
    for name in ("split", "search"):
        run_stage(recorder, name, lambda name: (calls.append(f"in {name}"), clock.wait(2)), name)

    one = ["split", "in split", ("split", 2.0)]
    assert [*one, "search", "in search", ("search", 2.0)] == calls


def test_stage_that_fails_does_not_end(store, clock):
    """The observer is told of the beginning only."""
    calls = []
    with pytest.raises(TrainingError):
        run_stage(Recorder(store, "r1", clock, Observer(calls)), "search", fail)

    assert ["search"] == calls


def test_stage_is_bound_to_the_log_while_it_runs(recorder):
    """Every line of a stage bears its name."""
    assert {"stage": "split"} == run_stage(recorder, "split", structlog.contextvars.get_contextvars)


def test_record_holds_facts_outcome_and_stages(recorder, store, clock):
    """What was known when the run ended."""
    recorder.facts.digests = {"data_digest": DIGEST}
    run_stage(recorder, "split", clock.wait, 1.0)
    recorder.write("published", version=VERSION, exit_code=0)

    assert {
        "run_id": "r1",
        "attempt": 1,
        "data_digest": DIGEST,
        "version": VERSION,
        "exit_code": 0,
        "outcome": "published",
        "failed_stage": None,
        "stages": {"split": 1.0},
        "duration_seconds": 1.0,
    } == record(store)


def test_failed_stage_is_named(recorder, store):
    """The stage that raised is the one that was running."""
    run_stage(recorder, "split", int)
    with pytest.raises(TrainingError):
        run_stage(recorder, "train", fail)
    recorder.write("failed")

    assert "train" == record(store)["failed_stage"]


def test_attempt_number_goes_on_where_it_is_taken(store, clock):
    """Every attempt of a run leaves its own record."""
    for _ in range(3):
        Recorder(store, "r1", clock).write("failed")

    assert [1, 2, 3] == [record(store, f"runs/r1/{n}.json")["attempt"] for n in (1, 2, 3)]


def test_earlier_attempt_is_left_as_it_was(store, clock):
    """Records are create-only."""
    for outcome in ("failed", "published"):
        Recorder(store, "r1", clock).write(outcome)

    assert "failed" == record(store)["outcome"]


def test_reports_lie_beside_the_record_of_their_attempt(store, clock):
    """A rejected candidate leaves its pages."""
    Recorder(store, "r1", clock).write("failed")
    recorder = Recorder(store, "r1", clock)
    recorder.reports = {"figures/roc.svg": b"<svg/>"}
    recorder.write("rejected")

    assert b"<svg/>" == store.get("runs/r1/2/figures/roc.svg")


def test_second_write_does_nothing(recorder, store):
    """Signal and error may both occur; only the first one is recorded."""
    recorder.write("ended")
    recorder.write("crashed")

    assert [RECORD] == list(store.objects)


@pytest.mark.parametrize("n", [1, 2])
def test_store_that_fails_does_not_raise(n, clock):
    """The failure that the record describes must be raised; this one is only logged."""
    recorder = Recorder(MemoryStore(fail_at=n, failure=TransientError("full")), "r1", clock)
    recorder.reports = {"report.html": b""}
    with capture_logs() as logs:
        recorder.write("failed")

    assert [("record_not_written", "TransientError")] == [(e["event"], e["reason"]) for e in logs]


def test_fact_that_json_refuses_does_not_raise(recorder):
    """NaN is not valid JSON, and must not hide the first failure."""
    with capture_logs() as logs:
        recorder.write("failed", scores={"accuracy": float("nan")})

    assert ["record_not_written"] == [entry["event"] for entry in logs]


def test_fact_that_does_not_fit_leaves_a_record_without_facts(recorder, store):
    """And its name in the log; how the run went, and its reports, are kept."""
    recorder.facts.settings_digest = "none"
    recorder.reports["drift.json"] = b"{}"
    with capture_logs() as logs:
        recorder.write("failed", exit_code=4)

    assert [("record_incomplete", ["settings_digest"])] == [
        (entry["event"], entry["invalid_fields"]) for entry in logs
    ]
    assert ("failed", 1) == (record(store)["outcome"], record(store)["attempt"])
    assert "settings_digest" not in record(store)
    assert b"{}" == store.objects["runs/r1/1/drift.json"]


def test_facts_that_are_not_known_are_absent(recorder, store):
    """A run that ends early records what it knew by then."""
    dataset = make_metadata().dataset
    recorder.facts.settings_digest = DIGEST
    recorder.facts.datasets["test_dataset"] = dataset
    recorder.write("failed")

    written = record(store)
    assert (DIGEST, dataset.to_json()) == (written["settings_digest"], written["test_dataset"])
    assert not {"scores", "override", "model_digest", "dataset", "environment"} & set(written)


def test_stage_is_not_timed_if_it_fails(recorder):
    """Its name stays, so that the record can name it."""
    with pytest.raises(TrainingError), recorder.stage("train"):
        fail()

    assert ({}, "train") == (recorder.stages, recorder.running_stage)
