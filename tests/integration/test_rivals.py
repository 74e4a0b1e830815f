"""Concurrent runs, operators and `models prune`: conflicts are reported, and nothing is lost."""

import json
import os
import signal
import threading
import time

import pytest
from support.proxy import FaultyProxy
from support.servers import client_of


class Gate:
    """Hold the first request of a method on a path until it is opened."""

    def __init__(self, method, part):
        self._method, self._part = method, part
        self.arrived, self.opened = threading.Event(), threading.Event()

    def __call__(self, n, method, path):
        if method == self._method and self._part in path and not self.arrived.is_set():
            self.arrived.set()
            assert self.opened.wait(120)


@pytest.fixture
def uri(bucket):
    return f"s3://{bucket}/p"


@pytest.fixture
def run(job, quick, uri):
    """Run to the end with a run id; return the exit code, and the version or the message."""

    def call(run_id, *more):
        done = job(*quick(uri, "--run-id", run_id, *more))
        code = done.wait()
        return code, done.result["version"] if code == 0 else done.stderr

    return call


@pytest.fixture
def models(job, uri):
    def call(*arguments, code=0):
        done = job("models", *arguments, "--store", uri)
        assert code == done.wait(), done.stderr
        return json.loads(done.stdout) if code == 0 else done.stderr

    return call


def held(job, minio, gate, *arguments):
    """Start a command whose requests go through a gate."""
    proxy = FaultyProxy(minio.url, gate)
    process = job(*arguments, environment={**minio.environment, "AWS_ENDPOINT_URL": proxy.url})
    assert gate.arrived.wait(120), process.stderr
    return process


def test_loser_of_a_race_stays_the_loser(job, quick, minio, run, models, uri):
    """It ends with 7, and every retry does too: the operator decides."""
    assert 0 == run("first")[0]
    gate = Gate("PUT", "channels/production.json")
    loser = held(job, minio, gate, *quick(uri, "--run-id", "loser"))
    winner = run("winner")[1]
    gate.opened.set()

    assert 7 == loser.wait(), loser.stderr
    assert [7, 7] == [run("loser")[0] for _ in range(2)]
    assert winner == models("list")["channels"]["production"]


def test_retry_of_a_killed_run_does_not_overrule_a_rollback(job, quick, minio, run, models, uri):
    """The run was killed after its manifest, and then the operator rolled back."""
    first, second = run("first")[1], run("second")[1]
    killed = []

    def fault(n, method, path):
        return "kill" if method == "PUT" and path.endswith("/manifest.json") else None

    with FaultyProxy(minio.url, fault, lambda: os.kill(killed[0].pid, signal.SIGKILL)) as proxy:
        environment = {**minio.environment, "AWS_ENDPOINT_URL": proxy.url}
        killed.append(job(*quick(uri, "--run-id", "killed"), environment=environment))
        assert -signal.SIGKILL == killed[0].wait()
    assert {"from": second, "to": first}.items() <= models("rollback").items()
    code, said = run("killed")

    assert (7, True) == (code, first in said)
    assert first == models("list")["channels"]["production"]


def test_prune_beside_a_run_that_goes_on_with_what_it_removes(job, quick, minio, run, models, uri):
    """The run ends with 75 and waits; the next attempt publishes, and nothing is damaged."""
    killed = []

    def fault(n, method, path):
        return "kill" if method == "PUT" and path.endswith("/metadata.json") else None

    with FaultyProxy(minio.url, fault, lambda: os.kill(killed[0].pid, signal.SIGKILL)) as proxy:
        environment = {**minio.environment, "AWS_ENDPOINT_URL": proxy.url}
        killed.append(job(*quick(uri, "--run-id", "night"), environment=environment))
        assert -signal.SIGKILL == killed[0].wait()
    gate = Gate("DELETE", "/v2")
    pruning = held(
        *(job, minio, gate, "models", "prune", "--store", uri),
        *("--set", "store.abandoned_after_hours=1e-9"),
    )
    code, said = run("night")
    gate.opened.set()

    assert (75, True) == (code, "being removed" in said)
    assert 0 == pruning.wait(), pruning.stderr
    assert 0 == run("night")[0]
    assert models("verify", "production")["is_intact"]


def test_prune_beside_a_promotion_of_what_it_removes(job, minio, run, models, uri):
    """The promotion ends with 7, and the channel stays at an existing version."""
    versions = [run(name)[1] for name in ("a", "b", "c")]
    gate = Gate("DELETE", f"{versions[0]}/manifest.json")
    pruning = held(job, minio, gate, "models", "prune", "--keep", "1", "--store", uri)
    said = models("promote", versions[0], code=7)
    gate.opened.set()

    assert 0 == pruning.wait(), pruning.stderr
    assert (True, versions[2]) == (
        "being removed" in said,
        models("list")["channels"]["production"],
    )
    assert models("verify", "production")["is_intact"]


def test_prune_beside_an_anchor_that_moves_to_what_it_removes(job, minio, run, models, uri):
    """Like with a channel, the move ends with 7, and the anchor stays at an existing version."""
    versions = [run(name)[1] for name in ("a", "b", "c")]
    models("promote", versions[2], "--anchor")
    gate = Gate("DELETE", f"{versions[0]}/manifest.json")
    pruning = held(job, minio, gate, "models", "prune", "--keep", "1", "--store", uri)
    said = models("promote", versions[0], "--anchor", code=7)
    gate.opened.set()

    assert 0 == pruning.wait(), pruning.stderr
    assert (True, versions[2]) == (
        "being removed" in said,
        models("list")["anchors"]["production"],
    )


def test_rollback_that_loses_its_race_is_not_seen_by_todays_pcc(
    job, minio, run, models, uri, open_store, bucket
):
    """The copy is removed again: the winner's newest folder remains."""
    versions = [run(name)[1] for name in ("a", "b")]
    gate = Gate("PUT", "channels/production.json")
    losing = held(job, minio, gate, "models", "rollback", "--republish", "--store", uri)
    models("promote", versions[0])
    gate.opened.set()

    assert 7 == losing.wait(), losing.stderr
    found = {key.partition("/")[0] for key in open_store(bucket).keys("v")}
    assert versions == sorted(found)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["SIGTERM", "Ctrl-C"]
)
def test_fetch_that_is_ended_leaves_nothing(job, minio, run, uri, tmp_path, number, code):
    """It ends at once, and removes the folders that it created."""
    assert 0 == run("a")[0]
    gate = Gate("GET", "model.joblib")
    fetching = held(job, minio, gate, "models", "fetch", "latest", tmp_path / "x/y", "--store", uri)
    asked = time.monotonic()
    os.kill(fetching.pid, number)

    assert code == fetching.wait()
    assert time.monotonic() - asked < 2
    assert not (tmp_path / "x").exists()
    gate.opened.set()


def test_pointer_that_was_removed_is_promoted_anew(minio, run, models, bucket):
    """The history continues and contains every move."""
    versions = [run(name)[1] for name in ("a", "b")]
    client_of(minio).delete_object(Bucket=bucket, Key="p/channels/production.json")
    models("promote", versions[1])
    moves = [(move["from"], move["to"]) for move in models("history")["moves"]]

    assert [(None, versions[0]), tuple(versions), (None, versions[1])] == moves
    assert versions[0] == models("rollback")["to"]
