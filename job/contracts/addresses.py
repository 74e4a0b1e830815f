"""Addresses, as settings hold them: never with credentials."""

from urllib.parse import urlparse


def without_credentials(uri: str) -> str:
    """Give the URI back; raises ValueError where it carries a user or a password."""
    if "://" in uri and "@" in urlparse(uri).netloc:
        raise ValueError(
            "credentials do not belong in an address; give them by environment or profile"
        )
    return uri
