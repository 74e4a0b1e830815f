"""Split the table into training and test rows, without leakage.

`add_optimism` measures by how much a random split of rows would overestimate the accuracy.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import structlog

from job.contracts.arrays import Array
from job.contracts.plan import Plan
from job.errors import ConfigurationError
from job.pipeline.intake import Tables, find_near_duplicates
from job.pipeline.run_context import RunContext
from job.stages.split.challenge_halves import (
    MIN_CHOOSING_ROWS,
    make_challenge_set,
    warn_about_small_challenge_set,
)
from job.stages.split.challenge_near_duplicates import drop_near_challenge
from job.stages.split.class_names import pool_unnamed_classes
from job.stages.split.optimism import measure_optimism
from job.stages.split.split import DataSplit, SplitRules, split_dataset

log = structlog.get_logger(__name__)
_MAX_NEAR_SHARE: Final = 0.05  # of the table's rows


def split_tables(context: RunContext, tables: Tables) -> DataSplit:
    """Group near-duplicates, then hold out test rows or use the official test table."""
    plan, s = context.plan, context.settings
    tables, kind = find_near_duplicates(context, tables)
    if tables.is_near_challenge is not None:
        _warn_of_near_rows(tables.is_near_challenge)
    split = split_dataset(
        drop_near_challenge(tables.rows, tables.is_near_challenge),
        tables.official_test,
        SplitRules.of(s, plan.labels),
        near_duplicates=kind,
    )
    split = _add_challenge(plan, tables, split)
    log.info(
        "dataset_split",
        n_train=split.report.n_train,
        n_test=split.report.n_test,
        n_dropped_leaking=split.report.n_dropped_leaking,
        n_dropped_challenge=split.report.n_dropped_challenge,
        n_near_duplicates=split.report.near_duplicates.n_near_duplicates,
        n_large_groups=split.report.n_large_groups,
    )
    difference = split.report.class_share_difference
    if tables.official_test is None and difference > s.drift.class_share:
        log.warning(
            "class_shares_differ",
            largest_difference=round(difference, 4),
            drift_class_share=s.drift.class_share,
        )
    return split


def _warn_of_near_rows(is_near: Array) -> None:
    """Log a warning if many rows are left out as near-duplicates of the challenge set."""
    share = float(is_near.mean())
    if share > _MAX_NEAR_SHARE:
        log.warning("challenge_set_near_table", n_dropped=int(is_near.sum()), share=round(share, 4))


def _add_challenge(plan: Plan, tables: Tables, split: DataSplit) -> DataSplit:
    """Return a copy of the split with the challenge set.

    The report of the copy also says how many rows of the table were left out because they are
    near-duplicates of the set.
    """
    requests, is_near = tables.challenge, tables.is_near_challenge
    if requests is None or is_near is None:
        return split
    s, n_dropped = plan.settings, int(is_near.sum())
    requests = pool_unnamed_classes(requests, {*split.kept.y, *(plan.labels or ())})
    warn_about_small_challenge_set(requests, tables.rows.y)
    challenge = make_challenge_set(requests, s.evaluation.challenge_split, s.split.salt, n_dropped)
    n_choosing = len(challenge.choosing)
    if s.search.choose_on == "challenge" and n_choosing < MIN_CHOOSING_ROWS:
        raise ConfigurationError(
            f"search.choose_on=challenge needs at least {MIN_CHOOSING_ROWS} requests to choose "
            f"the candidate on; found {n_choosing}",
            hint="add requests, or use --set search.choose_on=table",
        )
    return replace(
        split,
        table=tables.rows,
        challenge=challenge,
        report=split.report.copy_with(n_dropped_challenge=n_dropped),
    )


def add_optimism(context: RunContext, split: DataSplit) -> DataSplit:
    """Return a copy of the split whose report says how much a random split would raise scores."""
    spec, ports = context.settings.training, context.ports
    optimism = measure_optimism(split.table, spec, ports.matrices, ports.executor)
    return replace(split, report=split.report.copy_with(optimism=optimism))
