"""Digests and versions can be parsed again, and versions sort by time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from job.contracts.identity import Digest, ModelVersion, canonical_json

TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


@given(st.binary())
def test_digest_is_read_as_it_is_written(data):
    """parse(str(x)) == x"""
    assert Digest.of(data) == Digest.parse(str(Digest.of(data)))


@given(st.text(min_size=1), TIMES)
def test_version_is_read_as_it_is_written(run_id, started_at):
    """parse(str(x)) == x"""
    version = ModelVersion.of(run_id, started_at)

    assert version == ModelVersion.parse(str(version))


@given(st.text(min_size=1), st.text(min_size=1), TIMES)
def test_versions_sort_by_time(one, other, started_at):
    """Also as text, which is how a listing sorts them."""
    later = started_at + timedelta(seconds=1)

    assert str(ModelVersion.of(one, started_at)) < str(ModelVersion.of(other, later))


def test_two_runs_in_one_second_have_two_versions():
    """The run id tells them apart."""
    now = datetime(2026, 11, 22, 2, tzinfo=UTC)

    assert "v20261122_020000_" == str(ModelVersion.of("a", now))[:17]
    assert ModelVersion.of("a", now) != ModelVersion.of("b", now)


@pytest.mark.parametrize("text", ["", "sha256:", "sha256:" + "A" * 64, "md5:" + "a" * 64])
def test_malformed_digest_is_refused(text):
    """A digest has one form."""
    with pytest.raises(ValueError, match="sha256"):
        Digest.parse(text)


@pytest.mark.parametrize("text", ["latest", "v2026_1_1", "v20261122_020000_XYZ", "../v"])
def test_malformed_version_is_refused(text):
    """A version has one form, and is not a path."""
    with pytest.raises(ValueError, match="version"):
        ModelVersion.parse(text)


def test_json_is_canonical():
    """The order of insertion has no effect, and NaN is not valid JSON."""
    assert canonical_json({"a": 1, "b": 2}) == canonical_json({"b": 2, "a": 1})
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical_json({"a": float("nan")})
