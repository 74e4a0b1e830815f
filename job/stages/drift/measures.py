"""Hold a table against what was kept of the champion's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.stats import norm

from job.contracts.drift import DriftMeasure, DriftReport
from job.contracts.drift_specs import DriftSpec
from job.contracts.profile import Numbers, Profile, Values
from job.stages.drift.directions import axes_distance, mean_shift
from job.stages.drift.observed import CLASSES, ObservedTable
from job.stages.drift.profile import KeptTable
from job.stages.drift.shares import (
    SURE,
    Shares,
    count_again,
    list_names,
    read_shares,
    shannon_distance,
    stability_index,
)

Array = np.ndarray[Any, Any]
_WORDS, _EMBEDDINGS = "words", "embeddings"


def measure_drift(
    table: ObservedTable, before: KeptTable, champion: str, spec: DriftSpec
) -> DriftReport:
    """Measure what both have; the values and bins are those that were kept."""
    old = before.profile
    measures: list[DriftMeasure] = []
    angles: tuple[float, ...] = ()
    compared = {s for s, kept in old.parts.items() if _is_alike(kept, table.cells.get(s))}
    subjects = {*old.parts, *table.cells}
    for subject in sorted(compared):
        kept = old.parts[subject]
        then, now = read_shares(kept), count_again(kept, table.cells[subject], table.units)
        measures += _distances(subject, then, now, spec)
        if subject == CLASSES and isinstance(kept, Values):
            measures += _class_shares(list_names(kept), then, now, spec)
    if old.words or table.words:
        subjects.add(_WORDS)
        if old.words and table.words and old.words.is_masked == table.words.is_masked:
            compared.add(_WORDS)
            measures.append(_unseen(table, before, spec))
    if old.embeddings or table.directions:
        subjects.add(_EMBEDDINGS)
        if _has_same_axes(old, table):
            compared.add(_EMBEDDINGS)
            turned, angles = _turned(old, table, spec)
            measures += turned
    return DriftReport(
        champion=champion,
        n_rows=len(table.keys),
        n_units=len(np.unique(table.units)),
        n_rows_before=old.n_rows,
        n_units_before=old.n_units,
        measures=tuple(measures),
        not_compared=tuple(sorted(subjects - compared)),
        principal_angles=angles,
    )


def _is_alike(kept: Values | Numbers, cells: Array | None) -> bool:
    return cells is not None and isinstance(kept, Numbers) == (cells.dtype.kind == "f")


def _distances(
    subject: str, before: Shares, after: Shares, spec: DriftSpec
) -> Iterator[DriftMeasure]:
    index, by_chance = stability_index(before, after)
    yield DriftMeasure(
        subject=subject, measure="psi", value=index, by_chance=by_chance, threshold=spec.psi
    )
    distance = shannon_distance(before, after)
    yield DriftMeasure(subject=subject, measure="jensen_shannon", value=distance)
    old, new = (float(some.shares[-1]) for some in (before, after))
    if old or new:
        yield DriftMeasure(
            subject=subject, measure="missing", value=new - old, before=old, after=new
        )


def _class_shares(
    names: list[str], before: Shares, after: Shares, spec: DriftSpec
) -> Iterator[DriftMeasure]:
    """Give the change of each share; chance makes it by the normal approximation."""
    n, m = before.effective_rows, after.effective_rows
    subjects = [*(f"class {name}" for name in names), "other classes"]
    for subject, old, new in zip(
        subjects, before.shares.tolist(), after.shares.tolist(), strict=False
    ):
        share = (old * n + new * m) / (n + m)
        error = np.sqrt(share * (1 - share) * (1 / n + 1 / m))
        if old or new:
            yield DriftMeasure(
                subject=subject,
                measure="class_share",
                value=abs(new - old),
                by_chance=float(norm.ppf((1 + SURE) / 2) * error),
                threshold=spec.class_share,
                before=old,
                after=new,
            )


def _unseen(table: ObservedTable, before: KeptTable, spec: DriftSpec) -> DriftMeasure:
    assert table.words is not None and before.profile.words is not None
    old = before.profile.words
    share, by_chance = table.words.unseen(old, before.vocabulary)
    return DriftMeasure(
        subject=_WORDS,
        measure="unseen_words",
        value=share - old.unseen_share,
        by_chance=by_chance,
        threshold=spec.unseen_words,
        before=old.unseen_share,
        after=share,
    )


def _has_same_axes(old: Profile, table: ObservedTable) -> bool:
    """Say whether both embeddings are of one model, and of one width."""
    if old.embeddings is None or table.directions is None:
        return False
    is_same = old.embedding_model == table.embedding_model
    return is_same and len(old.embeddings.mean) == len(table.directions.mean)


def _turned(
    old: Profile, table: ObservedTable, spec: DriftSpec
) -> tuple[list[DriftMeasure], tuple[float, ...]]:
    assert old.embeddings is not None and table.directions is not None
    shift, shift_by_chance = mean_shift(old.embeddings, table.directions)
    distance, angles = axes_distance(np.array(old.embeddings.axes), np.array(table.directions.axes))
    by_chance = max(old.embeddings.distance_by_chance, table.directions.distance_by_chance)
    return [
        DriftMeasure(
            subject=_EMBEDDINGS,
            measure="mean_shift",
            value=shift,
            by_chance=shift_by_chance,
            threshold=spec.mean_shift,
        ),
        DriftMeasure(
            subject=_EMBEDDINGS,
            measure="axes",
            value=distance,
            by_chance=by_chance,
            threshold=spec.axes,
        ),
    ], angles
