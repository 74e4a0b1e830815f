"""Parse a stored JSON file, or raise an error that names the unreadable key."""

from __future__ import annotations

from typing import TypeVar

from pydantic import ValidationError

from job.contracts.reports.published_file import PublishedFile
from job.errors import IntegrityError

_File = TypeVar("_File", bound=PublishedFile)


def parse_file(form: type[_File], name: str, raw: bytes) -> _File:
    """Return the content of a published file as an instance of the class `form`.

    Parameters
    ----------
    name
        Key of the file in the store, for the error message.

    Raises
    ------
    IntegrityError
        A key that this release needs is missing or has another type.
    """
    try:
        return form.parse(raw)
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(str(part) for part in problem["loc"])
        raise IntegrityError(
            f"this release cannot read {name}: {key}: {problem['msg']}",
            hint="use the release of pcc-job that published the version, or a later one",
        ) from None
