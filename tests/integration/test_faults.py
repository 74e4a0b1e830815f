"""A job that is killed, cut off or doubled leaves the old or the new version, complete."""

import os
import signal
import time

import pytest
from support.proxy import FaultyProxy
from support.servers import client_of


def state(minio, bucket):
    """Read the store as its consumers do: complete versions, the champion, half-written folders."""
    client = client_of(minio)
    found = client.list_objects_v2(Bucket=bucket).get("Contents", ())
    keys = {item["Key"].removeprefix("p/") for item in found}
    folders = {key.partition("/")[0] for key in keys if key.startswith("v")}
    complete = {f for f in folders if f"{f}/manifest.json" in keys}
    without = {f for f in folders if f"{f}/metadata.json" not in keys}
    return complete, "channels/production.json" in keys, without


def run_through(job, quick, minio, bucket, fault, *more, run_id="night"):
    """Run with a fault in the way, and give the process and the requests it made."""
    killed = []
    with FaultyProxy(minio.url, fault, lambda: os.kill(killed[0].pid, signal.SIGKILL)) as proxy:
        environment = {**minio.environment, "AWS_ENDPOINT_URL": proxy.url}
        arguments = quick(f"s3://{bucket}/p", "--run-id", run_id, *more)
        killed.append(job(*arguments, environment=environment))
        killed[0].wait()
        return killed[0], list(proxy.requests)


def finished(job, quick, bucket, run_id="night"):
    """Run again with the same id, undisturbed, and verify what came of it."""
    again = job(*quick(f"s3://{bucket}/p", "--run-id", run_id))
    assert 0 == again.wait(), again.stderr
    check = job("models", "verify", "production", "--store", f"s3://{bucket}/p")
    assert 0 == check.wait(), check.stderr
    return again.result


def test_kill_after_each_request(job, quick, minio, request):
    """Every point of a publish-and-promote: 0 exceptions."""
    names, exposed = iter(range(1000)), 0
    client = client_of(minio)

    def fresh():
        name = f"kill-{os.getpid()}-{next(names)}"
        client.create_bucket(Bucket=name)
        return name

    _, requests = run_through(job, quick, minio, fresh(), lambda *_: None)
    for n in range(1, len(requests) + 1):
        bucket = fresh()
        process, _ = run_through(
            job, quick, minio, bucket, lambda i, *_, n=n: "kill" if i == n else None
        )
        assert process.wait() == -signal.SIGKILL
        complete, is_promoted, without_metadata = state(minio, bucket)
        exposed += bool(without_metadata)
        if is_promoted:
            assert complete, f"a channel without a version after request {n}: {requests[n - 1]}"
        for version in complete:
            check = job("models", "verify", version, "--store", f"s3://{bucket}/p")
            assert 0 == check.wait(), f"damaged after request {n}: {check.stderr}"
        result = finished(job, quick, bucket)
        assert result["outcome"] in ("published", "already_published")
        assert 1 == len(state(minio, bucket)[0])
        moves = job("models", "history", "--store", f"s3://{bucket}/p")
        assert (0, 1) == (moves.wait(), len(moves.result["moves"]))

    terminal = request.config.pluginmanager.get_plugin("terminalreporter")
    terminal.write_line(
        f"\nkilled after each of {len(requests)} requests; {exposed} without metadata"
    )
    assert exposed == 1


def in_the_middle(fault, *, lasting):
    """Break the first write of the model, or it and everything after it."""
    began = []

    def decide(n, method, path):
        if method == "PUT" and path.endswith("model.joblib") and not began:
            began.append(n)
        return fault if began and (lasting or n == began[0]) else None

    return decide


QUICK = ("--set", "s3.max_attempts=2", "--set", "s3.read_timeout_seconds=2")
FAULTS = [(503, "SlowDown"), (500, "InternalError"), "reset", "stall"]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_passing_fault_is_survived(job, quick, minio, bucket, fault):
    process, _ = run_through(job, quick, minio, bucket, in_the_middle(fault, lasting=False), *QUICK)

    assert 0 == process.wait(), process.stderr


@pytest.mark.parametrize("fault", [*FAULTS, (403, "AccessDenied")], ids=str)
def test_lasting_fault_ends_with_its_code_and_is_mended_by_the_next_run(
    job, quick, minio, bucket, fault
):
    process, _ = run_through(job, quick, minio, bucket, in_the_middle(fault, lasting=True), *QUICK)

    assert (2 if fault == (403, "AccessDenied") else 75) == process.wait(), process.stderr
    assert (set(), False) == state(minio, bucket)[:2]
    assert "published" == finished(job, quick, bucket)["outcome"]


def test_write_that_went_through_unanswered_is_our_own(job, quick, minio, bucket):
    """The answer is lost, the request is tried again, and meets its own first try."""

    class Lost:
        done = False

        def __call__(self, n, method, path):
            is_first = method == "PUT" and path.endswith("production.json") and not self.done
            self.done = self.done or is_first
            return "kill" if is_first else None

    with FaultyProxy(minio.url, Lost()) as proxy:
        environment = {**minio.environment, "AWS_ENDPOINT_URL": proxy.url}
        process = job(*quick(f"s3://{bucket}/p"), environment=environment)

        assert 0 == process.wait(), process.stderr


def test_truncated_answers_are_asked_for_again(job, quick, minio, bucket, tmp_path):
    assert 0 == job(*quick(f"s3://{bucket}/p")).wait()
    cut = iter([True, False] * 200)
    fault = lambda n, method, path: "truncate" if method == "GET" and next(cut) else None  # noqa: E731
    with FaultyProxy(minio.url, fault) as proxy:
        environment = {**minio.environment, "AWS_ENDPOINT_URL": proxy.url}
        process = job(
            *("models", "fetch", "production", tmp_path / "out", "--store", f"s3://{bucket}/p"),
            environment=environment,
        )

        assert 0 == process.wait(), process.stderr


def test_fetch_that_stays_truncated_writes_nothing(job, quick, minio, bucket, tmp_path):
    assert 0 == job(*quick(f"s3://{bucket}/p")).wait()
    fault = lambda n, method, path: "truncate" if "model.joblib" in path else None  # noqa: E731
    with FaultyProxy(minio.url, fault) as proxy:
        environment = {**minio.environment, "AWS_ENDPOINT_URL": proxy.url}
        process = job(
            *("models", "fetch", "production", tmp_path / "out", "--store", f"s3://{bucket}/p"),
            environment=environment,
        )

        assert (75, False) == (process.wait(), (tmp_path / "out").exists())


def test_dataset_that_changes_while_it_is_read_is_transient(job, quick, minio, bucket, small):
    client = client_of(minio)
    client.put_object(Bucket=bucket, Key="t.parquet", Body=small.read_bytes())

    def change(n, method, path):
        if method == "GET" and "t.parquet" in path and "metadata" not in path:
            client.put_object(Bucket=bucket, Key="t.parquet", Body=small.read_bytes() + b" ")

    with FaultyProxy(minio.url, change) as proxy:
        environment = {**minio.environment, "AWS_ENDPOINT_URL": proxy.url}
        arguments = quick(f"s3://{bucket}/p", dataset=f"s3://{bucket}/t.parquet")
        process = job(*arguments, environment=environment)

        assert 75 == process.wait(), process.stderr
        assert "changed while it was read" in process.stderr


@pytest.mark.parametrize("path", ["model.joblib", "metadata.json", "manifest.json", "production"])
def test_sigterm_while_the_store_is_written(job, quick, minio, bucket, path):
    """The process ends at once with 143; the next run with the same id ends published."""
    started = []

    def slow(n, method, name):
        if method == "PUT" and path in name:
            started.append(n)
            time.sleep(3)

    with FaultyProxy(minio.url, slow) as proxy:
        environment = {**minio.environment, "AWS_ENDPOINT_URL": proxy.url}
        process = job(*quick(f"s3://{bucket}/p", "--run-id", "night"), environment=environment)
        while not started:
            time.sleep(0.02)
        asked = time.monotonic()
        os.kill(process.pid, signal.SIGTERM)

        assert 143 == process.wait(), process.stderr
        assert time.monotonic() - asked < 2.5
        time.sleep(3)
    assert finished(job, quick, bucket)["outcome"] in ("published", "already_published")


def test_store_that_is_stopped_and_started_again(job, quick, tmp_path, docker_engine):
    """Unreachable is 75; once it is back, the same run id publishes."""
    from support.servers import running

    with running("minio", tmp_path) as server:
        client_of(server).create_bucket(Bucket="models")
        container = server.container.get_wrapped_container()
        container.pause()
        arguments = quick("s3://models/p", "--run-id", "night", *QUICK)
        down = job(*arguments, environment=server.environment)
        assert 75 == down.wait(), down.stderr
        container.unpause()
        up = job(*arguments, environment=server.environment)
        assert 0 == up.wait(), up.stderr


def test_twenty_attempts_of_one_run_are_one_version(job, quick, minio, bucket):
    runs = [job(*quick(f"s3://{bucket}/p", "--run-id", "night")) for _ in range(20)]

    assert [0] * 20 == [run.wait(500) for run in runs], [r.stderr[-300:] for r in runs]
    assert (1, 1) == (len(state(minio, bucket)[0]), len({r.result["version"] for r in runs}))
    finished(job, quick, bucket)


def test_twenty_runs_at_once_have_one_champion_and_a_history_that_explains_it(
    job, quick, minio, bucket
):
    runs = [job(*quick(f"s3://{bucket}/p", "--run-id", f"run-{n}")) for n in range(20)]
    codes = [run.wait(500) for run in runs]
    moves = job("models", "history", "--store", f"s3://{bucket}/p")
    listed = job("models", "list", "--store", f"s3://{bucket}/p")
    assert (0, 0) == (moves.wait(), listed.wait())
    chain = [(move["from"], move["to"]) for move in moves.result["moves"]]

    assert set(codes) <= {0, 7}
    assert 20 == len(listed.result["versions"])
    assert codes.count(0) == len(chain)
    assert [None, *(to for _, to in chain)][: len(chain)] == [before for before, _ in chain]
    assert chain[-1][1] == listed.result["channels"]["production"]
