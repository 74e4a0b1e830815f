"""Prepare an expectation suite for a table: insert parameter values and map column names.

How it works
------------
1. The value of a parameter is taken from the settings.  If the settings do not set the parameter,
   the suite's value is used; if the suite has no value, a default is used.  The labels and the
   width of the embeddings default to those of the table.
2. `{"$PARAMETER": name}` is replaced by the value of this parameter.  Column names of the table's
   file are replaced by role names: the names of the settings in `dataset.columns`, such as `text`.
3. An expectation about an optional column that the table lacks is reported as not applicable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from job.contracts.canonical_strings import canonicalize
from job.contracts.messages import did_you_mean, name_all, quote_list
from job.contracts.reports.validation import RuleResult
from job.contracts.settings.dataset import ColumnsSpec, DatasetSpec
from job.contracts.settings.features import FeatureSpec
from job.contracts.shown_names import is_plain
from job.contracts.suites import Suite
from job.errors import ConfigurationError
from job.stages.data.usual_names import ROLES

if TYPE_CHECKING:
    import pandas as pd

DERIVED: Final = ("target_class_rows", "target_class_share", "embeddings_is_finite")
# minimum shares of rows that have a value, and of rows that are valid; a suite may set others
SHARES: Final[Mapping[str, float]] = {"completeness": 0.99, "validity": 0.98}
_TABLE_PARAMETERS: Final = ("labels", "embedding_width", "min_rows", "max_rows")
_COLUMN_ARGUMENTS: Final = ("column", "column_A", "column_B", "column_list")


def required_columns(suite: Suite, columns: ColumnsSpec, features: FeatureSpec) -> frozenset[str]:
    """Return the columns that a run needs, for label, group, features and expectations."""
    in_suite = {
        str(e["kwargs"].get("column"))
        for e in suite.expectations
        if e["type"] == "expect_column_to_exist" and e["severity"] == "critical"
    }
    required = [columns.target, columns.group or ""]
    for role in ("text", "embeddings", "numeric", "categorical", "boolean"):
        names = getattr(columns, role)
        names = (names,) if isinstance(names, str) else names or ()
        if role in features.use:
            if not names:
                raise ConfigurationError(
                    f"features.use has '{role}', but dataset.columns.{role} does not name a column",
                    hint=f"set dataset.columns.{role}, or remove '{role}' from features.use",
                )
            required.extend(names)
        required.extend(name for name in names if role in in_suite or name in in_suite)
    if columns.timestamp is not None and "timestamp" in in_suite:
        required.append(columns.timestamp)
    return frozenset(name for name in required if name)


def check_parameters(suite: Suite, given: Mapping[str, Any]) -> None:
    """Raise if the suite lacks a parameter in `given`, or if a parameter's value is invalid.

    Raises
    ------
    ConfigurationError
        The suite lacks a parameter, or a value is invalid.  The message suggests the most similar
        parameter, and does not quote the value.
    """
    known = {*_TABLE_PARAMETERS, *SHARES, *suite.parameters}
    for name in sorted(given):
        if name not in known:
            known = set(filter(is_plain, known))
            raise ConfigurationError(
                f"suite '{suite.name}' has no parameter '{name}'{did_you_mean(name, known)}",
                hint=f"use one of its parameters: {quote_list(sorted(known))}",
            )
    values = {**SHARES, **suite.parameters, **given}
    invalid = [name for name in SHARES if not _is_share(values[name])]
    labels = values.get("labels") or []
    if not isinstance(labels, list) or not all(isinstance(x, str | int | float) for x in labels):
        invalid.append("labels")
    if invalid:
        raise ConfigurationError(
            f"invalid value of {name_all('parameter', invalid)} in expectations.parameters of "
            f"suite '{suite.name}'",
            hint="set `labels` to a list of texts, and `completeness` and `validity` to numbers "
            "from 0 to 1",
        )


def stated_labels(suite: Suite, given: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the labels that the settings or the suite list, in canonical form; empty if none."""
    labels = {**suite.parameters, **given}.get("labels")
    return tuple(canonicalize(str(label)) for label in labels or ())


def parameter_values(
    suite: Suite, given: Mapping[str, Any], spec: DatasetSpec, table: pd.DataFrame
) -> dict[str, Any]:
    """Return the values of the suite's parameters: from settings, suite or defaults, in this order.

    Raises
    ------
    ConfigurationError
        As in `check_parameters`: the suite lacks a given parameter, or a value is invalid.
    """
    check_parameters(suite, given)
    defaults: dict[str, Any] = {"min_rows": spec.min_rows, "max_rows": spec.max_rows, **SHARES}
    defaults["labels"] = sorted(table["target"].dropna().unique()) if "target" in table else []
    if "embeddings" in table:
        widths = table["embeddings"].dropna()
        defaults["embedding_width"] = int(widths.mode().max()) if len(widths) else 0
    values = {**defaults, **suite.parameters, **given}
    # the table's labels are in canonical form, whatever their type in the file
    values["labels"] = [*stated_labels(suite, given)] or defaults["labels"]
    return values


def _is_share(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1


def substitute_parameters(
    suite: Suite,
    values: Mapping[str, Any],
    columns: ColumnsSpec,
    table: pd.DataFrame,
    *,
    is_test: bool,
) -> tuple[list[dict[str, Any]], list[RuleResult]]:
    """Insert parameter values and role names; set expectations about absent columns aside.

    Returns
    -------
    expectations
        The expectations that can be checked; for an official test table, only those about single
        rows.
    absent
        A result "not applicable" for each expectation about an optional column that the table
        lacks.
    """
    expectations, absent = [], []
    for number, expectation in enumerate(suite.expectations, start=1):
        kwargs = {
            k: _substituted(v, values, suite, number) for k, v in expectation["kwargs"].items()
        }
        for name in _COLUMN_ARGUMENTS:
            if name in kwargs:
                kwargs[name] = _column_role(kwargs[name], columns, suite, number)
        if kwargs.get("column") in ("target", "group", *columns.categorical):
            kwargs = {k: _in_table_form(v) if k == "value_set" else v for k, v in kwargs.items()}
        _check_patterns(kwargs, suite, number)
        bound = {**expectation, "kwargs": kwargs}
        if is_test and not _is_about_rows(bound):
            continue
        is_present = all(column in table for column in _argument_columns(kwargs))
        if is_present or bound["type"] == "expect_column_to_exist":
            expectations.append(bound)
        else:
            absent.append(_not_applicable(bound, len(table)))
    return expectations, absent


def _in_table_form(values: Any) -> Any:
    """Return a list of labels or categories in canonical form, as the table has them."""
    if not isinstance(values, list):
        return values
    return [canonicalize(str(v)) if isinstance(v, str | int | float) else v for v in values]


def _check_patterns(kwargs: Mapping[str, Any], suite: Suite, number: int) -> None:
    """Raise if a regular expression among the arguments cannot be compiled."""
    several = kwargs.get("regex_list")
    patterns = [kwargs.get("regex"), *(several if isinstance(several, list) else ())]
    for pattern in patterns:
        try:
            re.compile(pattern if isinstance(pattern, str) else "")
        except (re.error, OverflowError, RecursionError):
            raise ConfigurationError(
                f"expectation {number} of suite '{suite.name}' has an invalid regular expression",
                hint="compare `regex` with the syntax of Python's `re`; in JSON, each backslash is "
                "written twice",
            ) from None


def _argument_columns(kwargs: Mapping[str, Any]) -> list[str]:
    arguments = [kwargs[name] for name in _COLUMN_ARGUMENTS if name in kwargs]
    return [c for item in arguments for c in (item if isinstance(item, list) else [item])]


def _substituted(value: Any, values: Mapping[str, Any], suite: Suite, number: int) -> Any:
    """Return the parameter's value if `value` refers to a parameter, else `value` unchanged."""
    if not (isinstance(value, dict) and set(value) == {"$PARAMETER"}):
        return value
    name = str(value["$PARAMETER"])
    if name not in values:
        shown = name if is_plain(name) else "NAME"
        raise ConfigurationError(
            f"parameter '{shown}' of suite '{suite.name}' has no value (expectation {number})",
            hint=f"use --set 'expectations.parameters={{{shown}: VALUE}}', or set a default in "
            "`meta.parameters` of the suite",
        )
    return values[name]


def _column_role(column: Any, spec: ColumnsSpec, suite: Suite, number: int) -> Any:
    """Return the role name of `column`, which is a role name or a name in the file.

    `number` is the number of the expectation, from 1.
    """
    if isinstance(column, (list, tuple)):
        return [_column_role(str(name), spec, suite, number) for name in column]
    many = (*spec.numeric, *spec.categorical, *spec.boolean)
    if column in ROLES or column in many or column in DERIVED:
        return column
    for role in ROLES:
        if getattr(spec, role) == column:
            return role
    known = sorted({*ROLES, *many, *DERIVED})
    text = str(column)
    shown = f"'{text}'{did_you_mean(text, known)}" if is_plain(text) else "a column"
    raise ConfigurationError(
        f"suite '{suite.name}' has an expectation for {shown}, which is not a column that "
        f"dataset.columns names (expectation {number})",
        hint=f"use one of {quote_list(known)}, or add the column to dataset.columns",
    )


def _is_about_rows(expectation: Mapping[str, Any]) -> bool:
    """Return whether an expectation is about single rows, not about a column or the table."""
    if expectation["kwargs"].get("column") in ("target_class_rows", "target_class_share"):
        return False
    return "column_values" in expectation["type"] or "value_lengths" in expectation["type"]


def _not_applicable(expectation: Mapping[str, Any], n_rows: int) -> RuleResult:
    return RuleResult(
        rule=expectation["type"],
        column=", ".join(_argument_columns(expectation["kwargs"])),
        severity="info",
        is_met=True,
        is_applicable=False,
        n_rows=n_rows,
    )
