"""Validate a table by its expectation suite; drop invalid rows, or stop the run.

How it works
------------
1. The table's columns are renamed to role names (the names of the settings in `dataset.columns`,
   such as `text`).  Columns with the size and share of each row's class are added.
2. The expectations of the suite are checked, and then the built-in rules
   (`job.stages.data.own_rules`).
3. A critical expectation can have a minimum share of valid rows (`mostly`).  If the table reaches
   this share, its invalid rows are dropped.
4. An unmet critical expectation stops the run; other unmet expectations are logged as warnings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import structlog

from job.contracts.arrays import Array, Mask
from job.contracts.dataset import NOT_FINITE, Dataset
from job.contracts.messages import pluralize
from job.contracts.ports import SuiteRunner
from job.contracts.reports.validation import RuleResult, ValidationReport
from job.contracts.settings.dataset import ColumnsSpec, DatasetSpec
from job.contracts.settings.features import FeatureSpec
from job.contracts.suites import Suite
from job.errors import ContractViolationError
from job.stages.data.own_rules import check_own_rules
from job.stages.data.row_structure import RULES, describe_row_structure
from job.stages.data.suite_binding import parameter_values, stated_labels, substitute_parameters
from job.stages.data.validation_hints import suggest_remedy

log = structlog.get_logger(__name__)


def validate_dataset(
    dataset: Dataset,
    suite: Suite,
    runner: SuiteRunner,
    *,
    spec: DatasetSpec,
    parameters: Mapping[str, Any],
    features: FeatureSpec,
    is_test: bool = False,
) -> tuple[ValidationReport, Mask]:
    """Validate a table and return its valid rows.

    If a critical expectation about single rows tolerates some invalid rows (`mostly`), these rows
    are dropped.  For an official test table, only expectations about single rows are checked.

    Returns
    -------
    report
        Results of all expectations, with counts, column names and thresholds.
    is_sound
        Mask of the rows that are not dropped, shape (n_rows,).

    Raises
    ------
    ConfigurationError
        The suite does not have a given parameter, or an expectation names an unknown column.
    ContractViolationError
        A critical expectation is not met.  The error's `report` is the complete report.
    """
    table = _lay_out(dataset)
    values = parameter_values(suite, parameters, spec, table)
    expectations, absent = substitute_parameters(
        suite, values, spec.columns, table, is_test=is_test
    )
    results = [*runner.check(table, expectations), *absent]
    results += check_own_rules(
        dataset,
        {(result.rule, result.column) for result in results},
        spec,
        features,
        values,
        expected=stated_labels(suite, parameters),
        is_test=is_test,
    )
    is_sound, dropped = _drop(results, dataset.n_rows)
    report = ValidationReport.of(
        suite.name,
        results,
        n_rows=dataset.n_rows,
        n_dropped=int((~is_sound).sum()),
        dropped_by_rule=dropped,
    )
    _stop_if_broken(report, dataset, spec.columns)
    return report, is_sound


def _lay_out(dataset: Dataset) -> pd.DataFrame:
    """Return the table with role names; add columns with the size and share of each row's class."""
    data: dict[str, Any] = {}
    for column in dataset.columns:
        many = column.role in ("numeric", "categorical", "boolean")
        data[column.name if many else column.role] = _cells(column.kind, column.values)
    table = pd.DataFrame(data, index=pd.RangeIndex(dataset.n_rows))
    if dataset.embeddings is not None:
        widths = dataset.embeddings.widths
        table["embeddings"] = np.where(widths >= 0, widths, np.nan)
        is_finite = dataset.embeddings.defects != NOT_FINITE
        table["embeddings_is_finite"] = is_finite
    if "target" in table:
        class_rows = table["target"].map(table["target"].value_counts())
        table["target_class_rows"] = class_rows.astype(float)
        table["target_class_share"] = class_rows / max(int(table["target"].notna().sum()), 1)
    return table


def _cells(kind: str, values: Array) -> Any:
    if kind != "timestamp":
        return values
    # a missing time is the minimum integer, which NumPy reads as NaT
    return pd.Series(values.view("datetime64[us]"))


def _drop(results: list[RuleResult], n_rows: int) -> tuple[Mask, Counter[str]]:
    is_sound = np.ones(n_rows, bool)
    dropped: Counter[str] = Counter()
    for result in results:
        if result.severity != "critical" or not result.rows:
            continue
        before = int(is_sound.sum())
        is_sound[np.array(result.rows)] = False
        count = before - int(is_sound.sum())
        if count:
            dropped[f"{result.column or 'table'}: {result.rule}"] += count
    return is_sound, dropped


def _stop_if_broken(report: ValidationReport, dataset: Dataset, columns: ColumnsSpec) -> None:
    for result in report.results:
        if not result.is_met and result.severity != "critical":
            log.warning(
                "expectation_not_met",
                rule=result.rule,
                column=result.column,
                n_broken=result.n_broken,
                thresholds=result.thresholds,
                **({"advice": result.advice} if result.advice else {}),
            )
    broken = [r for r in report.results if not r.is_met and r.severity == "critical"]
    if not broken:
        return
    findings = "; ".join(_describe(r) for r in broken[:10])
    more = f" and {len(broken) - 10} more" if len(broken) > 10 else ""
    raise ContractViolationError(
        f"'{dataset.provenance.uri}' violates {pluralize(len(broken), 'expectation')} of suite "
        f"'{report.suite}': {findings}{more}",
        hint=suggest_remedy(report.results, columns),
        report=report,
    )


def _describe(result: RuleResult) -> str:
    where = f"column '{result.column}'" if result.column else "table"
    if result.rule in RULES:
        return describe_row_structure(result)
    bounds = ", ".join(f"{name} {value}" for name, value in result.thresholds.items())
    if result.has_failed_to_run:
        return f"{where}: {result.rule} could not be evaluated (the values have an unexpected type)"
    if result.n_broken:
        verb = "violates" if result.n_broken == 1 else "violate"
        finding = f"{result.n_broken} of {result.n_rows} rows {verb} {result.rule}"
    elif result.observed is not None:
        finding = f"{result.rule} found {result.observed:g}"
    else:
        finding = f"{result.rule} is not met"
    return f"{where}: {finding}{f' ({bounds})' if bounds else ''}"
