"""Trace the rows of a run: digest them, and count how many groups changed since earlier versions.

How it works
------------
1. The keys that the champion and the anchor need must be there.
2. The rows of both sides of the split are digested with the current key (`job.stages.lineage`).
3. The table is compared with the tables of all versions that consumers can read.  A version whose
   table differs by a few groups only would tell about them, so the run is held back.
4. A table that equals that of a readable version tells nothing new, whatever the others are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import structlog

from job.contracts.lineage_key import LineageKey
from job.contracts.messages import pluralize
from job.contracts.ports import ArtifactStore
from job.contracts.reports.gate import Criterion
from job.contracts.version_files import METADATA_FILE
from job.pipeline.run_context import RunContext
from job.registry.champion import list_compared
from job.registry.channels import read_channel
from job.registry.lineage_files import lineage_key
from job.registry.lineage_keys import LineageKeys
from job.registry.read_version import parse_metadata, read_files
from job.registry.readable import list_readable
from job.stages.lineage.changes import count_changed_groups
from job.stages.lineage.lineage_file import Lineage, trace_rows
from job.stages.split.split import DataSplit

log = structlog.get_logger(__name__)
_OVERRIDE: Final = "accept one promotion with `pcc-job run --override REASON`"
_OTHER_ANCHOR: Final = "use another gate.anchor"


@dataclass(frozen=True, slots=True, kw_only=True)
class FewChanges:
    """The readable version whose table is most similar, and the number of groups that changed."""

    version: str
    n_groups: int
    min_groups: int

    @property
    def reason(self) -> str:
        """The numbers and the setting as one sentence."""
        return (
            f"{pluralize(self.n_groups, 'group')} changed since the table of {self.version}, "
            f"minimum {self.min_groups} (publish.min_changed_groups)"
        )

    def to_criterion(self) -> Criterion:
        """Return the unmet criterion that an operator overrides."""
        return Criterion(
            name="changed_groups",
            value=self.n_groups,
            threshold=self.min_groups,
            is_met=False,
            is_binding=True,
            reason=self.reason,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The lineage of a run's rows, its key, and the changes that are too few to publish.

    `few_changes` is None if enough groups changed, or none.
    """

    key: LineageKey
    lineage: Lineage
    few_changes: FewChanges | None


def trace_table(context: RunContext, split: DataSplit, *, is_claimed: bool) -> Trace:
    """Digest the rows, and count how many groups changed since the versions that can be read.

    Parameters
    ----------
    is_claimed
        Whether an earlier attempt of this run has claimed a version; its changes are not counted.

    Raises
    ------
    ConfigurationError
        The key that the champion's or the anchor's digests need is missing, and the run has no
        `--override`.
    """
    plan, keys = context.plan, context.keys
    if plan.override is None:
        _require_keys(context)
    if not plan.is_dry_run:
        keys.create_if_none()
    lineage = trace_rows(split.train, split.test, keys.current)
    has_minimum = plan.settings.publish.min_changed_groups > 1
    few = _find_few_changes(context, split, lineage) if has_minimum and not is_claimed else None
    return Trace(key=keys.current, lineage=lineage, few_changes=few)


def warn_of_few_changes(few: FewChanges, *, is_dry_run: bool) -> None:
    """Log why the run is held back, or why it would be without `--dry-run`."""
    log.warning(
        "would_be_held_back" if is_dry_run else "held_back",
        reason=few.reason,
        advice="wait until more groups have changed, or publish with `pcc-job run --override "
        "REASON`",
    )


def _require_keys(context: RunContext) -> None:
    """Raise `ConfigurationError` if the key of the champion or of the anchor is missing."""
    s, store = context.settings, context.ports.store
    champion = None if s.publish.channel is None else read_channel(store, s.publish.channel)[0]
    for version in list_compared(store, s.publish.channel, s.gate.anchor):
        is_named = s.gate.anchor is not None and version != champion
        raw = read_files(store, version, (METADATA_FILE,))[METADATA_FILE]
        published = parse_metadata(version, raw).lineage
        if published is not None:
            otherwise = _OTHER_ANCHOR if is_named else _OVERRIDE
            context.keys.require(version, published.key_id, otherwise=otherwise)


def _find_few_changes(context: RunContext, split: DataSplit, lineage: Lineage) -> FewChanges | None:
    """Return the fewest changes since a readable version, if they are too few to publish."""
    s, store = context.settings, context.ports.store
    minimum = s.publish.min_changed_groups
    traced = {lineage.key_id: lineage}
    unknown: list[str] = []
    fewest: FewChanges | None = None
    for version, before in _read_lineages(store, list_readable(store, s.gate.anchor)):
        after = None if before is None else _trace(traced, split, context.keys, before.key_id)
        if before is None or after is None:
            unknown.append(version)
            continue
        n_groups = count_changed_groups(before, after)
        if fewest is None or n_groups < fewest.n_groups:
            fewest = FewChanges(version=version, n_groups=n_groups, min_groups=minimum)
    if unknown:
        log.warning("changes_not_counted", n_versions=len(unknown), newest=max(unknown))
    if fewest is None:
        return None
    log.info("changes_counted", version=fewest.version, n_changed_groups=fewest.n_groups)
    return fewest if 0 < fewest.n_groups < minimum else None


def _read_lineages(
    store: ArtifactStore, versions: list[str]
) -> Iterator[tuple[str, Lineage | None]]:
    """Yield each version with its lineage; None if it has no lineage file, or a damaged one."""
    for version in versions:
        data = store.get(lineage_key(version))
        try:
            yield version, None if data is None else Lineage.from_bytes(data)
        except ValueError:
            yield version, None


def _trace(
    traced: dict[str, Lineage], split: DataSplit, keys: LineageKeys, key_id: str
) -> Lineage | None:
    """Return the lineage of the run's rows with the key of this id; None if it is missing."""
    key = keys.find(key_id)
    if key_id not in traced and key is not None:
        traced[key_id] = trace_rows(split.train, split.test, key)
    return traced.get(key_id)
