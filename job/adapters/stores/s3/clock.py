"""The store's clock: the time that its answers state."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from job.errors import ConfigurationError


def read_date(answer: Mapping[str, Any], where: str) -> datetime:
    """Return the time in the header `Date` of an answer, rounded up to a second.

    Parameters
    ----------
    where
        Name of the store in the error message.

    Raises
    ------
    ConfigurationError
        The answer has no such header.
    """
    try:
        date = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"].get("date", ""))
    except ValueError:
        raise ConfigurationError(
            f"{where} does not state its time (the header Date)",
            hint="check the proxies in front of the store: one may drop the header",
        ) from None
    # NOTE: the header has whole seconds, so it can be earlier than what was just written
    return date.astimezone(UTC) + timedelta(seconds=1)
