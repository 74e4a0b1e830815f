"""Say what helps if a table violates its expectations."""

from __future__ import annotations

from collections.abc import Sequence

from job.contracts.dataset import Column
from job.contracts.reports.validation import RuleResult
from job.contracts.settings.dataset import ColumnsSpec
from job.stages.data import row_structure
from job.stages.data.time_notation import NOTATIONS


def suggest_remedy(results: Sequence[RuleResult], columns: ColumnsSpec) -> str:
    """Return the hint for a table that has broken critical expectations."""
    broken = [r for r in results if not r.is_met and r.severity == "critical"]
    if any(r.rule in row_structure.RULES for r in broken):
        return row_structure.HINT
    if specific := "; ".join(dict.fromkeys(r.advice for r in broken if r.advice)):
        return specific
    if any(r.column == "target" for r in broken):
        alike = [r.advice for r in results if r.rule == "labels_look_alike"]
        if alike:
            return f"{alike[0]}. `pcc-job validate` repeats the check"
    return (
        _ask_for_swap(broken, columns)
        + _name_notations(broken, results)
        + _suggest_expectations(broken)
    )


def _name_notations(broken: list[RuleResult], results: Sequence[RuleResult]) -> str:
    """Return the settings that read the numbers of columns that break an expectation."""
    names = {result.column for result in broken}
    return "".join(
        f"{r.advice}; "
        for r in results
        if r.rule == "number_cells_unreadable" and r.advice and r.column in names
    )


def advise_on_cells(column: Column) -> str:
    """Return what helps if cells of a column cannot be read; an empty text if nothing is known."""
    found = f"the cells look like {NOTATIONS[column.notation]}" if column.notation else ""
    if column.role == "timestamp":
        remedy = (
            "write times as ISO 8601, such as 2026-12-31T23:59:59Z, or use none with --set "
            "dataset.columns.timestamp=null"
        )
        return f"{found}: {remedy}" if found else remedy
    if column.role not in ("numeric", "boolean", "categorical"):
        return ""
    if column.remedy:
        return f"column '{column.name}' has {column.remedy}"
    remedy = f"remove '{column.name}' from dataset.columns.{column.role}, or correct its cells"
    return f"{found}: {remedy}" if found else remedy


def _suggest_expectations(broken: list[RuleResult]) -> str:
    """Return a hint: how to accept a table if only its size is wrong, else what to change."""
    if [result.rule for result in broken] == ["expect_table_row_count_to_be_between"]:
        n_rows, least = broken[0].n_rows, broken[0].thresholds.get("min_value", 0)
        if n_rows < least:
            return f"wait for more rows, or accept this table with --set dataset.min_rows={n_rows}"
    return (
        "correct the table upstream, or change what is expected of it: a parameter of the suite "
        "with --set 'expectations.parameters={NAME: VALUE}', or a suite of your own "
        "(expectations.suite). `pcc-job validate` repeats the check"
    )


def _ask_for_swap(broken: list[RuleResult], columns: ColumnsSpec) -> str:
    """Return a question if more than half of the labels are unknown; otherwise an empty text."""
    is_unknown = any(
        r.column == "target" and "in_set" in r.rule and 2 * r.n_broken > r.n_rows for r in broken
    )
    if not is_unknown or columns.text is None:
        return ""
    return (
        "are two columns swapped? --set dataset.columns.target=COLUMN --set "
        f"dataset.columns.text=COLUMN name them, now '{columns.target}' and '{columns.text}'; "
        "otherwise "
    )
