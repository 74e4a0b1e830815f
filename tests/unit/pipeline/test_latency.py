"""Attempts of a run with the same model in the same environment publish one latency."""

from types import SimpleNamespace

import pytest
from support.memory_store import MemoryStore

from job.contracts.reports.scores import Latency
from job.contracts.settings.gate import GateSpec
from job.errors import IntegrityError
from job.pipeline.latency import share_latency

FIRST, LATER = Latency(p50_ms=1.25, p95_ms=2.5), Latency(p50_ms=1.5, p95_ms=200.5)


def share(store, measured, *, model=b"model", cpu="a", is_dry_run=False, severity="warn"):
    plan = SimpleNamespace(run_id="night", is_dry_run=is_dry_run, environment={"cpu": cpu})
    gate = GateSpec(latency_p95_ms=100, latency_severity=severity)
    context = SimpleNamespace(
        plan=plan,
        ports=SimpleNamespace(store=store),
        settings=SimpleNamespace(gate=gate),
    )
    return share_latency(context, model, measured)


@pytest.mark.parametrize("severity", ["warn", "reject"])
def test_later_attempt_has_the_latency_of_the_first(severity):
    """Otherwise its files would differ."""
    store = MemoryStore()

    assert [FIRST, FIRST] == [share(store, m, severity=severity) for m in (FIRST, LATER)]


@pytest.mark.parametrize("other", [{"model": b"other"}, {"cpu": "b"}, {"is_dry_run": True}])
def test_latency_of_another_model_or_machine_is_not_used(other):
    """Nothing of one attempt is mixed with what another one measured."""
    store = MemoryStore()
    share(store, FIRST)

    assert LATER == share(store, LATER, **other)


def test_latency_that_rejects_is_measured_again():
    """A machine can be busy for a while."""
    store = MemoryStore()

    assert [LATER, FIRST] == [share(store, m, severity="reject") for m in (LATER, FIRST)]


@pytest.mark.parametrize("raw", [b"", b"{}", b'{"p50_ms": 1, "p95_ms": Infinity}'])
def test_damaged_latency_is_refused(raw):
    """It would end in the published files."""
    store = MemoryStore()
    share(store, FIRST)
    store.objects = dict.fromkeys(store.objects, raw)

    with pytest.raises(IntegrityError, match="latency"):
        share(store, LATER)
