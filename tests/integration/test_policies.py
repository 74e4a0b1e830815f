"""The policies of the runbook, applied to MinIO: each role can do its work, and nothing else."""

import json
import re
from dataclasses import replace
from functools import cache

import pytest
from botocore.exceptions import ClientError
from support.policies import ROLES, grant, read_policy
from support.servers import client_of
from support.versions import listed_names

PREFIX = "models"
# what a consumer may read: files of versions, and pointers
FOR_CONSUMERS = re.compile(r"v[0-9]{8}_[^/]+/.+|channels/[^/]+\.json")
LATER_KEYS = ("probe/killed", "removals/v20260101_000000_00000000/token")


@pytest.fixture
def role_of(minio, bucket, tmp_path):
    """Return the environment of a process of a role; each role has one user."""
    return cache(lambda role: grant(minio, read_policy(role, bucket, PREFIX), tmp_path))


@pytest.fixture
def call(job, role_of, bucket):
    """Run a command in a role; check the exit code, and return its result or its stderr."""

    def run(role, *arguments, code=0):
        store = f"s3://{bucket}/{PREFIX}"
        done = job(*arguments, "--store", store, environment=role_of(role))
        assert code == done.wait(), done.stderr
        return done.result if code == 0 else done.stderr

    return run


def connect_as(server, environment):
    """Return a client with the credentials of a process."""
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    own = {name: environment[name] for name in names}
    return client_of(replace(server, credentials=server.credentials | own))


@pytest.fixture
def s3(minio, role_of):
    """Return the client of a role, or with `root` that of the server's owner."""
    return lambda role: connect_as(minio, minio.environment if role == "root" else role_of(role))


def list_keys(client, bucket, prefix=""):
    found = client.list_objects_v2(Bucket=bucket, Prefix=f"{PREFIX}/{prefix}").get("Contents", ())
    return [item["Key"].removeprefix(f"{PREFIX}/") for item in found]


def is_allowed(function, **request):
    """Return whether the store allows a request; other errors than a denial are raised."""
    try:
        function(**request)
    except ClientError as error:
        assert "AccessDenied" == error.response["Error"]["Code"]
        return False
    return True


def find_readable(client, bucket, keys):
    return {k for k in keys if is_allowed(client.get_object, Bucket=bucket, Key=f"{PREFIX}/{k}")}


@pytest.fixture
def stored(published, s3, bucket):
    """Return all keys of the store after two runs; there is one in every folder."""
    root = s3("root")
    for key in LATER_KEYS:
        root.put_object(Bucket=bucket, Key=f"{PREFIX}/{key}", Body=b"")
    keys = list_keys(root, bucket)
    folders = {"channels", "lineage", "probe", "removals", "runs", *published}
    assert folders == {key.partition("/")[0] for key in keys}
    assert {"lineage/key", f"lineage/{published[0]}.npy"} <= set(keys)
    return keys


def test_consumer_lists_fetches_and_loads(call, published, tmp_path):
    """The commands for consumers work."""
    fetched = call("consumer", "models", "fetch", "production", tmp_path / "out")

    assert (published[1], published) == (
        fetched["version"],
        listed_names(call("consumer", "models", "list")),
    )
    assert call("consumer", "models", "load-check", "latest")["is_loadable"]


def check_that_consumers_read_versions_and_pointers_only(stored, s3, bucket):
    """Each object of the store is tried; the owner can read all of them."""
    readable = find_readable(s3("consumer"), bucket, stored)

    assert {key for key in stored if FOR_CONSUMERS.fullmatch(key)} == readable
    assert set(stored) == find_readable(s3("root"), bucket, stored)


def check_that_consumers_list_no_other_folder(stored, s3, bucket):
    """Names of runs and lineage files are not shown either."""
    client, root = s3("consumer"), s3("root")
    for prefix in ("", "runs/", "lineage/", "lineage/v", "probe/", "removals/"):
        request = {"Bucket": bucket, "Prefix": f"{PREFIX}/{prefix}"}
        assert not is_allowed(client.list_objects_v2, **request)
        assert not is_allowed(client.list_objects_v2, **request, Delimiter="/")
        assert list_keys(root, bucket, prefix)


def check_that_consumers_write_nothing(stored, s3, bucket, call, quick):
    """No object can be replaced, created or removed."""
    client, root = s3("consumer"), s3("root")
    before = {key: root.head_object(Bucket=bucket, Key=f"{PREFIX}/{key}")["ETag"] for key in stored}
    for key in (*stored, "v20990101_000000_00000000/model.joblib", "channels/new.json"):
        request = {"Bucket": bucket, "Key": f"{PREFIX}/{key}"}
        assert not is_allowed(client.put_object, Body=b"x", **request)
        assert not is_allowed(client.delete_object, **request)
    refused = call("consumer", *quick(f"s3://{bucket}/{PREFIX}"), code=2)
    after = {key: root.head_object(Bucket=bucket, Key=f"{PREFIX}/{key}")["ETag"] for key in stored}

    assert "s3:PutObject" in refused
    assert before == after


def test_consumers_and_operators_change_and_read_nothing_else(stored, s3, bucket, call, quick):
    """Two runs have filled the store; nothing of this changes it."""
    check_that_consumers_read_versions_and_pointers_only(stored, s3, bucket)
    check_that_consumers_list_no_other_folder(stored, s3, bucket)
    check_that_consumers_write_nothing(stored, s3, bucket, call, quick)
    check_that_operators_neither_run_nor_read_runs(stored, s3, bucket, call, quick)


def test_job_runs_compares_and_tests_the_store(published, call, quick, bucket):
    """The second run reads what the first one stored, its lineage and key included."""
    call("job", *quick(f"s3://{bucket}/{PREFIX}", "--run-id", "third", "--set", "random_state=1"))
    found = call("job", "doctor")

    assert (True, "store", True) == (
        found["is_fit"],
        found["lineage"]["source"],
        found["lineage"]["is_ready"],
    )
    assert 3 == len(next(iter(found["lineage"]["needed_by"].values())))


def test_job_removes_nothing_but_probes(stored, s3, bucket):
    """A job that is taken over cannot remove versions, their lineage or the history."""
    client = s3("job")
    allowed = {
        key
        for key in stored
        if is_allowed(client.delete_object, Bucket=bucket, Key=f"{PREFIX}/{key}")
    }

    assert {"probe/killed"} == allowed


def test_job_stays_in_its_prefix(job, role_of, bucket):
    done = job("doctor", "--store", f"s3://{bucket}/elsewhere", environment=role_of("job"))

    assert (2, True) == (done.wait(), "lack s3:" in done.stderr), done.stderr


def test_operator_moves_channels_and_anchors(published, call):
    """Promote, roll back, republish and read the histories."""
    old, new = published
    assert old == call("operator", "models", "rollback")["to"]
    assert new == call("operator", "models", "promote", new, "--expect", old)["to"]
    call("operator", "models", "promote", old, "--anchor")
    copy = call("operator", "models", "rollback", "--republish")["to"]
    moves = call("operator", "models", "history")["moves"]

    assert [old, new, old, new, copy] == [move["to"] for move in moves]


def test_operator_republishes_the_lineage_too(published, call, s3, bucket):
    """Later candidates are compared with the copy, which needs its lineage."""
    copy = call("operator", "models", "rollback", "--republish")["to"]
    root = s3("root")
    bodies = [
        root.get_object(Bucket=bucket, Key=f"{PREFIX}/lineage/{name}.npy")["Body"].read()
        for name in (published[0], copy)
    ]

    assert bodies[0] == bodies[1]


def test_operator_prunes(published, call, quick, s3, bucket):
    """Versions are removed with their lineage, and unfinished uploads are aborted."""
    third = call("job", *quick(f"s3://{bucket}/{PREFIX}", "--run-id", "third"))["version"]
    root = s3("root")
    root.put_object(Bucket=bucket, Key=f"{PREFIX}/{LATER_KEYS[0]}", Body=b"")
    root.create_multipart_upload(Bucket=bucket, Key=f"{PREFIX}/runs/killed/1/report.html")
    short = ("--set", "store.abandoned_after_hours=1e-9")
    found = call("operator", "models", "prune", "--keep", "1", *short)

    assert ([published[0]], [published[1], third]) == (
        found["removed_versions"],
        found["kept_versions"],
    )
    assert {"runs/killed/1/report.html", "probe/killed"} == set(found["removed_uploads"])
    # the records of runs stay
    left = [key for key in list_keys(root, bucket) if published[0] in key]
    assert [f"runs/first/published/{published[0]}.json"] == left


def test_operator_tests_the_store(published, call):
    """The doctor sees the key that the store holds."""
    found = call("operator", "doctor")

    assert (True, True) == (found["is_fit"], found["lineage"]["is_ready"])


def check_that_operators_neither_run_nor_read_runs(stored, s3, bucket, call, quick):
    """Records and reports of runs can hold ids of rows."""
    readable = find_readable(s3("operator"), bucket, stored)
    refused = call("operator", *quick(f"s3://{bucket}/{PREFIX}"), code=2)

    assert {key for key in stored if not key.startswith("runs/")} == readable
    assert "s3:" in refused


def test_operator_without_the_last_statement_cannot_read_the_key(minio, bucket, s3, tmp_path):
    """The runbook says that only `doctor` needs the statement."""
    s3("root").put_object(Bucket=bucket, Key=f"{PREFIX}/lineage/key", Body=b"x")
    policy = read_policy("operator", bucket, PREFIX)
    whole = connect_as(minio, grant(minio, policy, tmp_path))
    policy["Statement"].pop()
    reduced = connect_as(minio, grant(minio, policy, tmp_path))

    assert {"lineage/key"} == find_readable(whole, bucket, ["lineage/key"])
    assert set() == find_readable(reduced, bucket, ["lineage/key"])


def test_policies_are_about_the_prefix_only(bucket):
    """No statement reaches the rest of the bucket, except the list of multipart uploads."""
    for role in ROLES:
        for statement in read_policy(role, bucket, PREFIX)["Statement"]:
            if statement["Resource"] == [f"arn:aws:s3:::{bucket}"]:
                paths = statement.get("Condition", {}).get("StringLike", {}).get("s3:prefix")
                assert paths or ["s3:ListBucketMultipartUploads"] == statement["Action"]
            else:
                paths = [arn.partition(f"{bucket}/")[2] for arn in statement["Resource"]]
            assert [] == [path for path in paths or () if not path.startswith(f"{PREFIX}/")]
            assert "*" not in json.dumps(statement["Action"])
