"""Check the built-in rules, which apply with every suite; the suite sets their tolerances.

How it works
------------
1. Rules about rows: a missing label, text or embedding, or the names of the columns in place of
   values.  Rows that violate them are dropped, up to the tolerance.
2. Rules about columns in use: cells that cannot be read beyond the tolerance, or no value at all,
   stop the run.  Fewer unreadable cells are a warning.
3. Warnings about values that only look like values (`job.stages.data.doubtful_values`).
4. Warnings about columns: a role column that is absent, and numbered columns with gaps.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

import numpy as np

from job.contracts.arrays import Mask
from job.contracts.dataset import EMBEDDING_DEFECTS, MISSING, Column, Dataset
from job.contracts.messages import quote_list
from job.contracts.reports.validation import RuleResult
from job.contracts.settings.dataset import DatasetSpec
from job.contracts.settings.features import FeatureSpec
from job.stages.data.doubtful_values import check_values
from job.stages.data.row_structure import check_row_structure
from job.stages.data.suite_binding import SHARES
from job.stages.data.validation_hints import advise_on_cells

_METADATA: Final = ("numeric", "categorical", "boolean")
_ROLES: Final = ("text", "embeddings", "timestamp")  # those with a default column


def check_own_rules(
    dataset: Dataset,
    checked: Collection[tuple[str, str | None]],
    spec: DatasetSpec,
    features: FeatureSpec,
    parameters: Mapping[str, Any],
    *,
    expected: Collection[str],
    is_test: bool,
) -> list[RuleResult]:
    """Return the results of the built-in rules.

    Parameters
    ----------
    checked
        Pairs (rule, column) that the suite has checked; the number of rows is not checked twice.
    parameters
        Values of the suite's parameters, among them `completeness` and `validity`.
    expected
        Labels that the settings or the suite list; empty if they list none.
    is_test
        Whether the table is an official test, of which only rows and values are checked.
    """
    rules = check_row_structure(dataset, parameters["validity"])
    if not is_test and ("expect_table_row_count_to_be_between", None) not in checked:
        rules.append(_row_count(dataset.n_rows, spec))
    rules += _check_rows(dataset, features, parameters)
    for column in dataset.columns:
        is_used = column.role in _METADATA and column.role in features.use
        rules += _check_cells(column, dataset.n_rows, parameters["validity"], is_used=is_used)
    rules += check_values(dataset, features, expected)
    if not is_test:
        rules += _check_columns(dataset, spec)
    return rules


def _check_rows(
    dataset: Dataset, features: FeatureSpec, parameters: Mapping[str, Any]
) -> Iterator[RuleResult]:
    completeness, validity = (parameters[name] for name in SHARES)
    for role in ("target", "text"):
        values = dataset.strings(role)
        if values is not None and (role == "target" or "text" in features.use):
            missing = np.array([value is None for value in values])
            yield _row_rule(f"{role}_missing", role, missing, completeness)
    is_header = _find_headers(dataset)
    if is_header.any():
        yield _row_rule("row_repeats_header", "target", is_header, validity)
    if dataset.embeddings is not None and "embeddings" in features.use:
        for code, name in EMBEDDING_DEFECTS.items():
            mostly = completeness if code == MISSING else validity
            is_broken = dataset.embeddings.defects == code
            yield _row_rule(name, "embeddings", is_broken, mostly)


def _find_headers(dataset: Dataset) -> Mask:
    """Return the mask of rows that have the names of their columns, as in files joined by `cat`.

    At least two columns of strings are needed: a single one can have its name as a value.
    """
    columns = [column for column in dataset.columns if column.kind == "string"]
    if len(columns) < 2:
        return np.zeros(dataset.n_rows, bool)
    masks = [np.array([value == c.name for value in c.values], bool) for c in columns]
    is_header: Mask = np.logical_and.reduce(masks)
    return is_header


def _check_cells(
    column: Column, n_rows: int, validity: float, *, is_used: bool
) -> Iterator[RuleResult]:
    """Yield a result if cells of a column cannot be read, or if a used column has no value.

    Unreadable cells count as missing, and their rows are kept.  Words for a missing value do not
    count against `validity`.
    """
    n_wrong = column.n_unreadable - column.n_missing_words
    is_broken = is_used and n_wrong > (1 - validity) * n_rows
    if column.n_unreadable:
        yield RuleResult(
            rule=f"{column.kind}_cells_unreadable",
            column=column.name,
            severity="critical" if is_broken else "warning",
            is_met=False,
            n_rows=n_rows,
            n_broken=column.n_unreadable,
            thresholds={"mostly": validity} if is_broken else {},
            looks_like=column.notation,
            advice=advise_on_cells(column),
        )
    if is_used and not is_broken and _is_empty(column):
        yield RuleResult(
            rule=f"{column.role}_column_empty",
            column=column.name,
            severity="critical",
            is_met=False,
            n_rows=n_rows,
            n_broken=n_rows,
            advice=f"remove '{column.name}' from dataset.columns.{column.role}, or export its "
            "values",
        )


def _is_empty(column: Column) -> bool:
    if column.kind == "string":
        return all(value is None for value in column.values)
    return bool(np.isnan(column.values).all())


def _check_columns(dataset: Dataset, spec: DatasetSpec) -> Iterator[RuleResult]:
    """Yield a warning for each absent column of a default role, and for the numbers of `prefix*`.

    Columns that the run needs, or that the settings state, were required before.
    """
    origin = dataset.provenance
    for role in _ROLES:
        name = getattr(spec.columns, role)
        if name in origin.absent_columns:
            advice = (
                f"the table has no column '{name}', the default of dataset.columns.{role}: name "
                f"another one, or none with --set dataset.columns.{role}=null"
            )
            yield RuleResult.warn("role_column_absent", name, dataset.n_rows, advice)
    pattern = spec.columns.embeddings
    if origin.embedding_gaps:
        advice = (
            f"'{pattern}' has no column with number {', '.join(origin.embedding_gaps[:10])}: is "
            "the export incomplete? The other columns are used in the order of their numbers"
        )
        n_gaps = len(origin.embedding_gaps)
        yield RuleResult.warn(
            "embedding_number_gaps", pattern, dataset.n_rows, advice, observed=n_gaps
        )
    if origin.embedding_strays:
        advice = (
            f"not part of the embedding, because no number follows the prefix of '{pattern}': "
            f"{quote_list(origin.embedding_strays)}"
        )
        n_strays = len(origin.embedding_strays)
        yield RuleResult.warn(
            "embedding_name_strays", pattern, dataset.n_rows, advice, observed=n_strays
        )


def _row_count(n_rows: int, spec: DatasetSpec) -> RuleResult:
    return RuleResult(
        rule="row_count",
        column=None,
        severity="critical",
        is_met=spec.min_rows <= n_rows <= spec.max_rows,
        n_rows=n_rows,
        thresholds={"max_value": spec.max_rows, "min_value": spec.min_rows},
        observed=float(n_rows),
    )


def _row_rule(name: str, column: str, is_broken: Mask, mostly: float) -> RuleResult:
    rows = np.flatnonzero(is_broken)
    return RuleResult(
        rule=name,
        column=column,
        severity="critical",
        is_met=len(rows) <= (1 - mostly) * len(is_broken),
        n_rows=len(is_broken),
        n_broken=len(rows),
        rows=tuple(rows.tolist()),
        thresholds={"mostly": mostly},
    )
