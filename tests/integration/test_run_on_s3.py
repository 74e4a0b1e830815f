"""The complete job with a bucket as its store, and the commands for its versions."""

import json

import pytest
from support.proxy import FaultyProxy
from support.servers import client_of
from support.versions import listed_names

from job.adapters.stores.s3.client import split_uri
from job.contracts.identity import Digest
from job.errors import ConfigurationError


@pytest.fixture
def store(bucket):
    return f"s3://{bucket}/models"


@pytest.fixture
def models(job, store):
    def call(*arguments, code=0):
        done = job("models", *arguments, "--store", store)
        assert done.wait() == code, done.stderr
        return json.loads(done.stdout) if code == 0 else done.stderr

    return call


@pytest.fixture
def s3(minio):
    return client_of(minio)


def objects(s3, bucket, prefix=""):
    found = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", ())
    return [item["Key"] for item in found]


def test_published_version_is_listed(published, models):
    assert published == listed_names(models("list"))


def test_channel_stands_at_the_last_one(published, models):
    assert {"production": published[1]} == models("list")["channels"]


def test_base_names_of_a_version_are_unique(published, s3, bucket):
    """PCC copies every file into one folder today."""
    names = [k.rpartition("/")[2] for k in objects(s3, bucket, f"models/{published[0]}/")]

    assert len(names) == len(set(names)) > 5


def test_same_run_id_is_already_published(published, job, quick, store):
    again = job(*quick(store, "--run-id", "second"))

    assert (0, "already_published") == (again.wait(), again.result["outcome"])


def test_same_run_id_of_another_dataset_is_refused(published, job, quick, store, sample):
    again = job(*quick(store, "--run-id", "second", dataset=sample))

    assert (2, True) == (again.wait(), "second" in again.stderr)


def test_probe_leaves_nothing(published, s3, bucket):
    assert [] == objects(s3, bucket, "models/probe/")


def test_fetched_version_is_verified_and_whole(published, models, tmp_path):
    found = models("fetch", "production", tmp_path / "out")

    assert (published[1], True) == (
        found["version"],
        (tmp_path / "out" / published[1] / "figures").is_dir(),
    )


def test_version_loads_in_a_process_of_its_own(published, models):
    assert models("load-check", "latest")["is_loadable"]


def test_diff_names_what_changed(published, models):
    assert published == [models("diff", *published)[side] for side in ("before", "after")]


def test_rollback_goes_back(published, models):
    assert {"from": published[1], "to": published[0]}.items() <= models("rollback").items()


def test_second_rollback_has_nothing_earlier(published, models):
    models("rollback")

    assert "no earlier version" in models("rollback", code=2)


def test_republished_rollback_is_the_newest_folder(published, models):
    """PCC takes the folder with the greatest name today."""
    moved = models("rollback", "--republish")

    assert listed_names(models("list")) == [*published, moved["to"]]


def test_republished_bytes_are_those_of_the_old_version(published, models, s3, bucket):
    moved = models("rollback", "--republish")
    bodies = [
        s3.get_object(Bucket=bucket, Key=f"models/{v}/model.joblib")["Body"].read()
        for v in (published[0], moved["to"])
    ]

    assert bodies[0] == bodies[1]


def test_promotion_from_another_version_than_expected(published, models):
    said = models("promote", published[0], "--expect", published[0], code=7)

    assert all(version in said for version in published)


def test_promotion_into_another_channel(published, models):
    models("promote", published[0], "--channel", "staging")

    assert {"production": published[1], "staging": published[0]} == models("list")["channels"]


def test_anchor_is_set_moved_and_kept(published, models, job, quick, store, s3, bucket):
    """The anchor is a separate pointer: not a channel, and safe from `models prune`."""
    old, new = published
    first = models("promote", new, "--anchor")
    models("promote", old, "--anchor", "--expect", old, code=7)
    second = models("promote", old, "--anchor", "--expect", new)
    for name in ("third", "fourth"):
        run = job(*quick(store, "--run-id", name))
        assert run.wait() == 0, run.stderr
    pruned, listed = models("prune", "--keep", "1"), models("list")

    assert [(None, new), (new, old)] == [
        (m["anchor_from"], m["anchor_to"]) for m in (first, second)
    ]
    assert ({"production": old}, ["production"]) == (listed["anchors"], list(listed["channels"]))
    assert ([new], old) == (pruned["removed_versions"], pruned["kept_versions"][0])
    assert [new, old] == [m["to"] for m in models("history", "--anchor")["anchor_moves"]]
    assert "models/channels/production.anchor.json" in objects(s3, bucket, "models/channels/")


def test_history_says_who_and_why(published, models):
    models("rollback")
    moves = models("history")["moves"]

    assert [("first", None), ("second", published[0])] == [(m["by"], m["from"]) for m in moves[:2]]
    assert ("rollback", published[0]) == (moves[2]["action"], moves[2]["to"])


def test_prune_keeps_what_the_channel_needs(published, models, job, quick, store):
    third = job(*quick(store, "--run-id", "third", "--set", "publish.channel=null"))
    assert third.wait() == 0, third.stderr
    found = models("prune", "--keep", "1")

    assert ([], [*published, third.result["version"]]) == (
        found["removed_versions"],
        found["kept_versions"],
    )


def test_prune_removes_surplus_versions(published, models, job, quick, store):
    third = job(*quick(store, "--run-id", "third"))
    assert third.wait() == 0, third.stderr
    models("prune", "--keep", "1")

    assert [published[1], third.result["version"]] == listed_names(models("list"))


def test_dry_prune_removes_nothing(published, models, job, quick, store):
    assert job(*quick(store, "--run-id", "third")).wait() == 0
    models("prune", "--keep", "1", "--dry-run")

    assert 3 == len(listed_names(models("list")))


def test_prune_removes_abandoned_work(published, models, s3, bucket):
    """These are a folder without a manifest, an unfinished upload, and a probe."""
    s3.put_object(Bucket=bucket, Key="models/v20200101_000000_00000000/model.joblib", Body=b"x")
    s3.put_object(Bucket=bucket, Key="models/probe/killed", Body=b"x")
    s3.create_multipart_upload(Bucket=bucket, Key="models/v20200101_000000_00000000/metadata.json")
    found = models("prune", "--set", "store.abandoned_after_hours=1e-9")

    assert (["v20200101_000000_00000000"], 2, published) == (
        found["removed_unfinished"],
        len(found["removed_uploads"]),
        listed_names(models("list")),
    )


def test_young_unfinished_work_is_left(published, models, s3, bucket):
    key = "models/v20200101_000000_00000000/model.joblib"
    s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    models("prune")

    assert key in objects(s3, bucket)


def flip(s3, bucket, key):
    data = bytearray(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    data[len(data) // 2] ^= 1
    s3.put_object(Bucket=bucket, Key=key, Body=bytes(data))


def test_any_flipped_byte_is_found(published, models, s3, bucket):
    """This holds for each file, including the manifest."""
    prefix = f"models/{published[0]}/"
    for key in objects(s3, bucket, prefix):
        flip(s3, bucket, key)
        said = models("verify", published[0], code=8)
        flip(s3, bucket, key)
        # a flipped digit of a digest in the manifest looks like a changed file
        assert key.removeprefix(prefix).replace("manifest.json", "manifest") in said

    assert models("verify", published[0])["is_intact"]


@pytest.mark.parametrize("damage", ["flipped", "missing", "added", "foreign manifest"])
def test_damaged_version_is_not_fetched(published, models, s3, bucket, tmp_path, damage):
    old, new = (f"models/{version}/" for version in published)
    if damage == "flipped":
        flip(s3, bucket, f"{old}model.joblib")
    elif damage == "missing":
        s3.delete_object(Bucket=bucket, Key=f"{old}model.joblib")
    elif damage == "added":
        s3.put_object(Bucket=bucket, Key=f"{old}model.joblib.bak", Body=b"x")
    else:
        s3.copy_object(
            Bucket=bucket, Key=f"{old}manifest.json", CopySource=f"{bucket}/{new}manifest.json"
        )
    said = models("fetch", published[0], tmp_path / "out", code=8)

    assert ("manifest" if damage == "foreign manifest" else "model.joblib") in said
    assert not (tmp_path / "out").exists()


def test_manifest_that_names_a_file_outside_is_refused(published, models, s3, bucket, tmp_path):
    key = f"models/{published[0]}/manifest.json"
    manifest = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    manifest["files"][0]["name"] = "../../escaped"
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(manifest).encode())
    models("fetch", published[0], tmp_path / "out", code=8)

    assert not list(tmp_path.rglob("escaped"))


@pytest.mark.parametrize("name", ["curated.parquet", "curated.csv", "folder"])
def test_dataset_is_read_from_s3(job, quick, store, s3, bucket, small, tmp_path, name):
    """The same rows give the same content digest wherever they are stored."""
    import pyarrow.parquet as pq

    uri = f"s3://{bucket}/tables/{name}"
    if name == "curated.csv":
        table = pq.read_table(small).to_pandas()
        table["embeddings"] = [json.dumps([float(x) for x in row]) for row in table["embeddings"]]
        s3.put_object(Bucket=bucket, Key=f"tables/{name}", Body=table.to_csv(index=False).encode())
    else:
        key = f"tables/{name}" + ("/part-0.parquet" if name == "folder" else "")
        s3.put_object(Bucket=bucket, Key=key, Body=small.read_bytes())
    runs = [job(*quick(store, "--dry-run", dataset=place)) for place in (small, uri)]
    assert [0, 0] == [run.wait() for run in runs], runs[1].stderr
    digests = [run.result["dataset"]["content_digest"] for run in runs]

    assert (digests[0], uri) == (digests[1], runs[1].result["dataset"]["uri"])


@pytest.mark.parametrize(
    ("key", "code", "says"),
    [
        ("_SUCCESS", 0, ""),
        ("part-1", 3, "part-1' is in the folder of the table"),
        ("month=11/part-1.csv.tmp", 3, "month=.../part-1.csv.tmp' is not complete"),
        ("_temporary/0/part-1.csv", 3, "a program is still writing it"),
        ("_delta_log/00000000000000000000.json", 3, "is a Delta table"),
        ("part-0 (1).csv", 3, "the same part twice"),
    ],
)
def test_folder_on_s3_is_read_whole_or_refused(job, minio, s3, bucket, key, code, says):
    rows = "\n".join(f"{'ab'[n % 2]},please delete row {n} of my data" for n in range(60))
    content = f"intent,text\n{rows}\n".encode()
    for name in ("part-0.csv", key):
        s3.put_object(Bucket=bucket, Key=f"table/{name}", Body=content)
    environment = {**minio.environment, "PCC_JOB_STORE__URI": "models"}
    done = job("validate", "--dataset", f"s3://{bucket}/table", environment=environment)

    assert code == done.wait(), done.stderr
    assert says in done.stderr


def test_official_test_table_is_read_from_s3(job, quick, store, s3, bucket, small, tmp_path):
    """It is pinned and digested like the dataset."""
    from job.samples import write_sample

    write_sample(tmp_path / "test.parquet", n_rows=120, seed=6, is_csv=False)
    s3.upload_file(str(tmp_path / "test.parquet"), bucket, "tables/test.parquet")
    digests = []
    for place in (tmp_path / "test.parquet", f"s3://{bucket}/tables/test.parquet"):
        run = job(*quick(store, "--dry-run", "--set", f"dataset.test_uri={place}"))
        assert 0 == run.wait(), run.stderr
        key = f"models/runs/{run.result['run_id']}/1.json"
        content = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        digests.append(content["test_data_digest"])

    assert digests[0] == digests[1]


@pytest.mark.parametrize("change", ["overwritten", "removed"])
def test_dataset_in_a_versioned_bucket_is_read_at_one_version(
    job, quick, minio, store, s3, bucket, small, change
):
    """Whatever happens to the key meanwhile, the digested bytes are those trained on."""
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=bucket, Key="t.parquet", Body=small.read_bytes())
    changed = []

    def change_it(n, method, path):
        if method == "GET" and "t.parquet" in path and "metadata" not in path and not changed:
            changed.append(n)
            if change == "removed":
                s3.delete_object(Bucket=bucket, Key="t.parquet")
            else:
                s3.put_object(Bucket=bucket, Key="t.parquet", Body=b"no table")

    with FaultyProxy(minio.url, change_it) as proxy:
        environment = {**minio.environment, "AWS_ENDPOINT_URL": proxy.url}
        arguments = quick(store, "--dry-run", dataset=f"s3://{bucket}/t.parquet")
        run = job(*arguments, environment=environment)

        assert (0, 1) == (run.wait(), len(changed)), run.stderr
    assert Digest.of(small.read_bytes()) == Digest.parse(run.result["dataset"]["file_digest"])


def test_sidecar_that_breaks_off_is_asked_for_again(job, quick, minio, store, s3, bucket, small):
    s3.put_object(Bucket=bucket, Key="t.parquet", Body=small.read_bytes())
    s3.put_object(Bucket=bucket, Key="t.metadata.json", Body=b'{"a": "' + b"b" * 9000 + b'"}')
    cut = []

    def truncate_once(n, method, path):
        if method == "GET" and path.endswith("t.metadata.json") and not cut:
            cut.append(n)
            return "truncate"
        return None

    with FaultyProxy(minio.url, truncate_once) as proxy:
        environment = {**minio.environment, "AWS_ENDPOINT_URL": proxy.url}
        arguments = quick(store, "--dry-run", dataset=f"s3://{bucket}/t.parquet")
        run = job(*arguments, environment=environment)

        assert (0, 1) == (run.wait(), len(cut)), run.stderr


def test_damaged_dataset_on_s3_is_named_by_its_uri(job, quick, store, s3, bucket):
    s3.put_object(Bucket=bucket, Key="t.parquet", Body=b"no table")
    run = job(*quick(store, dataset=f"s3://{bucket}/t.parquet"))

    assert (3, True) == (run.wait(), f"s3://{bucket}/t.parquet" in run.stderr)


def test_absent_dataset_on_s3(job, quick, store, bucket):
    run = job(*quick(store, dataset=f"s3://{bucket}/none.parquet"))

    assert (3, True) == (run.wait(), "none.parquet" in run.stderr)


def test_suite_is_read_from_s3(job, quick, store, s3, bucket, request):
    suite = (request.config.rootpath / "expectations/labelled_embeddings.json").read_bytes()
    s3.put_object(Bucket=bucket, Key="suites/own.json", Body=suite)
    run = job(
        *quick(store, "--dry-run", "--set", f"expectations.suite=s3://{bucket}/suites/own.json")
    )

    assert 0 == run.wait(), run.stderr


def test_doctor_finds_a_fit_store(job, store):
    done = job("doctor", "--store", store)

    assert (0, True) == (done.wait(), done.result["is_fit"])


def test_encryption_class_and_tags_are_asked_for(job, quick, store, s3, bucket):
    tags = "store.tags={team: privacy, kind: a/b + c}"
    run = job(
        *quick(store, "--set", tags, "--set", "store.storage_class=REDUCED_REDUNDANCY"),
    )
    assert run.wait() == 0, run.stderr
    key = f"models/{run.result['version']}/metadata.json"
    found = s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]

    assert {"team": "privacy", "kind": "a/b + c"} == {t["Key"]: t["Value"] for t in found}
    assert "REDUCED_REDUNDANCY" == s3.head_object(Bucket=bucket, Key=key)["StorageClass"]


@pytest.mark.parametrize("uri", ["s3://", "s3:///x", "s3://b/../c", "s3://bucket/a//b"])
def test_uri_that_leads_elsewhere_is_refused(uri):
    with pytest.raises(ConfigurationError):
        split_uri(uri)
