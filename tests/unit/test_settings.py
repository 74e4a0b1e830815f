"""Defaults, then a file, then variables, then flags; messages name each mistake."""

import math

import pytest

from job.contracts.settings.job_settings import JobSettings
from job.errors import ConfigurationError
from job.settings import load_settings, parse_value


@pytest.fixture
def file(tmp_path):
    def write(text, name="job.yaml"):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def test_later_sources_win_key_by_key(file):
    """File < variable < flag, and the source of each value is known."""
    path = file("search: {folds: 4, n_iter: 7}\nsplit: {salt: from-file}\n")
    environment = {"PCC_JOB_SEARCH__FOLDS": "5", "PCC_JOB_SPLIT__SALT": "7", "HOME": "x"}
    effective = load_settings(path, environment, [("search.folds", "--set search.folds", 6)])

    assert (6, 7, "7") == (
        effective.settings.search.folds,
        effective.settings.search.n_iter,
        effective.settings.split.salt,
    )
    assert "--set search.folds" == effective.origins["search.folds"]
    assert "PCC_JOB_SPLIT__SALT" == effective.origins["split.salt"]
    assert str(path) == effective.origins["search.n_iter"]
    assert "random_state" not in effective.origins


def test_json_file_works(file):
    """JSON is YAML."""
    path = file('{"search": {"metric": "accuracy"}}', "job.json")

    assert "accuracy" == load_settings(path, {}, []).settings.search.metric.name


@pytest.mark.parametrize("value", [",", ";", "|", "tab"])
def test_delimiter_stands_for_itself(value):
    """YAML reads a pipe and a comma as parts of a text."""
    flag = ("dataset.csv.delimiter", "--set", parse_value(value, "--set"))
    variable = {"PCC_JOB_DATASET__CSV__DELIMITER": value}
    found = [load_settings(None, {}, [flag]), load_settings(None, variable, [])]

    assert [value] * 2 == [effective.settings.dataset.csv.delimiter for effective in found]


@pytest.mark.parametrize("text", [";", "tab", '"\\t"', "'|'"])
def test_delimiter_of_a_file_may_be_quoted(text, file):
    """A tab has a name."""
    effective = load_settings(file(f"dataset: {{csv: {{delimiter: {text}}}}}\n"), {}, [])

    expected = {";": ";", "'|'": "|"}.get(text, "tab")
    assert expected == effective.settings.dataset.csv.delimiter


def test_flag_for_a_section_replaces_what_lower_sources_say_of_it(file):
    """--set replaces the key, here a mapping."""
    path = file("gate: {floors: {accuracy: 0.1, f1_macro: 0.2}}")
    effective = load_settings(path, {}, [("gate.floors", "--set gate.floors", {"accuracy": 0.5})])

    assert (0.5, 0.8) == (
        effective.settings.gate.floors.accuracy,
        effective.settings.gate.floors.f1_macro,
    )


@pytest.mark.parametrize(("text", "value"), [("1e-3", 0.001), ("[a, 2]", ["a", 2]), ("null", None)])
def test_values_are_yaml(text, value):
    """1e-3 is a number, as everywhere else."""
    assert value == parse_value(text, "--set x")


BOTH, ONE = "features: {use: [text, embeddings]}\n", "[embeddings]"


@pytest.mark.parametrize(
    ("text", "environment", "flags", "words"),
    [
        ("serach: {folds: 3}", {}, [], "unknown setting 'serach'.*did you mean 'search'\\?"),
        ("search: {folds: 1}", {}, [], "search.folds .from .*job.yaml.: 1 is less than 2$"),
        ("search: {folds: 999}", {}, [], "search.folds .*: 999 is more than 20$"),
        ("search: {folds: x}", {}, [], "search.folds .*: expected a whole number$"),
        ("", {}, [("search.folds", "--set", None)], "search.folds .*: the value is empty$"),
        ("features: {use: text}", {}, [], r"features.use .*: expected a list, such as \[a, b\]$"),
        ("features: {use: [txt]}", {}, [], "^features.use.0 .from .*: Input should be 'text'"),
        ("features: {use: []}", {}, [], "^features.use .from .*at least 1 item"),
        ("- a\n", {}, [], "not a mapping"),
        ("a: [", {}, [], "not valid YAML or JSON"),
        ("", {"PCC_JOB_SEARCH__FOLD": "3"}, [], "PCC_JOB_SEARCH__FOLDS"),
        ("", {}, [("search.fold", "--set", 3)], "did you mean 'search.folds'"),
        ("", {}, [("search", "--set", 3)], "search"),
        ("", {}, [("search.estimators", "--set", {"linear_svm": {}})], "did you mean 'linear_svc'"),
        ("", {}, [("search.estimators", "--set", {"linear_svc": {"C": []}})], "has no values"),
        (
            "",
            {},
            [("search.estimators", "--set", {"dummy": {"x": [math.inf]}})],
            "infinite or NaN values",
        ),
        ("", {}, [("search.max_seconds", "--set", math.inf)], "finite number"),
        ("", {}, [("dataset.columns.text", "--set", "intent")], "more than one role"),
        (
            "",
            {},
            [("dataset.columns.group", "--set", "intent")],
            "the target column must not also be",
        ),
        ("", {}, [("dataset.columns.id", "--set", "intent")], "the target column must not also be"),
        (
            "",
            {},
            [("dataset.columns.timestamp", "--set", "intent")],
            "the target column must not also be",
        ),
        (
            "dataset: {max_rows: 10}",
            {},
            [],
            "dataset.max_rows must not be less than dataset.min_rows",
        ),
        ("dataset: {uri: ''}", {}, [], "dataset.uri .from .*job.yaml.: the value is empty"),
        ("dataset: {test_uri: ''}", {}, [], "dataset.test_uri"),
        ("search: {choose_on: challenge}", {}, [], "^search.choose_on=challenge needs eval"),
        ("decision: {learn_on: challenge}", {}, [], "^decision.learn_on=challenge needs eval"),
        ("gate: {challenge_floors: {f1_macro: 0.5}}", {}, [], "^gate.challenge_floors needs eval"),
        (
            "evaluation: {challenge_split: half}",
            {},
            [],
            "challenge_split=half needs evaluation.chall",
        ),
        ("evaluation: {challenge_uri: 'az://b/c'}", {}, [], "evaluation.challenge_uri .*'az'"),
        ("evaluation: {out_of_scope_uri: 'az://b/c'}", {}, [], "out_of_scope_uri .*'az'"),
        ("", {}, [("store.uri", "--store", "")], "store.uri .from --store"),
        ("features: {use: [text, text]}", {}, [], "features.use .*: duplicate values: 'text'"),
        (
            "package: {allowed_inputs: [text, text]}",
            {},
            [],
            "allowed_inputs .*: duplicate values: 'text'",
        ),
        ("search: {folds: 4}\nsearch: {n_iter: 7}", {}, [], "job.yaml' has duplicate key 'search'"),
        ('{"split": {"salt": "a", "salt": "b"}}', {}, [], "has duplicate key 'salt'"),
        ("gate: 5", {}, [], "'gate' from .*job.yaml is a section"),
        ("", {}, [("gate.floors", "--set", None)], "'gate.floors' from --set is a section"),
        ("", {}, [("dataset", "--set", 5)], "'dataset' from --set is a section"),
        (
            "search: {inputs: [[text]]}",
            {},
            [],
            "^search.inputs has feature blocks that are not in features.use: 'text'",
        ),
        (
            "search: {inputs: [text]}",
            {},
            [],
            "search.inputs .*: each input must be a list of feature blocks, as in",
        ),
        ("search: {inputs: [[]]}", {}, [], "search.inputs .*: each input must have at least one"),
        (f"{BOTH}search: {{inputs: [{ONE}, {ONE}]}}", {}, [], "search.inputs .*is listed twice"),
        (
            f"{BOTH}package: {{allowed_inputs: [text]}}\nsearch: {{inputs: [{ONE}, [text]]}}",
            {},
            [],
            "^search.inputs has feature blocks that are not in package.allowed_inputs: 'embeddings'",
        ),
        (
            "package: {allowed_inputs: [text]}",
            {},
            [],
            "^features.use has feature blocks that are not in package.allowed_inputs: 'embeddings'",
        ),
    ],
)
def test_mistakes_are_named(file, text, environment, flags, words):
    """The message suggests the most similar existing name, if there is one."""
    with pytest.raises(ConfigurationError, match=words):
        load_settings(file(text), environment, flags)


def test_empty_section_says_nothing(file):
    """This happens if all its keys are commented out."""
    effective = load_settings(file("search:\ngate:\n  floors:\ndataset:\n  aliases:\n"), {}, [])

    assert (JobSettings(), {}) == (effective.settings, effective.origins)


def test_value_with_a_key_twice_is_named():
    """YAML would silently use the last one."""
    with pytest.raises(ConfigurationError, match="--set search has duplicate key 'C'"):
        parse_value("{linear_svc: {C: [1], C: [2]}}", "--set search")


def test_merged_mappings_are_no_duplicates(file):
    """This is YAML's own way to override a default."""
    text = "search:\n  estimators:\n    linear_svc: &a {C: [1]}\n    logistic_regression: {<<: *a, C: [2]}\n"
    estimators = load_settings(file(text), {}, []).settings.search.estimators

    assert {"linear_svc": {"C": (1,)}, "logistic_regression": {"C": (2,)}} == estimators


def test_impossible_value_is_not_quoted(file):
    """A value in the wrong place may be a secret."""
    with pytest.raises(ConfigurationError) as caught:
        load_settings(file("search: {folds: zq-secret}"), {}, [])

    assert "zq-secret" not in caught.value.message


@pytest.mark.parametrize(
    ("text", "odd"),
    [
        ("evaluation: {slices: [color]}", "'color'"),
        ("evaluation: {slices: [confidence]}", "'confidence'"),
        ("dataset: {columns: {id: row, categorical: [row]}}\nevaluation: {slices: [row]}", "'row'"),
        ("dataset: {columns: {group: app, boolean: [app]}}\nevaluation: {slices: [app]}", "'app'"),
    ],
)
def test_slices_by_a_column_that_cannot_be_are_refused(file, text, odd):
    """Numbers, ids and groups are invalid; the message names column, expectation and remedy."""
    with pytest.raises(ConfigurationError) as excinfo:
        load_settings(file(text), {}, [])

    assert f"evaluation.slices: no slices can be made from {odd}" in excinfo.value.message
    assert "dataset.columns.categorical" in excinfo.value.message


def test_floor_of_slices_without_slices_is_refused(file):
    """It could never be met."""
    with pytest.raises(ConfigurationError, match=r"gate\.slice_floor needs slices"):
        load_settings(file("evaluation: {slices: []}\ngate: {slice_floor: 0.5}"), {}, [])


def test_hold_out_is_sliced_by_every_column_that_can_be(file):
    """Ids and groups are left out, even if they are categories as well."""
    text = "dataset: {columns: {id: row, group: app, categorical: [row, app, source]}}"

    assert ("source", "has_personal_info", "text", "timestamp") == load_settings(
        file(text), {}, []
    ).settings.slicing
