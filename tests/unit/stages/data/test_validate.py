"""Expectations stop a run or drop rows, and no value of the data is disclosed."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from support.datasets import table_of

from job.adapters.suites import GreatExpectations, SuiteFolder
from job.contracts.dataset import Column, Embeddings
from job.contracts.settings.dataset import ColumnsSpec, DatasetSpec
from job.contracts.settings.features import FeatureSpec
from job.errors import ConfigurationError, ContractViolationError
from job.stages.data.validate import validate_dataset

SUITES = Path(__file__).parents[4] / "expectations"
SECRET = "zq-secret-cell"
N = 200


def dataset(intents=None, texts=None, confidence=None, n_unreadable=0):
    numbers = range(N)
    columns = [
        ("intent", "target", "string", intents or [("opt_out", "other")[n % 2] for n in numbers]),
        ("text", "text", "string", texts or [f"please stop {n}" for n in numbers]),
    ]
    made = [
        Column(name=name, role=role, kind=kind, values=np.array(values, dtype=object))
        for name, role, kind, values in columns
    ]
    if confidence is not None:
        values = np.array(confidence, np.float32)
        made.append(
            Column(
                name="confidence",
                role="numeric",
                kind="number",
                values=values,
                n_unreadable=n_unreadable,
            )
        )
    embeddings = Embeddings(
        matrix=np.ones((N, 584), np.float32),
        defects=np.zeros(N, np.uint8),
        widths=np.full(N, 584, np.int32),
    )
    return table_of(made, embeddings)


def validate(data, suite="curated_training_data", **parameters):
    return validate_dataset(
        data,
        SuiteFolder(SUITES).load(suite),
        GreatExpectations(),
        spec=DatasetSpec(min_rows=10, columns=ColumnsSpec()),
        parameters=parameters,
        features=FeatureSpec(),
    )


def with_first(n, value):
    return [value] * n + [("opt_out", "other")[i % 2] for i in range(N - n)]


def test_sound_table_keeps_all_rows():
    """No row is dropped unless it violates an expectation."""
    report, is_sound = validate(dataset())

    assert 0 == report.n_dropped
    assert is_sound.all()


def test_rows_within_tolerance_are_dropped_and_counted_by_rule():
    """Two percent of unknown labels may be dropped."""
    report, is_sound = validate(dataset(with_first(3, SECRET)))

    assert {"target: expect_column_values_to_be_in_set": 3} == dict(report.dropped_by_rule)
    assert [0, 1, 2] == np.flatnonzero(~is_sound).tolist()


def test_rows_beyond_tolerance_stop_the_run_and_no_cell_is_quoted():
    """The error contains the report, with counts and without values."""
    texts = [f"{SECRET} {n}" for n in range(N)]
    with pytest.raises(ContractViolationError) as caught:
        validate(dataset(with_first(50, SECRET), texts))
    report = json.dumps(caught.value.report.to_json())

    assert "50 of 200 rows" in caught.value.message
    assert SECRET not in report + caught.value.message + caught.value.hint
    assert '"n_broken": 50' in report


def test_labels_default_to_those_of_the_table():
    """If no set of labels is given, all labels of the table are valid."""
    report, _ = validate(dataset([f"label {n % 3}" for n in range(N)]), "labelled_text")

    assert report.to_json()["is_met"]


def test_stated_labels_have_the_spelling_of_the_tables():
    """Numbers and booleans in the settings are compared in canonical form."""
    data = dataset([("true", "2")[n % 2] for n in range(N)])

    assert validate(data, labels=[True, 2.0])[0].to_json()["is_met"]


@pytest.mark.parametrize(
    "parameters", [{"labels": "other"}, {"validity": "most"}, {"completeness": 99}]
)
def test_invalid_parameter_is_a_configuration_error(parameters):
    """The error comes before the table is validated."""
    with pytest.raises(ConfigurationError, match=f"'{next(iter(parameters))}'"):
        validate(dataset(), **parameters)


def test_tolerance_of_the_suite_is_that_of_every_row_rule():
    """There is no second tolerance to raise."""
    data = dataset(with_first(10, None))

    assert 10 == validate(data, completeness=0.9, validity=0.9)[0].n_dropped


def test_class_above_the_given_share_stops_the_run():
    """A model cannot be trained from nearly one class."""
    with pytest.raises(ContractViolationError, match="target_class_share"):
        validate(dataset(), max_class_share=0.4)


def test_small_class_is_a_warning():
    """The split decides whether the class can be used."""
    report, _ = validate(dataset(), min_class_rows=101)
    [rule] = [r for r in report.results if r.column == "target_class_rows"]

    assert ("warning", False) == (rule.severity, rule.is_met)


def test_unreadable_cells_are_counted_in_a_warning():
    """They count as missing, and their rows are kept."""
    report, is_sound = validate(dataset(confidence=[np.nan] + [0.5] * (N - 1), n_unreadable=1))
    [rule] = [r for r in report.results if r.rule == "number_cells_unreadable"]

    assert ("confidence", "warning", 1) == (rule.column, rule.severity, rule.n_broken)
    assert is_sound.all()


def test_expectation_about_an_absent_optional_column_does_not_apply():
    """Tables without the upstream's extra columns need no other suite."""
    report, _ = validate(dataset())

    assert {"confidence"} <= {r.column for r in report.results if not r.is_applicable}


def test_custom_suite_may_use_the_column_names_of_the_file(tmp_path):
    """It may have any core expectation; `intent` is the target."""
    suite = {
        "expectations": [
            {
                "type": "expect_column_values_to_match_regex",
                "kwargs": {"column": "intent", "regex": "^opt", "mostly": {"$PARAMETER": "share"}},
            }
        ],
        "meta": {"parameters": {"share": 0.4}},
    }
    (tmp_path / "mine.json").write_text(json.dumps(suite))
    report, is_sound = validate(dataset(), str(tmp_path / "mine.json"))

    assert ("mine", "target") == (report.suite, report.results[0].column)
    assert N // 2 == is_sound.sum()


@pytest.mark.parametrize(
    ("expectation", "words"),
    [
        ({"type": "expect_magic", "kwargs": {}}, "expect_magic"),
        (
            {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "intend"}},
            "did you mean 'intent'|not a column that dataset.columns names",
        ),
        (
            {"type": "expect_column_values_to_not_be_null", "kwargs": {"columns": "text"}},
            "column",
        ),
        (
            {
                "type": "expect_column_values_to_not_be_null",
                "kwargs": {"column": "text", "mostly": {"$PARAMETER": "absent"}},
            },
            "'absent'",
        ),
        (
            {
                "type": "expect_table_row_count_to_be_between",
                "kwargs": {"min_value": 2, "max_value": 1},
            },
            "mutually inconsistent arguments: 'max_value', 'min_value'",
        ),
    ],
)
def test_broken_suite_is_a_configuration_error(tmp_path, expectation, words):
    """The message names the mistake; it is not a finding about the data."""
    (tmp_path / "mine.json").write_text(json.dumps({"expectations": [expectation]}))

    with pytest.raises(ConfigurationError, match=words):
        validate(dataset(), str(tmp_path / "mine.json"))


def test_great_expectations_is_silent_and_sends_no_telemetry(capfd):
    """stdout is for the result only, and analytics are switched off."""
    validate(dataset())
    out, err = capfd.readouterr()

    assert "" == out
    assert "Calculating" not in err
    assert "false" == os.environ["GX_ANALYTICS_ENABLED"]
