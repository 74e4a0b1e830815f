"""Every server keeps the port's promises, over HTTP and over HTTPS."""

import uuid

import pytest
from support.conformance import StoreConformance
from support.processes import JobProcess
from support.servers import client_of, connection_of

from job.adapters.stores.s3 import S3Store
from job.contracts.store_specs import StoreSpec


class TestServer(StoreConformance):
    @pytest.fixture
    def n_winners(self, any_server):
        """versitygw 1.7.0 checks a condition, and writes later: `doctor` finds it out below."""
        return 8 if any_server.kind.startswith("versitygw") else 1

    @pytest.fixture
    def store(self, any_server, monkeypatch):
        for name, value in any_server.credentials.items():
            monkeypatch.setenv(name, value)
        bucket = f"b-{uuid.uuid4().hex[:12]}"
        client_of(any_server).create_bucket(Bucket=bucket)
        return S3Store(
            connection_of(any_server), StoreSpec(uri=f"s3://{bucket}/some models/ünicode")
        )

    def test_objects_stay_below_the_prefix(self, store, any_server):
        store.put_if_absent("a", b"x")
        found = client_of(any_server).list_objects_v2(Bucket=store.uri.split("/")[2])

        assert ["some models/ünicode/a"] == [item["Key"] for item in found["Contents"]]


@pytest.mark.parametrize(("kind", "code"), [("minio", 0), ("versitygw", 2)])
def test_doctor_finds_out_who_lets_two_win(servers, tmp_path, kind, code):
    """Alone, either store keeps its conditions."""
    server = servers(kind)
    bucket = f"b-{uuid.uuid4().hex[:12]}"
    client_of(server).create_bucket(Bucket=bucket)
    done = JobProcess(
        ("doctor", "--store", f"s3://{bucket}/p"), server.environment, tmp_path / "process-0"
    )

    assert code == done.wait(), done.stderr
    assert {"creates_alone"} - {n for n, s in done.result["steps"].items() if s["is_met"]} == (
        {"creates_alone"} if code else set()
    )
