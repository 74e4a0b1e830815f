"""Every server keeps the port's promises, over HTTP and over HTTPS."""

import uuid

import pytest
from support.conformance import StoreConformance
from support.servers import client_of, connection_of

from job.adapters.stores.s3 import S3Store
from job.contracts.store_specs import StoreSpec


class TestServer(StoreConformance):
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
