"""The report of the validation: the expectations, and whether a table meets them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, Self

from pydantic import ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from job.contracts.reports.part import Count, Part, is_none
from job.contracts.reports.published_file import PublishedFile

Severity = Literal["critical", "warning", "info"]


class RuleResult(Part):
    """The result of one expectation, in counts and thresholds."""

    rule: str = Field(description="The expectation's type.")
    column: str | None = Field(
        description="Role or column of the expectation; null for the complete table."
    )
    severity: Severity = Field(
        description="`critical`: if it is not met, rows are dropped or the table is rejected."
    )
    is_met: bool = Field(description="Whether the expectation is met within its tolerance.")
    n_rows: Count = Field(description="Rows of the table.")
    n_broken: Count = Field(
        0, description="Rows that violate the expectation; 0 if it is about a complete column."
    )
    thresholds: dict[str, int | float] = Field(
        default_factory=dict, description="The configured bounds of the expectation."
    )
    observed: int | float | None = Field(
        None, description="The observed number, if it is a count or a share."
    )
    has_failed_to_run: bool = Field(
        False, description="Whether the expectation could not be evaluated."
    )
    is_applicable: bool = Field(
        True, description="Whether the table has the column that the expectation is about."
    )
    looks_like: str | None = Field(
        None,
        exclude_if=is_none,
        description="Notation of the cells that cannot be read, such as `day_first`. Absent if it "
        "is unknown.",
    )
    # what helps, for the log and the error message
    advice: SkipJsonSchema[str] = Field("", exclude=True, repr=False)
    # positions of the rows that violate the expectation
    rows: SkipJsonSchema[tuple[int, ...]] = Field((), exclude=True, repr=False)

    @classmethod
    def warn(
        cls,
        rule: str,
        column: str | None,
        n_rows: int,
        advice: str,
        *,
        n_broken: int = 0,
        observed: int | None = None,
    ) -> Self:
        """Return the warning of a built-in rule that a table does not meet."""
        return cls(
            rule=rule,
            column=column,
            severity="warning",
            is_met=False,
            n_rows=n_rows,
            n_broken=n_broken,
            observed=observed,
            advice=advice,
        )


class ValidationReport(PublishedFile):
    """The results of all expectations, and the number of rows that were dropped."""

    model_config = ConfigDict(title="validation.json")

    suite: str = Field(description="Name of the suite.")
    n_rows: Count = Field(description="Rows of the table.")
    n_dropped: Count = Field(description="Rows that were dropped.")
    dropped_by_rule: dict[str, Count] = Field(
        description="Dropped rows by the expectation that they violate; a row may violate several."
    )
    is_met: bool = Field(description="Whether all critical expectations are met.")
    n_warnings: Count = Field(description="Other expectations that are not met.")
    results: tuple[RuleResult, ...] = Field(
        alias="rules", description="The result of each expectation."
    )

    @classmethod
    def of(
        cls,
        suite: str,
        results: Iterable[RuleResult],
        *,
        n_rows: int,
        n_dropped: int,
        dropped_by_rule: Mapping[str, int],
    ) -> Self:
        """Create the report of a table from the results of all expectations of `suite`."""
        rules = tuple(results)
        return cls(
            suite=suite,
            n_rows=n_rows,
            n_dropped=n_dropped,
            dropped_by_rule=dict(sorted(dropped_by_rule.items())),
            is_met=all(rule.is_met for rule in rules if rule.severity == "critical"),
            n_warnings=sum(not rule.is_met and rule.severity != "critical" for rule in rules),
            results=rules,
        )
