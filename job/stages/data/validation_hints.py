"""Say what helps if a table violates its expectations."""

from __future__ import annotations

from job.contracts.dataset import Dataset
from job.contracts.reports.validation import RuleResult
from job.contracts.settings.dataset import ColumnsSpec
from job.stages.data import row_structure


def suggest_remedy(broken: list[RuleResult], columns: ColumnsSpec, dataset: Dataset) -> str:
    """Return the hint for a table that has broken critical expectations."""
    if any(result.rule in row_structure.RULES for result in broken):
        return row_structure.HINT
    return (
        _ask_for_swap(broken, columns)
        + _name_notations(broken, dataset)
        + _suggest_expectations(broken)
    )


def _name_notations(broken: list[RuleResult], dataset: Dataset) -> str:
    """Return the settings that read the numbers of columns that break an expectation."""
    names = {result.column for result in broken}
    remedies = [
        f"column '{column.name}' has {column.remedy}; "
        for column in dataset.columns
        if column.remedy and column.name in names
    ]
    return "".join(remedies)


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
