"""What a Job does on a real Kubernetes cluster, for each way a run can end."""

import json

import pytest
from support.kubernetes import wait_until

# more fits than fit into the time of a test, of a loss that only liblinear has
MANY = [n / 100 for n in range(1, 1001)]
HINGE = {"loss": ["hinge"]}
LONG = {"config": {"search": {"folds": 20, "estimators": {"linear_svc": {"C": MANY, **HINGE}}}}}
# some seconds of them
WIDE = {"config": {"search": {"folds": 20, "estimators": {"linear_svc": HINGE}}}}


def told(message):
    return json.loads(message)


@pytest.fixture
def serving(namespace):
    """Remove the store from its Service, and restore it at the end at the latest."""

    def serve(is_up):
        selector = {"app": "minio" if is_up else "nobody"}
        patch = json.dumps({"spec": {"selector": selector}})
        namespace.kubectl("patch", "service", "minio", "--patch", patch)

    yield serve
    serve(True)


def test_run_publishes_once_and_says_so_and_its_version_stays(namespace, install, bucket):
    """The message names the version, which outlives the release, and a run id.

    Two namespaces, or a recreated Job of the same name, never share a run id.
    """
    release = install()
    job = namespace.start(release, f"{release}-now")
    code, message = namespace.ending_of(job)
    uid = namespace.get("job", job)["metadata"]["uid"]
    namespace.helm("uninstall", release, "--wait")

    assert (0, "published") == (code, told(message)["outcome"])
    assert f"{namespace.name}.{job}.{uid}" == told(message)["run_id"]
    assert [told(message)["version"]] == bucket.versions(release)
    assert None is namespace.get("cronjob", f"{release}-pcc-training-job")


def test_rejected_candidate_ends_after_one_pod(namespace, install, bucket):
    floors = {"gate": {"floors": {"accuracy": 1.0}}}
    release = install({"config": floors, "job": {"backoffLimit": 3}})
    job = namespace.start(release, f"{release}-now")

    code, message = namespace.ending_of(job, "Failed", "PodFailurePolicy")

    assert (6, "rejected") == (code, told(message)["outcome"])
    assert [] == bucket.versions(release)


def test_wrong_credentials_end_after_one_pod(namespace, install):
    namespace.kubectl(
        *("create", "secret", "generic", "wrong", "--from-literal=AWS_ACCESS_KEY_ID=somebody"),
        "--from-literal=AWS_SECRET_ACCESS_KEY=canary-wrong",
    )
    change = {"extraEnvFrom": [{"secretRef": {"name": "wrong"}}], "job": {"backoffLimit": 3}}
    release = install(change)
    job = namespace.start(release, f"{release}-now")

    code, message = namespace.ending_of(job, "Failed", "PodFailurePolicy")

    assert 2 == code
    assert "minio" in told(message)["error"] and "canary" not in message


def test_memory_limit_that_is_too_small_is_refused_before_the_fit(namespace, install):
    """The job exits with 2 and the required amount, instead of being killed by the kernel."""
    small = {"cpu": "500m", "memory": "430Mi", "ephemeral-storage": "1Gi"}
    release = install({"resources": {"limits": small, "requests": small}})
    job = namespace.start(release, f"{release}-now")
    code, message = namespace.ending_of(job, "Failed", "PodFailurePolicy")

    assert 2 == code
    assert "may use 430 MiB" in told(message)["error"]


def test_temporary_space_that_is_too_small_is_refused(namespace, install):
    """The pod is not evicted: the job knows the volume's size."""
    release = install({"tmp": {"sizeLimit": "512Ki"}, "job": {"backoffLimit": 3}})
    job = namespace.start(release, f"{release}-now")

    code, message = namespace.ending_of(job, "Failed", "PodFailurePolicy")

    assert 2 == code
    assert "temporary space" in told(message)["error"]


def test_store_that_is_away_is_tried_again(namespace, install, bucket, serving):
    """75 costs a retry; when the store is available again, the next pod publishes."""
    release = install({"job": {"backoffLimit": 3}, "config": {"s3": {"max_attempts": 1}}})
    serving(False)
    job = namespace.start(release, f"{release}-now")
    wait_until(lambda: namespace.endings(job), 120, "no pod has ended")
    serving(True)

    assert 0 == namespace.ending_of(job)[0]
    assert len(namespace.endings(job)) > 1
    assert 1 == len(bucket.versions(release))


def test_store_that_stays_away_uses_the_retries_up(namespace, install, serving):
    release = install({"job": {"backoffLimit": 1}, "config": {"s3": {"max_attempts": 1}}})
    serving(False)
    job = namespace.start(release, f"{release}-now")

    namespace.ending_of(job, "Failed", "BackoffLimitExceeded")
    assert [75, 75] == [code for code, _ in namespace.endings(job)]


def evict(namespace, pod):
    content = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod, "namespace": namespace.name},
    }
    path = f"/api/v1/namespaces/{namespace.name}/pods/{pod}/eviction"
    namespace.kubectl("create", "--raw", path, "--filename", "-", given=json.dumps(content))


def test_evicted_pod_is_replaced_without_a_retry_and_publishes_once(namespace, install, bucket):
    """SIGTERM during a fit gives 143, and because of DisruptionTarget it counts as no failure."""
    # no retry at all: an eviction that counted would end the Job
    release = install(WIDE, {"job": {"backoffLimit": 0}})
    job = namespace.start(release, f"{release}-now")
    pod = namespace.wait_for_event(job, "dataset_split")
    with namespace.watching(pod) as exit_code:
        evict(namespace, pod)
        code = exit_code()

    assert 143 == code
    assert {"Complete"} <= namespace.wait_for_end(job).keys(), namespace.describe(job)
    assert 0 == namespace.get("job", job)["status"].get("failed", 0)
    assert 1 == len(bucket.versions(release))


def test_pod_that_is_deleted_in_mid_run_is_replaced_and_publishes_once(namespace, install, bucket):
    """Both pods have one run id."""
    release = install(WIDE, {"job": {"backoffLimit": 3}})
    job = namespace.start(release, f"{release}-now")
    pod = namespace.wait_for_event(job, "dataset_split")
    namespace.kubectl("delete", "pod", pod, "--wait=false")

    assert {"Complete"} <= namespace.wait_for_end(job).keys(), namespace.describe(job)
    assert 1 == len(bucket.versions(release))
    assert 1 == len({key.split("/")[2] for key in bucket.keys(f"{release}/runs/")})


def test_deadline_ends_the_job_and_leaves_no_version(namespace, install, bucket):
    release = install(LONG, {"job": {"activeDeadlineSeconds": 15}})
    job = namespace.start(release, f"{release}-now")

    assert "DeadlineExceeded" == namespace.wait_for_end(job).get("Failed"), namespace.describe(job)
    assert [] == bucket.keys(f"{release}/v")


def test_schedule_fires_and_forbids_a_second_run_beside_the_first(namespace, install):
    """Of two ticks with one Job, the second is skipped, and the CronJob reports the reason."""
    every = {"suspend": False, "schedule": "* * * * *", "concurrencyPolicy": "Forbid"}
    release = install(LONG, {"cronJob": every})
    name = f"{release}-pcc-training-job"

    def jobs():
        owned = namespace.items("jobs")
        return [
            item["metadata"]["name"]
            for item in owned
            if any(o["name"] == name for o in item["metadata"].get("ownerReferences", ()))
        ]

    def skipped():
        events = namespace.items("events", "--field-selector", f"involvedObject.name={name}")
        return [e for e in events if e["reason"] == "JobAlreadyActive"]

    wait_until(jobs, 90, "the schedule never fired")
    wait_until(skipped, 90, "no second tick was skipped")

    assert 1 == len(jobs())


def test_upgrade_leaves_a_run_under_way_alone(namespace, install, values, bucket):
    """Its retries use the settings and the account that it started with."""
    release = install(WIDE, {"job": {"backoffLimit": 3}})
    job = namespace.start(release, f"{release}-now")
    pod = namespace.wait_for_event(job, "dataset_split")
    changed = values(
        "dev",
        {"config": {"store": {"uri": f"s3://pcc/{release}-new"}}},
        {"serviceAccount": {"create": False, "name": "default"}},
    )
    namespace.helm("upgrade", release, "charts/pcc-training-job", *changed)
    namespace.kubectl("delete", "pod", pod, "--wait=false")

    assert {"Complete"} <= namespace.wait_for_end(job).keys(), namespace.describe(job)
    assert (1, []) == (len(bucket.versions(release)), bucket.keys(f"{release}-new"))


def test_rollback_brings_the_settings_before_back(namespace, install, values):
    release = install()
    before = namespace.get("cronjob", f"{release}-pcc-training-job")["spec"]
    changed = values("dev", {"config": {"store": {"uri": "s3://pcc/elsewhere"}}})
    namespace.helm("upgrade", release, "charts/pcc-training-job", *changed)
    namespace.helm("rollback", release)

    assert before == namespace.get("cronjob", f"{release}-pcc-training-job")["spec"]


def test_helm_test_fails_where_the_bucket_is_absent(namespace, install):
    release = install({"config": {"store": {"uri": "s3://no-such-bucket/models"}}})
    done = namespace.helm("test", release, "--logs", check=False)

    assert 0 != done.returncode
    assert "no-such-bucket" in done.stdout + done.stderr
