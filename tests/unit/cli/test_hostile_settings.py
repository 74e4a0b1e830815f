"""Values that a command cannot use end in a ConfigurationError that names the setting."""

import io
import json
import os
import sys

import pytest

from job.cli.commands.app import app
from job.cli.output import write_text
from job.errors import ConfigurationError

GRIDS = "search.estimators={%s}"
LONG = "x" * 4000


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("PCC_JOB_", "AWS_"))]:
        monkeypatch.delenv(name)
    os.mkfifo("pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "latin1").write_bytes(b"a: \xff")
    (tmp_path / "suite.json").write_text("[" * 200_000)
    (tmp_path / "large").write_bytes(b"#" * 70_000)

    def run(*arguments):
        app(list(arguments), standalone_mode=False)
        return capsys.readouterr().out

    return run


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (GRIDS % "logistic_regression: {C: [0]}", "logistic_regression: The 'C' parameter"),
        (GRIDS % "logistic_regression: {C: [-1]}", "logistic_regression: The 'C' parameter"),
        (GRIDS % "logistic_regression: {C: [null]}", "logistic_regression: The 'C' parameter"),
        (GRIDS % "linear_svc: {C: [[1]]}", "linear_svc: The 'C' parameter"),
        (GRIDS % f"linear_svc: {{C: [{LONG}]}}", "linear_svc: The 'C' parameter"),
        (
            GRIDS % "dummy: {strategy: [prior, stratified]}",
            r"dummy\.strategy must be one of 'prior'",
        ),
        (GRIDS % "dummy: {strategy: [[prior]]}", r"dummy\.strategy must be one of 'prior'"),
        (GRIDS % f"{LONG[:1000]}: {{}}", "unknown estimator 'x{200}..."),
        (GRIDS % f"dummy: {{{LONG[:1000]}: [1]}}", "no parameter 'x{200}..."),
        (
            "search.estimators={linear_svc: {C: %s, tol: %s}}" % ((list(range(1, 200)),) * 2),
            "search.estimators has 39,601 combinations; expected at most 10,000",
        ),
        ("search.metric={a: [1]}", "search.metric .*unknown metric"),
        ('split.salt="\\e[31m"', r"split.salt \(from --set split.salt\): a text has a control"),
        ('dataset.aliases={"\\0": x}', "dataset.aliases .*: a text has a control character"),
        ("dataset.aliases={x: %s}" % ("y" * 5000), "dataset.aliases .*more than 4,096"),
        ('split.salt="\\ud800"', "split.salt .*not UTF-8"),
        ("split.salt=\udcff", "the value of --set split.salt has characters that are not allowed"),
        ("dataset.min_rows=1e400", "dataset.min_rows"),
        ("dataset.min_rows=" + "9" * 5000, "is not a 64-bit number"),
        ("store.abandoned_after_hours=1e300", "store.abandoned_after_hours"),
        ("s3.connect_timeout_seconds=1e300", "s3.connect_timeout_seconds"),
        ("dataset.uri=file:///%00", "dataset.uri .*NUL"),
        (f"{LONG}=1", "unknown setting 'x{200}..."),
        ("a\nb=1", r"unknown setting 'a\\nb' from --set a\\nb"),
        ("expectations.suite=suite.json", "'suite.json' is not an expectation suite"),
        ("expectations.suite=./pipe", "expectation suite 'pipe' is not a regular file"),
        (f"expectations.suite=/{LONG}", "expectation suite '/x{199}...' does not exist"),
    ],
)
def test_value_is_refused_by_config_check(command, value, words):
    """Before a run; the message is short and has no control character."""
    with pytest.raises(ConfigurationError, match=words) as caught:
        command("config", "check", "--set", value)

    assert len(caught.value.message) < 1000
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("strategy", ["prior", "most_frequent", "uniform", "constant"])
def test_strategies_with_a_plain_form_are_accepted(command, strategy):
    """Their probabilities are the same for every row."""
    estimators = f"search.estimators={{dummy: {{strategy: [{strategy}]}}}}"

    assert "settings are valid\n" == command("config", "check", "--set", estimators)


@pytest.mark.parametrize(
    ("path", "words", "hint"),
    [
        ("pipe", "is not a regular file", "use a regular file"),
        ("zero", "is not a regular file", "use a regular file"),
        (".", "is a folder", "use the path of a file"),
        ("nothing", "does not exist", "check the path"),
        ("x" * 300, "'x{200}...' cannot be read", "check the path"),
        ("large", "is larger than 65,536 bytes", "shorten it"),
        ("latin1", "is not UTF-8", "save it as UTF-8"),
    ],
)
def test_settings_file_is_a_small_text_file(command, path, words, hint):
    """Nothing waits for a pipe, and a device is not read."""
    with pytest.raises(ConfigurationError, match=f"the settings file .*{words}") as caught:
        command("config", "check", "--config", path)

    assert hint in caught.value.hint


@pytest.mark.parametrize("path", ["pipe", "zero", "x" * 4000])
def test_key_file_is_a_small_text_file(command, path):
    """`doctor` reads the keys, as a run does."""
    with pytest.raises(ConfigurationError, match="the key file"):
        command("doctor", "--store", "models", "--set", f"lineage.key_file={path}")


@pytest.mark.parametrize("path", ["pipe", "zero", "nothing"])
def test_ca_bundle_is_a_file(command, path):
    """botocore would wait for a pipe."""
    with pytest.raises(ConfigurationError, match=f"CA bundle '{path}'"):
        command("doctor", "--store", "s3://b/p", "--set", f"s3.ca_bundle={path}")


def test_variable_that_is_not_utf8_is_refused(command, monkeypatch):
    """Bytes that are not UTF-8 arrive as lone surrogates."""
    monkeypatch.setitem(os.environ, "PCC_JOB_SPLIT__SALT", "\udcff")
    with pytest.raises(ConfigurationError, match=r"split.salt \(from PCC_JOB_SPLIT__SALT\)"):
        command("config", "show")


@pytest.mark.parametrize("store", ["//[", "x" * 4000])
def test_store_that_cannot_exist_is_named(command, store):
    """Some texts are no paths."""
    with pytest.raises(ConfigurationError, match="does not exist"):
        command("models", "list", "--store", store)


def test_output_is_escaped_for_an_encoding_that_lacks_a_character(monkeypatch):
    """The locale is part of the environment."""
    stream = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    write_text("é")

    assert b"\\xe9\n" == stream.buffer.getvalue()


EXPECTATION = {"type": "expect_column_values_to_match_regex", "kwargs": {"column": "text"}}


@pytest.mark.parametrize(
    ("kwargs", "words"),
    [
        ({"regex": "["}, "expectation 1 of suite 'own' has an invalid regular expression"),
        ({"regex_list": ["a", "("]}, "has an invalid regular expression"),
        ({"column_list": [["text"]]}, "expectation for a column, which is not a column"),
        ({"column": {"a": []}}, "expectation for a column, which is not a column"),
    ],
)
def test_suite_is_checked_before_a_run(command, tmp_path, kwargs, words):
    """The same suite without these arguments is valid."""
    valid = {**EXPECTATION, "kwargs": {"column": "text", "regex": "a+", "regex_list": 5}}
    (tmp_path / "own.json").write_text(json.dumps({"expectations": [valid]}))
    option = ("--set", "expectations.suite=own.json")
    assert "settings are valid\n" == command("config", "check", *option)
    broken = {**EXPECTATION, "kwargs": {"column": "text", **kwargs}}
    (tmp_path / "own.json").write_text(json.dumps({"expectations": [broken]}))

    with pytest.raises(ConfigurationError, match=words):
        command("config", "check", *option)
