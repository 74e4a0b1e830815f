"""Paths, file:// and s3:// URIs are read; any other scheme is rejected by name."""

import pytest

from job.contracts.settings.addresses import require_readable


@pytest.mark.parametrize(
    "uri", ["models", "/data/a://b", "file:///data/t.csv", "FILE:///t.csv", "s3://bucket/t.csv"]
)
def test_path_file_and_s3_are_read(uri):
    """The address is kept as given; `://` within a path is not a scheme."""
    assert uri == require_readable(uri)


@pytest.mark.parametrize("uri", ["gs://b/x", "az://c/x", "HTTP://h/x", "abfss://c@h/x", "s3a://b"])
def test_other_scheme_is_refused_by_name(uri):
    """The message repeats the scheme, not the address."""
    with pytest.raises(ValueError, match=f"unsupported URI scheme '{uri.split(':')[0]}'") as error:
        require_readable(uri)

    assert uri not in str(error.value)


@pytest.mark.parametrize("uri", ["s3:/bucket/x", "S3://bucket/x", "s3:bucket"])
def test_what_only_looks_like_s3_is_refused(uri):
    """It would be taken for a folder."""
    with pytest.raises(ValueError, match="write s3://bucket/prefix"):
        require_readable(uri)


@pytest.mark.parametrize("uri", ["s3://key:secret@bucket/x", "file://user@host/x"])
def test_credentials_are_refused(uri):
    """They would be in every record of a run."""
    with pytest.raises(ValueError, match="must not contain credentials") as error:
        require_readable(uri)

    assert "secret" not in str(error.value)
