"""Hold a table against what was kept of the champion's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from scipy.stats import norm

from job.contracts.reports.drift import DriftMeasure, DriftReport
from job.contracts.reports.profile import Numbers, Profile, Values
from job.contracts.settings.drift import DriftSpec
from job.stages.drift.histograms import (
    CONFIDENCE,
    Shares,
    count_again,
    read_shares,
    shannon_distance,
    stability_index,
)
from job.stages.drift.principal_axes import lost_variance, mean_shift, principal_angles
from job.stages.drift.profile import TableProfile
from job.stages.drift.snapshot import CLASSES, EMBEDDINGS, WORDS, TableSnapshot

Array = np.ndarray[Any, Any]
_Z: Final = float(norm.ppf((1 + CONFIDENCE) / 2))


def measure_drift(
    table: TableSnapshot, kept: TableProfile, now: TableProfile, champion: str, spec: DriftSpec
) -> DriftReport:
    """Measure what both have; the values and bins are those that were kept.

    Parameters
    ----------
    kept, now
        What was kept of the champion's table, and what is of this one.
    """
    old, new = kept.profile, now.profile
    measures: list[DriftMeasure] = []
    compared = {s for s, part in old.parts.items() if _is_alike(part, table.cells.get(s))}
    for subject in sorted(compared):
        part = old.parts[subject]
        then, again = read_shares(part), count_again(part, table.cells[subject], table.clusters)
        measures += _distances(subject, then, again, spec)
        if subject == CLASSES and isinstance(part, Values):
            measures += _class_shares(list(part.shares), then, again, spec)
    if old.words and new.words and old.words.is_masked == new.words.is_masked:
        compared.add(WORDS)
        measures.append(_unseen(table, kept, spec))
    angles: tuple[float, ...] = ()
    if old.embeddings and new.embeddings and _has_same_axes(old, new):
        compared.add(EMBEDDINGS)
        measures += _turned(old, table, spec)
        angles = principal_angles(old.embeddings, new.embeddings)
    before, after = _list_subjects(old), _list_subjects(new)
    return DriftReport(
        champion=champion,
        n_rows=new.n_rows,
        n_units=new.n_units,
        n_rows_before=old.n_rows,
        n_units_before=old.n_units,
        measures=tuple(measures),
        lost=tuple(sorted(before - compared)),
        not_compared=tuple(sorted((after | {*old.parts, *table.cells}) - before - compared)),
        principal_angles=angles,
    )


def _list_subjects(profile: Profile) -> set[str]:
    """Name what a profile lets be compared."""
    found = {subject for subject, part in profile.parts.items() if _has_bins(part)}
    found |= {WORDS} if profile.words else set()
    return found | ({EMBEDDINGS} if profile.embeddings else set())


def _has_bins(part: Values | Numbers) -> bool:
    return bool(part.edges) if isinstance(part, Numbers) else bool(part.shares)


def _is_alike(part: Values | Numbers, cells: Array | None) -> bool:
    is_kind = cells is not None and isinstance(part, Numbers) == (cells.dtype.kind == "f")
    return is_kind and _has_bins(part)


def _has_same_axes(old: Profile, new: Profile) -> bool:
    """Return whether both embeddings are of one model, and of one width."""
    if old.embeddings is None or new.embeddings is None:
        return False
    both = old.embeddings, new.embeddings
    shapes = {(len(some.mean), len(some.axes)) for some in both}
    return old.embedding_model == new.embedding_model and len(shapes) == 1


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
    """Return the change of each share; chance makes it by the normal approximation."""
    errors = np.hypot(before.errors, after.errors)
    numbers = zip(names, before.shares, after.shares, errors, strict=False)
    for name, old, new, error in numbers:
        yield DriftMeasure(
            subject=f"class {name}",
            measure="class_share",
            value=abs(float(new - old)),
            by_chance=_Z * float(error),
            threshold=spec.class_share,
            before=float(old),
            after=float(new),
        )


def _unseen(table: TableSnapshot, kept: TableProfile, spec: DriftSpec) -> DriftMeasure:
    assert table.words is not None and kept.profile.words is not None
    old = kept.profile.words
    share, by_chance = table.words.unseen(old, kept.vocabulary)
    return DriftMeasure(
        subject=WORDS,
        measure="unseen_words",
        value=share - old.unseen_share,
        by_chance=by_chance,
        threshold=spec.unseen_words,
        before=old.unseen_share,
        after=share,
    )


def _turned(old: Profile, table: TableSnapshot, spec: DriftSpec) -> Iterator[DriftMeasure]:
    assert old.embeddings is not None and table.means is not None
    shift, by_chance = mean_shift(old.embeddings, table.means)
    yield DriftMeasure(
        subject=EMBEDDINGS,
        measure="mean_shift",
        value=shift,
        by_chance=by_chance,
        threshold=spec.mean_shift,
    )
    captured, lost, by_chance = lost_variance(old.embeddings, table.means)
    yield DriftMeasure(
        subject=EMBEDDINGS,
        measure="lost_variance",
        value=lost,
        by_chance=by_chance,
        threshold=spec.lost_variance,
        before=old.embeddings.captured,
        after=captured,
    )
