"""Bytes that are truncated, changed or damaged in transit, on MinIO behind a faulty proxy."""

import itertools
import os
import time
import tracemalloc
from contextlib import closing

import pytest
from support.proxy import FaultyProxy
from support.servers import KMS_KEY, client_of

from job.adapters.stores.s3 import S3Store
from job.adapters.stores.s3.client import connect
from job.adapters.stores.s3.parts import N_THREADS
from job.contracts.settings.store import S3Spec, StoreSpec
from job.errors import ConfigurationError, IntegrityError, TransientError

LARGEST = 2**30
SMALL, LARGE = os.urandom(100_000), os.urandom(70 * 2**20)


@pytest.fixture
def rights(minio, monkeypatch):
    for name, value in minio.credentials.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def behind(minio, bucket, rights):
    """Return the store behind a proxy with this fault."""

    def store(proxy_url, **settings):
        spec = S3Spec(endpoint_url=proxy_url, region="us-east-1", **settings)
        return S3Store(connect(spec), StoreSpec(uri=f"s3://{bucket}/p"))

    return store


@pytest.fixture
def direct(behind, minio):
    return behind(minio.url)


@pytest.fixture(params=["whole", "pieces"])
def read(request):
    """Read an object in one of the two ways."""
    if request.param == "whole":
        return lambda store: store.get("key", max_bytes=LARGEST)
    return lambda store: b"".join(store.pieces("key"))


def on(method, part, fault, *, times=1):
    """Break the first requests of a method on a path."""
    left = [times]

    def decide(n, found, path):
        if found == method and part in path and left[0]:
            left[0] -= 1
            return fault
        return None

    return decide


@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("times", [1, 3])
def test_body_that_breaks_off_goes_on(direct, behind, minio, read, data, times):
    direct.put_if_absent("key", data)
    with FaultyProxy(minio.url, on("GET", "key", "truncate", times=times)) as proxy:
        assert data == read(behind(proxy.url))


def test_body_that_breaks_off_goes_on_where_it_broke(direct, behind, minio, read):
    """One broken part does not cause the others to be fetched again."""
    direct.put_if_absent("key", LARGE)
    with FaultyProxy(minio.url, lambda n, *_: "truncate" if n == 3 else None) as proxy:
        read(behind(proxy.url))

        assert 6 == len(proxy.requests)


def test_rest_of_a_body_that_broke_off_is_all_that_is_asked_for(direct, behind, minio, read):
    """Received bytes are kept, except for the last chunk or the connection's buffer."""
    data, spans = LARGE[: 16 * 2**20], []
    direct.put_if_absent("key", data)

    def keep(status, headers, data):
        spans.extend(value for name, value in headers if name == "Content-Range")
        return status, headers, data

    with FaultyProxy(minio.url, lambda n, *_: "truncate" if n == 1 else keep) as proxy:
        assert read(behind(proxy.url)) == data

    assert [False] == [span.startswith("bytes 0-") for span in spans]


def test_body_that_breaks_off_each_time_is_transient(direct, behind, minio, read):
    direct.put_if_absent("key", SMALL)
    with FaultyProxy(minio.url, on("GET", "key", "truncate", times=99)) as proxy:
        with pytest.raises(TransientError, match="closed the connection"):
            read(behind(proxy.url))

        assert 4 == len(proxy.requests)


@pytest.mark.parametrize("fault", ["stall", "reset", (503, "SlowDown")], ids=str)
def test_request_without_an_answer_is_tried_as_often_as_was_asked(
    direct, behind, minio, read, fault
):
    """The retries of a body do not multiply those of a request."""
    direct.put_if_absent("key", SMALL)
    with FaultyProxy(minio.url, on("GET", "key", fault, times=99)) as proxy:
        with pytest.raises(TransientError):
            read(behind(proxy.url, max_attempts=2, read_timeout_seconds=1))

        assert 2 == len(proxy.requests)


def test_large_object_that_changes_while_it_is_read_is_not_mixed(
    direct, behind, minio, read, bucket
):
    direct.put_if_absent("key", LARGE)

    def change(n, *_):
        if n == 2:
            client_of(minio).put_object(Bucket=bucket, Key="p/key", Body=LARGE[::-1])

    with (
        FaultyProxy(minio.url, change) as proxy,
        pytest.raises(TransientError, match="changed while it was read"),
    ):
        read(behind(proxy.url))


def test_ranges_that_are_ignored_are_found_out(direct, behind, minio, read):
    """A proxy may drop the header; the first bytes must not be taken for those of the range."""
    direct.put_if_absent("key", LARGE)

    def whole(status, headers, data):
        return 200, [(k, v) for k, v in headers if k.lower() != "content-range"], data

    with (
        FaultyProxy(minio.url, lambda n, *_: whole if n == 2 else None) as proxy,
        pytest.raises(ConfigurationError, match="ignored the Range header"),
    ):
        read(behind(proxy.url))


def test_bytes_that_the_store_did_not_check_are_read_back(behind, minio, bucket):
    """The store returns no SHA-256, and has other bytes."""

    def rot(status, headers, data):
        client_of(minio).put_object(Bucket=bucket, Key="p/key", Body=b"rotten")
        return status, [(k, v) for k, v in headers if "checksum" not in k.lower()], data

    with (
        FaultyProxy(minio.url, on("PUT", "key", rot)) as proxy,
        pytest.raises(IntegrityError, match="differs from the bytes that were written"),
    ):
        behind(proxy.url).put_if_absent("key", b"sound")


def test_bytes_that_the_store_did_not_check_may_be_sound(behind, minio):
    def silent(status, headers, data):
        return status, [(k, v) for k, v in headers if "checksum" not in k.lower()], data

    with FaultyProxy(minio.url, on("PUT", "key", silent)) as proxy:
        assert behind(proxy.url).put_if_absent("key", b"sound")

        assert ["PUT", "GET"] == [request.split()[0] for request in proxy.requests]


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (lambda s: s.get("absent", max_bytes=LARGEST), None),
        (lambda s: list(s.keys("")), ["key"]),
        (lambda s: s.put_if_absent("key", b"other"), False),
        (lambda s: s.put_if_absent("key", LARGE), False),
        (lambda s: s.compare_and_swap("key", b"other", b"x"), False),
    ],
    ids=["get", "list", "create", "create large", "swap"],
)
def test_refusal_or_listing_that_breaks_off_is_asked_for_again(
    direct, behind, minio, act, expected
):
    """Every second response is truncated."""
    direct.put_if_absent("key", b"x")
    cut = itertools.cycle([True, False])
    with FaultyProxy(minio.url, lambda *_: "truncate" if next(cut) else None) as proxy:
        assert expected == act(behind(proxy.url))


def test_listing_that_stays_cut_is_transient(direct, behind, minio):
    direct.put_if_absent("key", b"x")
    with (
        FaultyProxy(minio.url, lambda *_: "truncate") as proxy,
        pytest.raises(TransientError, match="closed the connection"),
    ):
        list(behind(proxy.url).keys(""))


@pytest.mark.parametrize("n", range(1, 9))
def test_lost_answer_is_no_lack_of_the_store(behind, minio, n):
    """The request was executed and is repeated; the retry finds its own first attempt."""
    with FaultyProxy(minio.url, lambda i, *_: "kill" if i == n else None) as proxy:
        steps = behind(proxy.url).probe("token")

        assert [] == [step for step in steps if not step.is_met]
        assert len(proxy.requests) > n


@pytest.mark.parametrize(("times", "is_written"), [(1, True), (99, None)], ids=["once", "lasting"])
def test_conflict_of_two_writes_is_tried_again(behind, minio, times, is_written):
    """409 means, as with AWS, that another write is in progress, which may still fail."""
    fault = (409, "ConditionalRequestConflict")
    with FaultyProxy(minio.url, on("PUT", "key", fault, times=times)) as proxy:
        if is_written:
            assert behind(proxy.url).put_if_absent("key", b"x")
        else:
            with pytest.raises(TransientError, match="written by another process"):
                behind(proxy.url).put_if_absent("key", b"x")


def test_body_that_falls_silent_is_not_waited_for_longer_than_a_request(
    direct, behind, minio, read
):
    """A request may take one second here, so the second stall ends it."""
    direct.put_if_absent("key", SMALL)
    with FaultyProxy(minio.url, lambda *_: "hang") as proxy:
        with pytest.raises(TransientError, match="did not answer in time"):
            read(behind(proxy.url, max_attempts=1, read_timeout_seconds=1))

        assert len(proxy.requests) <= 2


def test_large_object_is_in_memory_once(direct):
    """This holds however its parts are processed."""
    direct.put_if_absent("key", LARGE)
    tracemalloc.start()
    direct.get("key", max_bytes=LARGEST)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 1.2 * len(LARGE)


def test_large_object_is_sent_without_a_copy(direct):
    """The published bytes are already in memory."""
    tracemalloc.start()
    direct.put_if_absent("key", LARGE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 10 * 2**20


@pytest.mark.parametrize("fault", ["reset", "kill", (503, "SlowDown")], ids=str)
def test_part_that_was_refused_or_lost_is_sent_again_from_its_start(direct, behind, minio, fault):
    with FaultyProxy(minio.url, on("PUT", "partNumber=2", fault)) as proxy:
        assert behind(proxy.url).put_if_absent("key", LARGE)

    assert LARGE == direct.get("key", max_bytes=LARGEST)


def test_few_parts_are_in_memory_where_pieces_are_read(direct, monkeypatch):
    """Only the parts that are read at once are in memory, however slow the consumer is."""
    for module in ("reads", "parts"):
        monkeypatch.setattr(f"job.adapters.stores.s3.{module}.PART_BYTES", 2**20)
    direct.put_if_absent("key", LARGE)
    tracemalloc.start()
    n_bytes = 0
    for piece in direct.pieces("key"):
        time.sleep(0.01)
        n_bytes += len(piece)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert len(LARGE) == n_bytes
    assert peak < 10 * 2**20


def test_reading_that_ends_early_leaves_the_rest(direct, behind, minio):
    """No part is requested that was not started."""
    direct.put_if_absent("key", LARGE)
    with FaultyProxy(minio.url) as proxy:
        with closing(behind(proxy.url).pieces("key")) as pieces:
            next(pieces)

        assert len(proxy.requests) <= N_THREADS


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ({"encryption": "AES256"}, ("AES256", None)),
        ({"encryption": "aws:kms", "kms_key_id": KMS_KEY}, ("aws:kms", KMS_KEY)),
    ],
    ids=["AES256", "aws:kms"],
)
@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["small", "large"])
def test_encryption_is_asked_for(minio, bucket, rights, options, answer, data):
    store = S3Store(connect(minio.spec), StoreSpec(uri=f"s3://{bucket}/p", **options))
    store.put_if_absent("key", data)
    found = client_of(minio).head_object(Bucket=bucket, Key="p/key")
    key = found.get("SSEKMSKeyId")

    assert data == store.get("key", max_bytes=LARGEST)
    assert answer == (found["ServerSideEncryption"], key and key.rpartition(":")[2])


def test_unknown_key_is_the_operators(minio, bucket, rights):
    options = {"encryption": "aws:kms", "kms_key_id": "nobody"}
    store = S3Store(connect(minio.spec), StoreSpec(uri=f"s3://{bucket}/p", **options))

    with pytest.raises(ConfigurationError, match="rejected the KMS key"):
        store.put_if_absent("key", b"x")


@pytest.mark.parametrize("checksums", ["when_required", "when_supported"])
@pytest.mark.parametrize("data", [b"", SMALL, LARGE], ids=["empty", "small", "large"])
def test_either_checksum_mode_works(minio, bucket, rights, checksums, data):
    spec = minio.spec.model_copy(update={"checksums": checksums})
    store = S3Store(connect(spec), StoreSpec(uri=f"s3://{bucket}/p"))

    assert store.put_if_absent("key", data)
    assert data == store.get("key", max_bytes=LARGEST)
