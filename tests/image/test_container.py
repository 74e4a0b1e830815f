"""The job as a container: minimal privileges, signals, limits, and the termination message."""

import json
import time

import pytest
from support.containers import HARDENED, docker
from support.settings import OPEN

# more than the machine can fit in the time of the test, of a loss that only liblinear has
LONG = (
    *("run", "--store", "/out/models", "--set", OPEN, "--set", "search.folds=20"),
    *("--set", "search.estimators={linear_svc: {C: [0.01, 0.1, 1, 10, 100, 1000], loss: [hinge]}}"),
    *("--dataset", "/out/large.parquet"),
)


@pytest.fixture
def message(folder):
    """Return the options that mount the termination message's file, and a reader of the file."""
    path = folder / "termination-log"
    path.touch()
    path.chmod(0o666)
    options = ("--volume", f"{path}:/dev/termination-log")
    return options, lambda: json.loads(path.read_text())


@pytest.fixture
def background(image, folder):
    """Start a container that keeps running during the test; remove it at the end."""
    started = []

    def start(*arguments, options=()):
        mount = ("--volume", f"{folder}:/out")
        done = docker("run", "--detach", *mount, *HARDENED, *options, image, *arguments)
        started.append(done.stdout.strip())
        return started[-1]

    yield start
    for container in started:
        docker("rm", "--force", container, check=False)


def stopped(container):
    """Stop it like Kubernetes does; return the seconds that it took and the exit code."""
    started = time.monotonic()
    docker("stop", "--time", "30", container)
    seconds = time.monotonic() - started
    state = json.loads(docker("inspect", container).stdout)[0]["State"]
    return seconds, state["ExitCode"]


def wait_for(container, word):
    for _ in range(600):
        done = docker("logs", container)
        if word in done.stderr + done.stdout:
            return
        time.sleep(0.1)
    raise AssertionError(f"the container never said {word}: {done.stderr}")


def test_job_publishes_with_the_least_rights_and_memory(run, small, folder, message):
    """The root is read-only, without capabilities, network, or privileges to gain.

    The outcome is left for Kubernetes.
    """
    options, read = message
    limits = ("--memory", "700m", "--memory-swap", "700m")
    done = run(*small("--run-id", "r1"), options=(*HARDENED, *options, *limits))

    assert 0 == done.returncode, done.stderr
    version = json.loads(done.stdout)["version"]
    assert (folder / "models" / version / "manifest.json").exists()
    expected = {"outcome": "published", "exit_code": 0, "run_id": "r1", "version": version}
    assert expected == read()


def test_every_kind_of_feature_and_estimator_works_in_the_image(run, small):
    """None of them needs what was left out of the image."""
    features = "features.use=[text, embeddings, numeric, boolean]"
    done = run(*small("--set", features, "--set", "search.estimators={linear_svc: {}, dummy: {}}"))
    checks = [
        run("models", command, "latest", *more, "--store", "/out/models").returncode
        for command, *more in (("verify",), ("load-check",), ("fetch", "/out/fetched"))
    ]

    assert (0, [0, 0, 0]) == (done.returncode, checks), done.stderr


@pytest.mark.parametrize(
    ("code", "outcome", "more"),
    [
        (2, "failed", ("--set", "search.folds=0")),
        (3, "failed", ("--dataset", "/out/absent.parquet")),
        (4, "failed", ("--set", "dataset.min_rows=5000")),
        (6, "rejected", ("--set", "gate.floors.accuracy=1.0")),
    ],
)
def test_failure_is_left_with_its_reason(run, small, message, code, outcome, more):
    options, read = message
    done = run(*small(*more), options=(*HARDENED, *options))

    assert code == done.returncode
    assert (outcome, code) == (read()["outcome"], read()["exit_code"])
    assert read()["error"] and read()["hint"]


def test_sigterm_in_a_fit_ends_the_first_process_with_143(run, background, message):
    """A Python handler would wait for the end of the fit; the grace period is not used up."""
    run("sample-data", "/out/large.parquet", "--rows", "6000", check=True)
    options, read = message
    container = background(*LONG, "--run-id", "r1", options=options)
    wait_for(container, "dataset_split")
    time.sleep(3)
    seconds, code = stopped(container)

    assert 143 == code
    assert seconds < 3  # two, and what the engine takes
    assert ("ended", 143, "r1") == tuple(read()[k] for k in ("outcome", "exit_code", "run_id"))


def test_sigterm_while_it_starts_ends_the_first_process(run, background, small):
    """The first process of a container ignores SIGTERM until it has a handler."""
    for delay in (0.2, 0.5, 1.0):
        container = background(*small())
        time.sleep(delay)

        assert 143 == stopped(container)[1], delay


@pytest.mark.parametrize("limit", ["300m", "430m"])
def test_memory_limit_that_is_too_small_is_refused_before_the_fit(run, small, message, limit):
    """The kernel does not kill it, and the message states the required amount."""
    options, read = message
    limits = ("--memory", limit, "--memory-swap", limit)
    done = run(*small(), options=(*HARDENED, *options, *limits))

    assert (2, 2) == (done.returncode, read()["exit_code"])
    assert f"may use {limit[:-1]} MiB" in read()["error"]


def test_validation_alone_is_refused_too(run, small):
    small()
    limits = ("--memory", "200m", "--memory-swap", "200m")
    done = run("validate", "--dataset", "/out/small.parquet", options=(*HARDENED, *limits))

    assert (2, True) == (done.returncode, "may use 200 MiB" in done.stderr)


def test_threads_follow_the_cpu_quota(inside):
    code = (
        "import json, sklearn.linear_model, pyarrow, threadpoolctl;"
        "from job.adapters.host_limits import limit_threads;"
        "from job.adapters.executors.local import LocalThreads;"
        "limit_threads();"
        "print(json.dumps([*{i['num_threads'] for i in threadpoolctl.threadpool_info()},"
        " pyarrow.cpu_count(), LocalThreads().n_workers]))"
    )

    assert [1, 1, 1] == inside(code, "--cpus", "1")
