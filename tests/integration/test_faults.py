"""A job that is killed, cut off or run twice leaves the old or the new version, complete."""

import collections
import itertools
import os
import signal
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.processes import FunctionProcess
from support.proxy import FaultyProxy
from support.publishing import publish_by_parts
from support.servers import client_of, copy_objects
from support.versions import listed_names, name_of

from job import registry

VERSION = name_of("large", 1)
LARGE_FILES = {"model.joblib": 11 * 2**20, "metadata.json": b"{}"}


def state(minio, bucket):
    """Read the store like its consumers do: complete versions, the champion, partial folders."""
    client = client_of(minio)
    found = client.list_objects_v2(Bucket=bucket).get("Contents", ())
    keys = {item["Key"].removeprefix("p/") for item in found}
    folders = {key.partition("/")[0] for key in keys if key.startswith("v")}
    complete = {f for f in folders if f"{f}/manifest.json" in keys}
    without = {f for f in folders if f"{f}/metadata.json" not in keys}
    return complete, "channels/production.json" in keys, without


def run_through(job, quick, minio, bucket, fault, *more, run_id="night"):
    """Run with a fault, and return the process and its requests."""
    killed = []
    with FaultyProxy(minio.url, fault, lambda: os.kill(killed[0].pid, signal.SIGKILL)) as proxy:
        environment = {**minio.environment, "AWS_ENDPOINT_URL": proxy.url}
        arguments = quick(f"s3://{bucket}/p", "--run-id", run_id, *more)
        killed.append(job(*arguments, environment=environment))
        killed[0].wait()
        return killed[0], list(proxy.requests)


def run_again(job, quick, bucket, run_id="night"):
    """Run again with the same id and without a fault; return the result."""
    again = job(*quick(f"s3://{bucket}/p", "--run-id", run_id))
    assert 0 == again.wait(), again.stderr
    return again.result


def finished(job, quick, bucket, run_id="night"):
    """Run again with the same id and without a fault, and verify the result."""
    result = run_again(job, quick, bucket, run_id)
    check = job("models", "verify", "production", "--store", f"s3://{bucket}/p")
    assert 0 == check.wait(), check.stderr
    return result


@pytest.fixture
def buckets(minio):
    """Return new buckets, empty or with the content of another bucket."""
    client, numbers = client_of(minio), itertools.count()

    def make(template=None):
        name = f"kill-{uuid.uuid4().hex[:8]}-{next(numbers)}"
        client.create_bucket(Bucket=name)
        if template:
            copy_objects(client, template, name)
        return name

    return make


def list_writes(requests):
    """Return the numbers of requests that can change the store.

    The process that is killed after a read leaves what the write before the read has left.
    """
    return [n for n, line in enumerate(requests, 1) if not line.startswith(("GET ", "HEAD "))]


@pytest.mark.parametrize("has_champion", [False, True], ids=["empty bucket", "champion there"])
def test_kill_after_each_write(job, quick, minio, open_store, buckets, request, has_champion):
    """At every point of publication and promotion, there is the old or the new version."""
    template, old = None, None
    if has_champion:
        template = buckets()
        assert 0 == job(*quick(f"s3://{template}/p", "--run-id", "before")).wait()
        old = registry.list_channels(open_store(template))["production"]
    _, requests = run_through(job, quick, minio, buckets(template), lambda *_: None)
    # NOTE: what comes before the claim leaves nothing but a probe and a latency, whatever there was
    writes = list_writes(requests)
    claimed = next(n for n in writes if "claim.json" in requests[n - 1])
    kills = [n for n in writes if n >= claimed or not has_champion]
    model, metadata = (
        next(n for n in writes if requests[n - 1].endswith(f"/{name}"))
        for name in ("model.joblib", "metadata.json")
    )

    def kill_after(n):
        bucket = buckets(template)
        process, _ = run_through(
            job, quick, minio, bucket, lambda i, *_: "kill" if i == n else None
        )
        assert process.wait() == -signal.SIGKILL
        store, (complete, _, without_metadata) = open_store(bucket), state(minio, bucket)
        assert old is None or old in complete, f"the old version is gone after {requests[n - 1]}"
        for version in complete:
            registry.verify_files(store, version)
        champion = registry.list_channels(store).get("production")
        assert champion == old or champion in complete - {old}, requests[n - 1]
        outcome = run_again(job, quick, bucket)["outcome"]
        assert outcome in ("published", "already_published")
        registry.verify_files(store, registry.list_channels(store)["production"])
        complete = state(minio, bucket)[0]
        assert 1 + has_champion == len(complete)
        # the retry makes the same files, so it goes on under the same name
        assert complete == {key.partition("/")[0] for key in store.keys("v")}
        assert 1 + has_champion == len(registry.list_history(store, "production"))
        return bool(without_metadata)

    with ThreadPoolExecutor(2) as pool:
        exposed = sum(pool.map(kill_after, kills))
    terminal = request.config.pluginmanager.get_plugin("terminalreporter")
    terminal.write_line(
        f"\nkilled after {len(kills)} writes of {len(requests)} requests; "
        f"{exposed} without metadata"
    )
    assert exposed == 1
    assert metadata == model + 1


def test_kill_after_each_write_of_an_upload_by_parts(minio, open_store, buckets, request):
    """No part of a model that exceeds one request becomes visible, or blocks a later run."""
    arguments = (VERSION, "large", LARGE_FILES)
    with FaultyProxy(minio.url) as proxy:
        assert 0 == FunctionProcess(publish_by_parts, proxy.url, buckets(), *arguments).wait()
        requests = list(proxy.requests)
    assert any("partNumber=3" in line for line in requests)
    writes = list_writes(requests)
    for n in writes:
        bucket, killed = buckets(), []
        with FaultyProxy(
            minio.url,
            lambda i, *_, n=n: "kill" if i == n else None,
            lambda killed=killed: os.kill(killed[0].pid, signal.SIGKILL),
        ) as proxy:
            killed.append(FunctionProcess(publish_by_parts, proxy.url, bucket, *arguments))
            assert -signal.SIGKILL == killed[0].wait()
        store = open_store(bucket)
        for version in registry.list_versions(store):
            registry.verify_files(store, version)
        assert 0 == FunctionProcess(publish_by_parts, minio.url, bucket, *arguments).wait()
        assert 3 == registry.verify_files(store, VERSION)

    terminal = request.config.pluginmanager.get_plugin("terminalreporter")
    terminal.write_line(f"\nkilled after each of {len(writes)} writes of an upload by parts")


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
    """The response is lost, and the repeated request finds the result of its own first attempt."""

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


def truncate_every_second():
    """Truncate the first, third, ... response to each request, whatever requests are in between."""
    counts = collections.Counter()

    def decide(n, method, path):
        counts[method, path] += 1
        return "truncate" if counts[method, path] % 2 else None

    return decide


def test_truncated_answers_are_asked_for_again(job, quick, minio, bucket, tmp_path):
    assert 0 == job(*quick(f"s3://{bucket}/p")).wait()
    with FaultyProxy(minio.url, truncate_every_second()) as proxy:
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
    """The process ends at once with 143; the next run with the same id publishes."""
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


@pytest.mark.parametrize("path", ["model.joblib", "manifest.json"])
def test_store_that_is_stopped_in_the_middle_and_started_again(
    job, quick, tmp_path, docker_engine, path
):
    """Unreachable is 75; when the store is back, the same run id publishes what it had started."""
    from support.servers import running

    with running("minio", tmp_path) as server:
        client_of(server).create_bucket(Bucket="models")
        container, stopped = server.container.get_wrapped_container(), []

        def stop(n, method, name):
            if method == "PUT" and path in name and not stopped:
                stopped.append(n)
                container.stop(timeout=0)

        arguments = quick("s3://models/p", "--run-id", "night", *QUICK)
        with FaultyProxy(server.url, stop) as proxy:
            environment = {**server.environment, "AWS_ENDPOINT_URL": proxy.url}
            down = job(*arguments, environment=environment)
            assert (75, 1) == (down.wait(), len(stopped)), down.stderr
        container.start()
        server.await_restart()
        up = job(*arguments, environment=server.environment)
        assert (0, "published") == (up.wait(), up.result["outcome"]), up.stderr
        check = job(
            *("models", "verify", "production", "--store", "s3://models/p"),
            environment=server.environment,
        )
        assert 0 == check.wait(), check.stderr


def test_truncated_answers_during_a_publication_are_survived(job, quick, minio, bucket):
    """Responses to reads are truncated in the middle of their bodies."""
    assert 0 == job(*quick(f"s3://{bucket}/p", "--run-id", "before")).wait()
    process, requests = run_through(job, quick, minio, bucket, truncate_every_second())

    assert 0 == process.wait(), process.stderr
    assert len(requests) > 30
    finished(job, quick, bucket)


def test_ten_attempts_of_one_run_are_one_version(job, quick, minio, bucket):
    runs = [job(*quick(f"s3://{bucket}/p", "--run-id", "night")) for _ in range(10)]

    assert [0] * 10 == [run.wait(500) for run in runs], [r.stderr[-300:] for r in runs]
    assert (1, 1) == (len(state(minio, bucket)[0]), len({r.result["version"] for r in runs}))
    finished(job, quick, bucket)


def test_ten_runs_at_once_have_one_champion_and_a_history_that_explains_it(
    job, quick, minio, bucket
):
    runs = [job(*quick(f"s3://{bucket}/p", "--run-id", f"run-{n}")) for n in range(10)]
    codes = [run.wait(500) for run in runs]
    moves = job("models", "history", "--store", f"s3://{bucket}/p")
    listed = job("models", "list", "--store", f"s3://{bucket}/p")
    assert (0, 0) == (moves.wait(), listed.wait())
    chain = [(move["from"], move["to"]) for move in moves.result["moves"]]

    assert set(codes) <= {0, 7}
    assert 10 == len(listed_names(listed.result))
    assert codes.count(0) == len(chain)
    assert [None, *(to for _, to in chain)][: len(chain)] == [before for before, _ in chain]
    assert chain[-1][1] == listed.result["channels"]["production"]
