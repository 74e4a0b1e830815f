"""Validate a table against a Great Expectations suite; only counts leave this module."""

from __future__ import annotations

import codecs
import difflib
import gc
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from job.adapters.host_limits import paused_gc
from job.adapters.small_files import UnusableFileError, read_small_file
from job.contracts.messages import did_you_mean, quote, quote_list
from job.contracts.reports.validation import RuleResult
from job.contracts.settings.addresses import local_path
from job.contracts.shown_names import NameRule, is_plain
from job.contracts.strict_json import parse_json
from job.contracts.suites import Suite
from job.errors import ConfigurationError

if TYPE_CHECKING:
    import pandas as pd

_MAX_BYTES: Final = 2**20
_RESULT_FORMAT: Final = {
    "result_format": "COMPLETE",
    "partial_unexpected_count": 0,
    "return_unexpected_index_query": False,
}


class SuiteFolder:
    """Loads expectation suites: by name from a folder, or by path or file:// URI."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, name: str) -> Suite:
        """Return the suite with this name, or at this path or URI.

        Raises
        ------
        ConfigurationError
            There is no suite with this name, or the file is not a suite.
        """
        path = self._find_path(name)
        content = _read_json(path)
        try:
            meta = content.get("meta", {})
            parameters = dict(meta.get("parameters", {}))
            is_standardized = _parse_flag(meta.get("embeddings_standardized_per_batch"))
            expectations = tuple(_parse_expectation(e) for e in content["expectations"])
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ConfigurationError(
                f"{quote(str(path))} is not an expectation suite; expected JSON with a list "
                "`expectations` of {type, kwargs, severity}",
                hint="correct the file; expectations/curated_training_data.json is an example",
            ) from None
        return Suite(
            name=path.stem,
            parameters=parameters,
            expectations=expectations,
            embeddings_standardized_per_batch=is_standardized,
        )

    def _find_path(self, name: str) -> Path:
        path = local_path(name)
        if "/" not in name and not name.endswith(".json"):
            path = self._folder / f"{name}.json"
        if not os.path.exists(path):  # noqa: PTH110  # False for every error
            names = sorted(p.stem for p in self._folder.glob("*.json"))
            raise ConfigurationError(
                f"expectation suite {quote(name)} does not exist",
                hint="use --set expectations.suite=NAME, where NAME is a path or one of "
                f"{quote_list(names)}",
            )
        return path


def _read_json(path: Path) -> Any:
    try:
        return parse_json(read_small_file(path, _MAX_BYTES).removeprefix(codecs.BOM_UTF8))
    except UnusableFileError as error:
        problem = str(error)
    except ValueError as error:
        problem = f"is not an expectation suite: {error}"
    raise ConfigurationError(
        f"expectation suite {quote(str(path))} {problem}",
        hint="check expectations.suite, or correct the file",
    )


def _parse_flag(value: object) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise TypeError


def _parse_expectation(expectation: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": str(expectation["type"]),
        "kwargs": dict(expectation.get("kwargs", {})),
        "severity": str(expectation.get("severity", "critical")),
    }


class GreatExpectations:
    """Validates tables with Great Expectations in memory, without usage statistics or data docs.

    The constructor imports the library, so that the import happens before data is loaded.
    """

    def __init__(self) -> None:
        # NOTE: read when a context is created; without it the library sends usage statistics
        os.environ["GX_ANALYTICS_ENABLED"] = "false"
        with warnings.catch_warnings(), paused_gc():
            warnings.simplefilter("ignore")
            import great_expectations  # noqa: F401

    def check(
        self, table: pd.DataFrame, expectations: Sequence[Mapping[str, Any]]
    ) -> tuple[RuleResult, ...]:
        """Return one result per expectation, with counts and row positions but no cell values.

        Raises
        ------
        ConfigurationError
            An expectation has an unknown type or invalid arguments.
        """
        from great_expectations.data_context.data_context.context_factory import set_context

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return _check(table, expectations)
        finally:
            set_context(None)  # otherwise the library keeps the table until the process ends
            gc.collect()


def _check(
    table: pd.DataFrame, expectations: Sequence[Mapping[str, Any]]
) -> tuple[RuleResult, ...]:
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("memory").add_dataframe_asset("table")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": table})
    typed = [_build_expectation(e, position) for position, e in enumerate(expectations)]
    suite = gx.ExpectationSuite(name="suite", expectations=typed)
    outcome = batch.validate(suite, result_format=_RESULT_FORMAT)
    results = {result.expectation_config.meta["position"]: result for result in outcome.results}
    return tuple(
        _count(expectation, results[position], len(table))
        for position, expectation in enumerate(expectations)
    )


def _build_expectation(expectation: Mapping[str, Any], position: int) -> Any:
    from great_expectations.exceptions import ExpectationNotFoundError
    from great_expectations.expectations.registry import get_expectation_impl

    kind, rule = expectation["type"], NameRule(known=(), is_complete=True)
    try:
        return get_expectation_impl(kind)(
            severity=expectation["severity"], meta={"position": position}, **expectation["kwargs"]
        )
    except ExpectationNotFoundError:
        raise ConfigurationError(
            f"unknown expectation {_quote_kind(kind, position + 1)}",
            hint="check the name against the core expectations in the documentation of Great "
            "Expectations",
        ) from None
    except (ValueError, TypeError) as error:
        # pydantic's messages quote the arguments, which may contain labels
        details: list[Any] = getattr(error, "errors", list)()
        names = sorted({str(name) for d in details for name in d["loc"]} - {"__root__"})
        problem = "missing, unknown or invalid" if names else "mutually inconsistent"
        raise ConfigurationError(
            f"expectation '{kind}' has {problem} arguments: "
            f"{rule.quote_all(names or sorted(expectation['kwargs']), 'argument')}",
            hint="compare `kwargs` and `severity` in the suite with the documentation of the "
            "expectation",
        ) from None


def _quote_kind(kind: str, number: int) -> str:
    """Return an unknown type in quotes with the most similar one, or the expectation's number."""
    from great_expectations.expectations.registry import (
        list_registered_expectation_implementations,
    )

    known = list_registered_expectation_implementations()
    is_similar = bool(difflib.get_close_matches(kind, known, n=1, cutoff=0.8))
    if not (is_similar or is_plain(kind)):
        return f"(number {number} in the suite)"
    return f"'{kind}'{did_you_mean(kind, known) if is_similar else ''}"


def _count(expectation: Mapping[str, Any], result: Any, n_rows: int) -> RuleResult:
    """Return the result of one expectation with counts only.

    Other observed values are left out, because they may be values of cells.
    """
    details = result.result
    rows = tuple(int(row) for row in details.get("unexpected_index_list") or ())
    kwargs = expectation["kwargs"]
    return RuleResult(
        rule=expectation["type"],
        column=kwargs.get("column"),
        severity=expectation["severity"],
        is_met=bool(result.success),
        n_rows=n_rows,
        n_broken=int(details.get("unexpected_count") or len(rows)),
        rows=rows,
        thresholds={k: v for k, v in sorted(kwargs.items()) if _is_number(v)},
        observed=_observed_count(expectation["type"], details.get("observed_value")),
        has_failed_to_run=_has_raised(result.exception_info),
    )


def _observed_count(kind: str, value: Any) -> float | None:
    """Return the observed value if it is a count, otherwise None.

    Other values, such as a maximum, may be the value of a cell and must not be disclosed.
    """
    if not any(word in kind for word in ("count", "target_class")) or not _is_number(value):
        return None
    return float(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _has_raised(information: Any) -> bool:
    if not information:
        return False
    flat = [information, *(v for v in information.values() if isinstance(v, dict))]
    return any(part.get("raised_exception", False) is True for part in flat)
