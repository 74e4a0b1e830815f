"""Refuse a table whose columns would change the suite or the features of a channel unasked.

An unattended run trains on whatever table is there.  If an export loses columns, a suite that
follows from the columns could become weaker, and features that follow from them could change the
input that the consumer has to send.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from job.contracts.messages import quote_list
from job.errors import ConfigurationError
from job.pipeline.run_context import RunContext
from job.registry.channels import read_channel
from job.registry.read_version import read_metadata

_KEYS: Final = ("expectations.suite", "features.use")


def require_contract_of_champion(context: RunContext) -> None:
    """Raise if suite or features follow from the table and differ from those of the champion.

    Raises
    ------
    ConfigurationError
        The suite or the features differ; the hint has the settings that state them.
    """
    store, channel = context.ports.store, context.settings.publish.channel
    if channel is None or context.plan.followed.isdisjoint(_KEYS):
        return
    version, _ = read_channel(store, channel)
    if version is None:
        return
    theirs = _find_values(read_metadata(store, version).settings)
    ours = _find_values(context.settings.model_dump(mode="json"))
    changed = [key for key in _KEYS if key in theirs and theirs[key] != ours[key]]
    if changed:
        raise ConfigurationError(
            f"the columns of the table lead to another value of {quote_list(changed)} than that of "
            f"the champion {version}",
            hint="is the export complete? to change them on purpose, state them: "
            + " ".join(f"--set '{key}={_format(ours[key])}'" for key in _KEYS),
        )


def _find_values(settings: Mapping[str, object]) -> dict[str, object]:
    """Return the values of the compared settings; a release may lack one."""
    values = {}
    for key in _KEYS:
        section, _, name = key.partition(".")
        content = settings.get(section)
        if isinstance(content, Mapping) and name in content:
            values[key] = content[name]
    return values


def _format(value: object) -> str:
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)
