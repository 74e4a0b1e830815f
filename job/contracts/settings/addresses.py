"""Validation of the addresses of tables, suites and stores."""

import re
from typing import Final
from urllib.parse import urlparse

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


def require_readable(uri: str) -> str:
    """Return the address of a table, a suite or a store; raise if the job cannot read it.

    Raises
    ------
    ValueError
        It is neither a path nor a file:// or s3:// URI, or it contains a user or a password.
    """
    match = _SCHEME.match(uri)
    if uri.lower().startswith("s3:") and not uri.startswith("s3://"):
        raise ValueError("not an s3:// URI; write s3://bucket/prefix, in small letters")
    if match and match[1].lower() not in ("file", "s3"):
        raise ValueError(
            f"URIs of scheme '{match[1]}' are not read; give a path, a file:// or an s3:// URI"
        )
    return reject_credentials(uri)


def reject_credentials(uri: str) -> str:
    """Return the URI; raise `ValueError` if it contains a user or a password."""
    if "://" in uri and "@" in urlparse(uri).netloc:
        raise ValueError(
            "credentials do not belong in an address; give them by environment or profile"
        )
    return uri
