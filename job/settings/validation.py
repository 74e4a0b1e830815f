"""Validate the merged settings; errors name the invalid keys and where their values come from."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from job.contracts.messages import describe_setting_problem, shorten
from job.contracts.settings.job_settings import JobSettings
from job.errors import ConfigurationError


def validate_settings(content: Mapping[str, object], origins: Mapping[str, str]) -> JobSettings:
    """Return the settings with this content.

    Raises
    ------
    ConfigurationError
        A value is invalid; the message names its key, and where the value comes from.
    """
    try:
        return JobSettings.model_validate(content)
    except ValidationError as error:
        raise _explain(error, origins) from None


def _explain(error: ValidationError, origins: Mapping[str, str]) -> ConfigurationError:
    """Return an error with the invalid keys and the reasons, but without secret values."""
    lines = []
    problems = error.errors(include_url=False)
    refused = {problem["loc"][:-1] for problem in problems}
    for problem in problems:
        if problem["type"] == "too_short" and problem["loc"] in refused:
            continue  # only because an item of the list was refused
        key = ".".join(shorten(str(part)) for part in problem["loc"])
        reason = describe_setting_problem(problem)
        if not key:  # sections contradict each other; the reason names the keys
            lines.append(reason)
            continue
        related = (o for k, o in origins.items() if key.startswith(k) or k.startswith(f"{key}."))
        lines.append(f"{key} (from {next(related, 'the settings')}): {reason}")
    return ConfigurationError(
        "; ".join(sorted(lines)[:10]), hint="`pcc-job config schema` lists types and ranges"
    )
