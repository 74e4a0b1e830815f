"""Warn of values that only look like values; no value is changed.

How it works
------------
1. `labels_look_alike`: labels that differ only in case, blanks, Unicode form or invisible
   characters.  All spellings but one are counted: the expected one stays out, or the most frequent.
2. `looks_missing`: labels, texts, categories and groups that are words for a missing value, such as
   `NA`.  A label that the settings or the suite list is not counted.
3. `nul_characters`: the same columns with NUL characters, as exports of fixed width have them.

A label is named in the log only if the expected labels know it; otherwise its number among the
sorted labels stands for it (`job.contracts.shown_names`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

import numpy as np
import pandas as pd

from job.contracts.arrays import Strings
from job.contracts.dataset import Dataset
from job.contracts.reports.validation import RuleResult
from job.contracts.settings.features import FeatureSpec
from job.stages.data.look_alikes import describe_difference, find_look_alikes
from job.stages.data.missing_words import find_missing_words, find_nul

_MAX_PAIRS: Final = 5


def check_values(
    dataset: Dataset, features: FeatureSpec, expected: Collection[str]
) -> Iterator[RuleResult]:
    """Yield a warning for each kind of doubtful value of a column in use.

    Parameters
    ----------
    expected
        Labels that the settings or the suite list; empty if they list none.
    """
    for column in dataset.columns:
        values = column.values
        if column.role == "target":
            yield from _check_labels(values, expected)
        elif column.role != "group" and column.role not in features.use:
            continue
        if column.kind != "string":
            continue
        name = column.name if column.role == "categorical" else column.role
        known = expected if column.role == "target" else ()
        n_words = int(find_missing_words(values, known).sum())
        if n_words:
            advice = _advise_on_words(name)
            yield RuleResult.warn("looks_missing", name, len(values), advice, n_broken=n_words)
        n_nul = int(find_nul(values).sum())
        if n_nul:
            advice = "NUL characters stay part of the value: remove them from the export"
            yield RuleResult.warn("nul_characters", name, len(values), advice, n_broken=n_nul)


def _advise_on_words(name: str) -> str:
    noun = {"target": "labels", "text": "texts", "group": "groups"}.get(name, "categories")
    advice = f"words such as NA or null are {noun} here: export missing values as empty cells"
    if name == "target":
        advice += ", or list the label: --set 'expectations.parameters={labels: [A, B]}'"
    return advice


def _check_labels(values: Strings, expected: Collection[str]) -> Iterator[RuleResult]:
    """Yield a warning if labels of the table look like one another, or like an expected label."""
    codes, names = pd.factorize(values)
    n_rows = dict(zip(names, np.bincount(codes[codes >= 0], minlength=len(names)), strict=True))
    pairs, n_broken = [], 0
    for group in find_look_alikes({*names, *expected}):
        doubtful = {name for name in group if name in n_rows and name not in expected}
        if not doubtful:
            continue
        listed = [name for name in group if name in expected]
        main = listed[0] if listed else max(group, key=lambda name: (n_rows.get(name, 0), name))
        n_broken += sum(int(n_rows[name]) for name in doubtful - {main})
        pairs += [(name, main) for name in sorted(doubtful - {main})]
    if pairs:
        advice = (
            f"{_describe_pairs(pairs, names, expected)}: labels that look alike are different "
            "classes; export one spelling"
        )
        yield RuleResult.warn(
            "labels_look_alike",
            "target",
            len(values),
            advice,
            n_broken=n_broken,
            observed=len(pairs),
        )


def _describe_pairs(pairs: list[tuple[str, str]], names: Strings, expected: Collection[str]) -> str:
    """Return the first pairs, such as `class 1 differs from 'opt_out' in case`."""
    shown_names = {name: f"class {n}" for n, name in enumerate(sorted(names), start=1)}
    shown_names |= {name: f"'{name}'" for name in expected}
    shown = [
        f"{shown_names[name]} differs from {shown_names[main]} in {describe_difference(name, main)}"
        for name, main in pairs[:_MAX_PAIRS]
    ]
    n_more = len(pairs) - len(shown)
    return "; ".join(shown) + (f"; and {n_more} more" if n_more else "")
