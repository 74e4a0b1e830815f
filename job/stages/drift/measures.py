"""Measure the drift of a table from the stored profile of the champion's table.

How it works
------------
1. Subjects (classes, columns and text lengths): count the rows of the table in each value or bin of
   the profile.  Then compute the stability index, the Jensen-Shannon distance and the change of the
   missing share.
2. Classes: also compute the change of each class's share.
3. Words: compute the increase in the share of unseen words.
4. Embeddings: compute the shift of the mean, and the variance lost along the old principal axes.
5. A measure counts as drift if it exceeds both its threshold and its null quantile: the 99.9%
   quantile of the measure for tables of these sizes without drift.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from scipy.stats import norm

from job.contracts.arrays import Array
from job.contracts.reports.drift import DriftMeasure, DriftReport
from job.contracts.reports.profile import Numbers, Profile, Values
from job.contracts.settings.drift import DriftSpec
from job.stages.drift.histograms import (
    CONFIDENCE,
    Shares,
    count_shares,
    jensen_shannon_distance,
    read_shares,
    stability_index,
)
from job.stages.drift.principal_axes import lost_variance, mean_shift
from job.stages.drift.profile import TableProfile
from job.stages.drift.snapshot import CLASSES, EMBEDDINGS, WORDS, TableSnapshot

_Z: Final = float(norm.ppf((1 + CONFIDENCE) / 2))


def measure_drift(
    table: TableSnapshot,
    champion_profile: TableProfile,
    new_profile: TableProfile,
    champion: str,
    spec: DriftSpec,
) -> DriftReport:
    """Measure the drift of all classes, columns, texts and embeddings that both tables have.

    Parameters
    ----------
    table, new_profile
        Snapshot and profile of the same, new table.
    champion_profile
        Profile of the champion's table, whose values and bins are used to count the new table.
    champion
        Version of the champion, for the report.
    """
    old, new = champion_profile.profile, new_profile.profile
    compared = {s for s, part in old.parts.items() if _is_comparable(part, table.cells.get(s))}
    measures: list[DriftMeasure] = []
    for s in sorted(compared):
        measures += _measure_subject(s, old.parts[s], table, spec)
    if old.words and new.words:
        compared.add(WORDS)
        measures.append(_measure_unseen_words(table, champion_profile, spec))
    if old.embeddings and new.embeddings and _are_embeddings_comparable(old, new):
        compared.add(EMBEDDINGS)
        measures += _measure_embeddings(old, table, spec)
    olds, news = _list_subjects(old), {*_list_subjects(new), *old.parts, *table.cells}
    return DriftReport(
        champion=champion,
        n_rows=new.n_rows,
        n_groups=new.n_groups,
        n_rows_before=old.n_rows,
        n_groups_before=old.n_groups,
        measures=tuple(measures),
        missing_subjects=tuple(sorted(olds - compared)),
        not_compared=tuple(sorted(news - olds - compared)),
    )


def _list_subjects(profile: Profile) -> set[str]:
    """Return the subjects for which the profile has values or bins to compare with."""
    subjects = {subject for subject, part in profile.parts.items() if _has_bins(part)}
    subjects |= {WORDS} if profile.words else set()
    return subjects | ({EMBEDDINGS} if profile.embeddings else set())


def _has_bins(part: Values | Numbers) -> bool:
    return bool(part.edges) if isinstance(part, Numbers) else bool(part.shares)


def _is_comparable(part: Values | Numbers, cells: Array | None) -> bool:
    """Return whether `part` has values or bins in which `cells` of this type can be counted."""
    is_same_kind = cells is not None and isinstance(part, Numbers) == (cells.dtype.kind == "f")
    return is_same_kind and _has_bins(part)


def _are_embeddings_comparable(old: Profile, new: Profile) -> bool:
    """Return whether both tables' embeddings come from the same model and have the same width."""
    if old.embeddings is None or new.embeddings is None:
        return False
    both = old.embeddings, new.embeddings
    shapes = {(len(axes.mean), len(axes.axes)) for axes in both}
    return old.embedding_model == new.embedding_model and len(shapes) == 1


def _measure_subject(
    subject: str, part: Values | Numbers, table: TableSnapshot, spec: DriftSpec
) -> list[DriftMeasure]:
    """Compare the shares of a subject's values or bins with the shares in the champion's table.

    `subject` is a column, the classes or the text lengths.
    """
    before = read_shares(part)
    after = count_shares(part, table.cells[subject], table.clusters)
    measures = [*_measure_histogram(subject, before, after, spec)]
    if subject == CLASSES and isinstance(part, Values):
        measures += _measure_class_shares(list(part.shares), before, after, spec)
    return measures


def _measure_histogram(
    subject: str, before: Shares, after: Shares, spec: DriftSpec
) -> Iterator[DriftMeasure]:
    index, null_quantile = stability_index(before, after)
    yield DriftMeasure(
        subject=subject, measure="psi", value=index, null_quantile=null_quantile, threshold=spec.psi
    )
    distance = jensen_shannon_distance(before, after)
    yield DriftMeasure(subject=subject, measure="jensen_shannon", value=distance)
    old, new = (float(histogram.shares[-1]) for histogram in (before, after))
    if old or new:
        yield DriftMeasure(
            subject=subject, measure="missing", value=new - old, before=old, after=new
        )


def _measure_class_shares(
    names: list[str], before: Shares, after: Shares, spec: DriftSpec
) -> Iterator[DriftMeasure]:
    """Return the change of each class's share, and its 99.9% quantile without drift."""
    errors = np.hypot(before.errors, after.errors)
    changes = zip(names, before.shares, after.shares, errors, strict=False)
    for name, old, new, error in changes:
        yield DriftMeasure(
            subject=f"class {name}",
            measure="class_share",
            value=abs(float(new - old)),
            null_quantile=_Z * float(error),
            threshold=spec.class_share,
            before=float(old),
            after=float(new),
        )


def _measure_unseen_words(
    table: TableSnapshot, champion_profile: TableProfile, spec: DriftSpec
) -> DriftMeasure:
    assert table.words is not None and champion_profile.profile.words is not None
    old = champion_profile.profile.words
    share, null_quantile = table.words.unseen_share(
        old, champion_profile.vocabulary, champion_profile.key
    )
    return DriftMeasure(
        subject=WORDS,
        measure="unseen_words",
        value=share - old.unseen_share,
        null_quantile=null_quantile,
        threshold=spec.unseen_words,
        before=old.unseen_share,
        after=share,
    )


def _measure_embeddings(
    old: Profile, table: TableSnapshot, spec: DriftSpec
) -> Iterator[DriftMeasure]:
    assert old.embeddings is not None and table.group_means is not None
    shift, null_quantile = mean_shift(old.embeddings, table.group_means)
    yield DriftMeasure(
        subject=EMBEDDINGS,
        measure="mean_shift",
        value=shift,
        null_quantile=null_quantile,
        threshold=spec.mean_shift,
    )
    explained, lost, null_quantile = lost_variance(old.embeddings, table.group_means)
    yield DriftMeasure(
        subject=EMBEDDINGS,
        measure="lost_variance",
        value=lost,
        null_quantile=null_quantile,
        threshold=spec.lost_variance,
        before=old.embeddings.explained_variance_ratio,
        after=explained,
    )
