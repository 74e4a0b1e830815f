"""The columns that a model takes are found by the version's names, or by those of the settings."""

from types import SimpleNamespace

import pytest

from job.contracts.settings.dataset import DatasetSpec
from job.errors import ContractViolationError
from job.model_form.form import EmbeddingInput, TextInput
from job.stages.prediction.input_columns import find_input_columns
from job.stages.prediction.source_columns import find_source_columns


def make_columns(form_input, published_columns=None, published_aliases=None, **given):
    """Return the columns of a version whose settings are given, with settings of the command."""
    published = SimpleNamespace(
        model=SimpleNamespace(form=SimpleNamespace(input=form_input, blocks=())),
        metadata=SimpleNamespace(
            settings={
                "dataset": {
                    "columns": published_columns or {},
                    "aliases": published_aliases or {},
                }
            }
        ),
    )
    return find_input_columns(published, DatasetSpec.model_validate(given))


def find(columns, *names):
    return find_source_columns(SimpleNamespace(uri="t.csv", names=names), columns, "v1")


def test_names_are_those_of_the_version():
    columns = make_columns(TextInput(), {"text": "comment"})

    assert {"comment": ("comment",)} == find(columns, "label", "comment")


def test_names_of_the_settings_come_first():
    columns = make_columns(TextInput(), {"text": "comment"}, columns={"text": "utterance"})

    assert {"utterance": ("utterance",)} == find(columns, "comment", "utterance")


def test_defaults_of_the_settings_do_not_hide_the_version():
    """Only a name that is set counts."""
    columns = make_columns(TextInput(), {"text": "comment"}, columns={"target": "label"})

    assert ("comment",) == columns.required


def test_aliases_of_version_and_settings_apply():
    columns = make_columns(
        TextInput(), {"text": "text"}, {"comment": "text"}, aliases={"words": "text"}
    )

    assert {"text": ("words",)} == find(columns, "words")
    assert {"text": ("comment",)} == find(columns, "comment")


def test_pattern_has_a_column_for_each_dimension_in_the_order_of_its_numbers():
    columns = make_columns(EmbeddingInput(width=3), {"embeddings": "e*"})

    assert {"e*": ("e0", "e2", "e10")} == find(columns, "e10", "e2", "x", "e0")


def test_id_of_the_version_may_be_absent():
    columns = make_columns(TextInput(), {"text": "text", "id": "row"})

    assert {"text": ("text",)} == find(columns, "text")
    assert {"text": ("text",), "row": ("row",)} == find(columns, "row", "text")


def test_id_of_the_settings_must_be_there():
    columns = make_columns(TextInput(), {"text": "text"}, columns={"id": "row"})

    with pytest.raises(ContractViolationError, match="lacks the column 'row'"):
        find(columns, "text")


def test_missing_column_is_named_with_the_setting_that_helps():
    """A name that nobody knows is not shown."""
    columns = make_columns(TextInput(), {"text": "text"})

    with pytest.raises(ContractViolationError, match="lacks the column 'text'") as caught:
        find(columns, "texts", "dear sir")

    assert "--set dataset.columns.text=texts" in caught.value.hint
    assert "'texts', column 2" in caught.value.hint


@pytest.mark.parametrize("names", [("text", "text"), ("text", "comment")])
def test_two_columns_for_one_name_are_refused(names):
    columns = make_columns(TextInput(), {"text": "text"}, {"comment": "text"})

    with pytest.raises(ContractViolationError, match="more than one column named 'text'"):
        find(columns, *names)
