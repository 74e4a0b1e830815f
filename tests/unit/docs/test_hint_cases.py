"""Every hint that names a command or a setting is obeyed by a case, or listed with a reason."""

import re

import pytest
from support.hint_cases import CASES
from support.hint_source import list_hints, list_sentences, pieces_of, sentences_of

SENTENCES = list_sentences()
SAID = [case.says for case in CASES]

# texts that name a command or an option, and ask nobody to do something
NO_HINTS = {
    "pcc-job runs on Linux and macOS": "says what is wrong",
    "pcc-job needs Python {} or later": "says what is wrong",
    "# `pcc-job config show` lists all settings.": "a comment in a file that init writes",
    "result of `pcc-job ": "a title in a schema",
    "would be published without --dry-run": "the outcome of a dry run",
    "rejected by the gate, but published with --override": "the outcome of a run",
    "--dataset needs --out": "says what is wrong",
    "`{}` needs {}: {}": "says what is wrong",
    "--set {}": "a source of settings",
    "<p>This section shows each criterion of the gate": "a template of the report",
}
# parts of a hint that are obeyed in the cases of the whole
PARTS = {
    "`pcc-job models promote {} {}`": "the cases with {VERSION: ...}",
    "{}run `pcc-job models promote {}` if it is the better one": "compare them with ...",
    "`{}` writes a settings file, where COLUMN has the labels": "--target COLUMN",
    "--channel {}": "a part of `pcc-job models promote`",
}
NOT_OBEYED = {
    "`wsl --install`": "needs Windows",
    "install it with another Python": "needs an old Python",
    "install the versions that differ": "needs other releases of the packages",
    "choose a file in another folder with --out FILE, or change": "a superuser may write anywhere",
    "use another store, or use --set publish.channel=null": "needs a store without conditions",
    "use a store with conditional writes, or use --set": "needs a store without conditions",
    ", compare them with `pcc-job models diff {} {}`": "needs a race of two runs",
    "{} is published; see `pcc-job models history`": "needs a race of two runs",
    "see `pcc-job models list` and `pcc-job models history`": "needs a race with prune",
    "another attempt of this run, or a rollback with --republish": "needs a race of two runs",
    "wait until `models prune` has ended": "needs a race with prune",
    "or use --set search.workers=1 to fit one model": "needs a machine with little memory",
    "which needs no calibration": "the checks of the split refuse such a table first",
    "or use --set evaluation.method=auto, which then": "the checks of the split come first",
    "; a time can be named with --set dataset.columns.timestamp=COLUMN": "no case yet",
    "raise the limit: `ulimit -n 4096`": "needs a process with few open files",
    "`ulimit -v unlimited`": "a limit: tests/e2e/test_environments.py",
    "raise the limit with `ulimit -f unlimited`": "a limit: tests/e2e/test_environments.py",
    "; the size of files is limited, too": "a limit: tests/e2e/test_environments.py",
    "end other processes, or raise the limit: `ulimit -u`": "needs a full machine",
    "if it is: --set dataset.max_expansion={}": "a limit: tests/unit/adapters/tables/test_bounds.py",
    "correct: --set dataset.max_columns={}": "a limit: tests/unit/adapters/tables/test_bounds.py",
    "if it is: --set dataset.max_rows={}": "a limit: tests/unit/stages/data/ingest/test_row_limit.py",
    "with Spark, write without `partitionBy`": "a line of pandas, not a command",
    "run `{} --help`": "a usage error of a real process: tests/e2e/test_hints.py",
}
# one of several remedies in a hint
PIECES_NOT_OBEYED = {
    "--set 'expectations.parameters={{}: VALUE}'": "refused, because the suite has no such parameter",
}
LISTED = {**NO_HINTS, **PARTS, **NOT_OBEYED}


def is_said(says, sentence):
    """Return whether a sentence has these words; a hole of the sentence is `{}`."""
    return re.sub(r"{\d*}", "{}", says) in re.sub(r"{\d*}", "{}", sentence)


def is_known(sentence):
    return any(is_said(says, sentence) for says in (*SAID, *LISTED))


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda text: text[:60])
def test_hint_is_obeyed_or_listed(sentence):
    """A new hint needs a case in tests/support/hint_cases."""
    assert is_known(sentence), SENTENCES[sentence]


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda text: text[:60])
def test_each_command_and_option_of_a_hint_is_obeyed(sentence):
    """If a hint offers several remedies, each of them has a case."""
    cases = [case for case in CASES if is_said(case.says, sentence)]
    taken = [part[0] for case in cases if (part := re.search(case.take, sentence))]
    obeyed = {piece for part in taken for piece in pieces_of(part)}

    assert not cases or pieces_of(sentence) <= {*obeyed, *PIECES_NOT_OBEYED}


@pytest.mark.parametrize("says", [*LISTED, *PIECES_NOT_OBEYED])
def test_listed_text_exists_and_no_case_obeys_it(says):
    found = [sentence for sentence in SENTENCES if is_said(says, sentence)]

    assert found
    assert says in PIECES_NOT_OBEYED or not all(
        any(is_said(case, text) for case in SAID) for text in found
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.says[:40]}-{case.name}")
def test_case_is_about_a_hint_of_the_source(case):
    """The words of a case occur in one sentence, or in sentences that say the same."""
    assert any(is_said(case.says, sentence) for sentence in SENTENCES)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ('raise E("no", hint="use --set a.b=1")', "setting or option"),
        ("raise E('no', hint=f'run `pcc-job models show {v}`')", "command"),
        ('HINT = "`pcc-job runs list` says why"', "command"),
        ('hint = "convert it: `iconv -f A -t B FILE > NEW`"', "shell"),
        ("_TABLE = {'a': ('no', 'try --out FILE instead')}", "setting or option"),
        ('def f():\n    yield "is it a tab? --set a=tab"', "setting or option"),
    ],
)
def test_new_hint_without_a_case_is_seen(source, kind):
    """However a hint reaches the user, it is found, and no case or list knows it."""
    (sentence,) = sentences_of(source)

    assert not is_known(sentence)
    assert kind == {text: kind for text, kind, _ in list_hints({"m.py": source})}[sentence]


@pytest.mark.parametrize(
    "source",
    [
        '"""Run `pcc-job run --dry-run` first."""',
        "x: str = Field(description='set by --set a=1')",
        "x = Option(help='the same as --set a=1')",
        "raise JobError('--out must be a path', hint='choose a path')",
    ],
)
def test_texts_that_are_no_hints_are_left_out(source):
    assert [] == sentences_of(source)


def test_each_hint_has_a_kind():
    """Hints without a command are advice, such as whether an export has finished."""
    kinds = [kind for _, kind, _ in list_hints()]

    assert {"command", "setting or option", "shell", "advice"} == {*kinds}
    assert len(kinds) > 200
