"""Digest the rows of a run, and count how many groups of rows changed since published versions.

How it works
------------
1. The rows of published versions were digested with secret keys.  The keys of the champion and the
   anchor must be present.
2. The training and test rows of this run are digested with the current key (`job.stages.lineage`).
3. The digests show how many groups (rows that a split keeps together) differ between this table and
   the table of each version that consumers can read.  If only a few groups differ, the two models
   together could reveal the rows of these groups, so the run ends here (it is *held back*).
4. If the table equals that of one of these versions, a new model reveals nothing more, and the run
   continues.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

from job.contracts.lineage_key import LineageKey
from job.contracts.messages import pluralize
from job.contracts.ports import ArtifactStore
from job.contracts.reports.gate import Criterion
from job.contracts.store_bounds import MAX_LINEAGE_BYTES
from job.pipeline.intake import Tables
from job.pipeline.run_context import RunContext
from job.registry.champion import list_compared
from job.registry.channels import read_channel
from job.registry.claims import find_claim
from job.registry.lineage_files import lineage_key
from job.registry.lineage_keys import LineageKeys
from job.registry.read_version import read_lineage_entry
from job.registry.readable import list_readable
from job.stages.lineage.changes import count_changed_groups
from job.stages.lineage.lineage_file import Lineage, trace_rows
from job.stages.split.split import DataSplit

log = structlog.get_logger(__name__)
_Trace = Callable[[LineageKey], Lineage]
_OVERRIDE: Final = "promote once without it: `pcc-job run --override REASON`"
_OTHER_ANCHOR: Final = "use another gate.anchor"


@dataclass(frozen=True, slots=True, kw_only=True)
class FewChanges:
    """The published version with the most similar table, and how many groups of rows changed."""

    version: str
    n_groups: int
    min_groups: int

    @property
    def reason(self) -> str:
        """A sentence that says how many groups changed since which version, and the minimum."""
        return (
            f"{pluralize(self.n_groups, 'group')} changed since the table of {self.version}, "
            f"minimum {self.min_groups} (publish.min_changed_groups)"
        )

    def to_criterion(self) -> Criterion:
        """Return an unmet criterion of the gate, for a run that publishes with `--override`."""
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
    """Keyed digests of a run's rows (the lineage), their key, and whether too few groups changed.

    `few_changes` is None if enough groups changed, if none changed, or if none were counted.
    """

    key: LineageKey
    lineage: Lineage
    few_changes: FewChanges | None


def trace_table(context: RunContext, tables: Tables, split: DataSplit) -> Trace:
    """Digest the rows; count the groups that changed since each version that consumers can read.

    If an earlier process of this run has claimed a version, it has passed this check, so changes
    are not counted.

    Raises
    ------
    ConfigurationError
        The secret key of the champion's or the anchor's digests is missing, and the run has no
        `--override`.
    """
    plan, keys = context.plan, context.keys
    if plan.override is None:
        _require_keys(context)
    if not plan.is_dry_run:
        keys.create_if_none()
    sets = [rows for rows in (tables.challenge, tables.out_of_scope) if rows is not None]
    trace = partial(trace_rows, split.train, split.test, sets=sets)
    lineage = trace(keys.current)
    is_checked = (
        plan.settings.publish.min_changed_groups > 1
        and find_claim(context.ports.store, plan.run_id, tables.digests) is None
    )
    few = _find_few_changes(context, trace, lineage) if is_checked else None
    return Trace(key=keys.current, lineage=lineage, few_changes=few)


def warn_of_few_changes(few: FewChanges, *, is_dry_run: bool) -> None:
    """Log why the run is held back, or for a dry run, why it would be without `--dry-run`."""
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
        published = read_lineage_entry(store, version)
        if published is not None:
            otherwise = _OTHER_ANCHOR if is_named else _OVERRIDE
            context.keys.require(version, published.key_id, otherwise=otherwise)


def _find_few_changes(context: RunContext, trace: _Trace, lineage: Lineage) -> FewChanges | None:
    """Return the version with the most similar table if too few groups differ; otherwise None."""
    s, store = context.settings, context.ports.store
    minimum = s.publish.min_changed_groups
    traced = {lineage.key_id: lineage}
    unknown: list[str] = []
    fewest: FewChanges | None = None
    for version, before in _read_lineages(store, list_readable(store, s.gate.anchor)):
        after = None if before is None else _trace_with(before.key_id, trace, traced, context.keys)
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
    """Yield each version with its lineage, or with None if the file is missing or damaged."""
    for version in versions:
        data = store.get(lineage_key(version), max_bytes=MAX_LINEAGE_BYTES)
        try:
            yield version, None if data is None else Lineage.from_bytes(data)
        except ValueError:
            yield version, None


def _trace_with(
    key_id: str, trace: _Trace, traced: dict[str, Lineage], keys: LineageKeys
) -> Lineage | None:
    """Return the lineage of the run's rows, made with the key `key_id`; None without this key."""
    key = keys.find(key_id)
    if key_id not in traced and key is not None:
        traced[key_id] = trace(key)
    return traced.get(key_id)
