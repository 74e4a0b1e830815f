"""The context gives a step its request, its adapters and its record as one argument."""

from dataclasses import FrozenInstanceError
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from support.memory_store import MemoryStore

from job.pipeline.run_context import RunContext
from job.recorder import Recorder


@pytest.fixture
def context():
    recorder = Recorder(MemoryStore(), "r1", lambda: 1.0)
    plan = SimpleNamespace(settings="the settings")
    return RunContext(plan=plan, ports=SimpleNamespace(), keys=SimpleNamespace(), recorder=recorder)


def test_stage_is_timed_by_the_recorder(context):
    """A step that uses the context shows up in the record."""
    with context.stage("split"):
        assert "split" == context.recorder.running_stage

    assert {"split": 0.0} == context.recorder.stages


def test_settings_are_those_of_the_plan(context):
    """There is one request."""
    assert "the settings" == context.settings


def test_plan_is_not_replaced(context):
    """What a step reads of the request is the same before and after any other step."""
    with pytest.raises(FrozenInstanceError):
        context.plan = None


def test_time_is_that_of_the_moment():
    """It is the start of the run plus the seconds since then."""
    seconds = iter((1.0, 91.0))
    recorder = Recorder(MemoryStore(), "r1", lambda: next(seconds))
    plan = SimpleNamespace(started_at=datetime(2026, 1, 1, 2, tzinfo=UTC))
    ports = keys = SimpleNamespace()
    context = RunContext(plan=plan, ports=ports, keys=keys, recorder=recorder)

    assert datetime(2026, 1, 1, 2, 1, 30, tzinfo=UTC) == context.now()
