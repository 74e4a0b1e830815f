"""Parse a stored JSON file, or raise an error that names the unreadable key."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import ValidationError

from job.contracts.messages import describe_problem
from job.contracts.reports.published_file import PublishedFile
from job.contracts.strict_json import parse_json
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
        The bytes are not JSON, or a key that this release needs is missing or has another type.
    """
    try:
        return form.parse(raw)
    except ValidationError as error:
        [problem, *_] = error.errors(include_url=False, include_input=False)
        raise _unreadable(name, describe_problem(problem)) from None
    except ValueError as error:
        raise _unreadable(name, str(error)) from None


def parse_object(name: str, raw: bytes) -> dict[str, Any]:
    """Return the JSON object in a stored file that any release may have written.

    Parameters
    ----------
    name
        Key of the file in the store, for the error message.

    Raises
    ------
    IntegrityError
        The bytes are not a JSON object.
    """
    try:
        content = parse_json(raw)
    except ValueError as error:
        raise _unreadable(name, str(error)) from None
    if not isinstance(content, dict):
        raise _unreadable(name, "it is not a JSON object")
    return content


def _unreadable(name: str, problem: str) -> IntegrityError:
    return IntegrityError(
        f"this release cannot read {name}: {problem}",
        hint="use the release of pcc-job that published the version, or a later one",
    )
