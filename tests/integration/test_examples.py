"""The example of a table and a store in S3 works with MinIO, as its page says."""

import json

import yaml
from support.markdown import ROOT, read_block
from support.servers import client_of

from job.samples import write_sample


def test_example_of_s3(minio, job, tmp_path):
    """The buckets are those of its job.yaml; the address and the credentials are AWS variables."""
    config = ROOT / "examples/s3/job.yaml"
    settings = yaml.safe_load(config.read_text())
    places = [settings[name]["uri"].removeprefix("s3://") for name in ("dataset", "store")]
    (tables, key), (models, prefix) = (place.split("/", 1) for place in places)
    s3 = client_of(minio)
    for bucket in (tables, models):
        s3.create_bucket(Bucket=bucket)
    write_sample(tmp_path / "table.parquet", n_rows=900, seed=7, is_csv=False)
    s3.upload_file(str(tmp_path / "table.parquet"), tables, key)

    commands = read_block("examples/s3/README.md", "example", "sh").splitlines()
    runs = []
    for command in commands:
        program, *words = command.replace("examples/s3/job.yaml", str(config)).split()
        runs.append(job(*words))
        assert ("pcc-job", 0) == (program, runs[-1].wait()), runs[-1].stderr
    version = json.loads(runs[-1].stdout)["version"]
    stored = s3.list_objects_v2(Bucket=models, Prefix=f"{prefix}/{version}/")["Contents"]

    assert f"{prefix}/{version}/manifest.json" in {item["Key"] for item in stored}
