"""Validate the addresses of tables, suites and stores."""

import re
from collections.abc import Collection
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlparse

from job.contracts.messages import quote

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_FILE_SCHEMES: Final = ("file", "s3")
# `job.cli.composition` opens a store by its scheme
STORE_SCHEMES: Final = ("file", "s3")


def uri_scheme(uri: str) -> str:
    """Return the scheme of an address in lowercase; the scheme of a path is `file`."""
    match = _SCHEME.match(uri)
    return match[1].lower() if match else "file"


def require_readable(uri: str, schemes: Collection[str] = _FILE_SCHEMES) -> str:
    """Return an address of a table, suite or store unchanged; raise if the job cannot read it.

    Raises
    ------
    ValueError
        The address is neither a path nor a URI with one of the schemes, or it contains a user, a
        password or a NUL character.
    """
    match = _SCHEME.match(uri)
    if uri.lower().startswith("s3:") and not uri.startswith("s3://"):
        raise ValueError("not a valid s3:// URI; write s3://bucket/prefix, with `s3` in lowercase")
    if match and uri_scheme(uri) not in schemes:
        known = " or ".join(f"{scheme}://" for scheme in schemes)
        raise ValueError(
            f"unsupported URI scheme {quote(match[1])}; expected a path, or a URI that starts with "
            f"{known}"
        )
    if uri_scheme(uri) == "file" and "\0" in str(local_path(uri)):
        raise ValueError("a path must not contain a NUL character")
    return reject_credentials(uri)


def local_path(uri: str) -> Path:
    """Return the path that a path or a file:// URI names."""
    return Path(unquote(urlparse(uri).path) if uri.lower().startswith("file:") else uri)


def reject_credentials(uri: str) -> str:
    """Return the URI unchanged; raise `ValueError` if it contains a user or a password."""
    if "://" in uri and "@" in urlparse(uri).netloc:
        raise ValueError(
            "an address must not contain credentials; set them in the environment or in an AWS "
            "profile"
        )
    return uri
