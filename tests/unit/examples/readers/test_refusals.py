"""Both readers refuse files and rows that they cannot read, instead of guessing."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
from support.readers import (
    READERS,
    join_terms,
    load_python_reader,
    predict_with_javascript,
    predict_with_python,
    run_javascript,
    write_content,
)
from support.requirements import skip_without

READER = load_python_reader()
ROW = {"e": 1, "n": 2, "c": "2", "b": True, "t": "a text"}


def make_content(**changes):
    """Return a model of a table with an embedding, a number, a category, a boolean and a text."""
    content = {
        "format": "pcc-plain-model",
        "format_version": 1,
        "input": {"kind": "dataframe", "names": list(ROW)},
        "classes": ["a", "b"],
        "decision_threshold": 0.5,
        "blocks": [
            {"kind": "embeddings", "names": ["e"], "n_given": 1, "unit_rows": False},
            {"kind": "numeric", "names": ["n"], "offset": np.zeros(1), "scale": np.ones(1)},
            {"kind": "categorical", "names": ["c"], "levels": [["2"]]},
            {"kind": "boolean", "names": ["b"], "fill": np.zeros(1)},
            {
                "kind": "terms",
                "column": "t",
                "analyzer": "word",
                "ngrams": [1, 1],
                "terms": join_terms(["text"]),
            },
        ],
        "head": {"kind": "linear", "weights": np.eye(8)[:, :2].copy(), "intercept": np.zeros(2)},
        "link": {"kind": "softmax", "factor": 1},
    }
    return {**content, **changes}


def change_head(**changes):
    return make_content(head={**make_content()["head"], **changes})


def is_refused_by_python(path, rows):
    try:
        READER.load(path).predict_proba(rows)
    except ValueError:
        return True
    return False


def assert_refused_by_both(cases):
    """Assert that both readers refuse each of these pairs of a file and rows."""
    assert [True] * len(cases) == [is_refused_by_python(*case) for case in cases]
    assert [None] * len(cases) == run_javascript(cases)


def test_file_and_row_without_a_fault_are_read(tmp_path):
    """The other cases of this module differ from this one in one fault each."""
    path = tmp_path / "model.safetensors"
    write_content(path, make_content())

    np.testing.assert_allclose(
        predict_with_python(path, [ROW]), predict_with_javascript(path, [ROW]), rtol=0, atol=1e-15
    )
    assert 0.5 == READER.load(path).decision_threshold


def test_unknown_formats_are_refused(tmp_path):
    """A later release may compute something else."""
    contents = (
        make_content(format_version=2),
        make_content(format="other"),
        make_content(blocks=[*make_content()["blocks"], {"kind": "images"}]),
        change_head(kind="forest"),
        make_content(link={"kind": "probit"}),
        make_content(link={"kind": "constructor"}),  # each JavaScript object has it
        change_head(weights=np.zeros((7, 2))),
    )
    cases = []
    for n, content in enumerate(contents):
        write_content(tmp_path / str(n), content)
        cases.append((tmp_path / str(n), [ROW]))

    assert_refused_by_both(cases)


def test_cut_file_is_refused(tmp_path):
    """Arrays are never shorter than the file says."""
    path = tmp_path / "model.safetensors"
    write_content(path, make_content())
    path.write_bytes(path.read_bytes()[:-8])

    assert_refused_by_both([(path, [ROW])])


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_file_with_numbers_that_are_not_finite_is_refused(tmp_path, number):
    """The probabilities would not be JSON."""
    path = tmp_path / "model.safetensors"
    weights = change_head()["head"]["weights"]
    weights[-1, -1] = number
    write_content(path, change_head(weights=weights))

    assert_refused_by_both([(path, [ROW])])
    with pytest.raises(ValueError, match="head/weights"):
        READER.load(path)


def test_python_reads_bytes(tmp_path):
    """A program can pass the bytes whose digest it has compared."""
    path = tmp_path / "model.safetensors"
    write_content(path, make_content())

    expected = READER.load(path).predict_proba([ROW])
    assert np.array_equal(expected, READER.load(path.read_bytes()).predict_proba([ROW]))


@pytest.mark.parametrize("reader", ["python/pcc_model.py", "javascript/pcc-model.mjs"])
def test_commands_say_what_is_wrong(tmp_path, reader):
    """They print one line, and no traceback."""
    program = sys.executable if reader.endswith(".py") else shutil.which("node")
    if program is None:
        skip_without("node", "Node.js is not installed")
    (tmp_path / "garbage").write_bytes(bytes(range(256)))
    write_content(tmp_path / "model", make_content())

    def fail(*arguments):
        command = [program, READERS / reader, *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, input='[{"e": 1}]', capture_output=True, text=True, timeout=60
        )
        assert (1, "", 1) == (done.returncode, done.stdout, done.stderr.count("\n"))
        return done.stderr

    assert "usage: " in fail()
    assert "not a model file" in fail("garbage")
    assert "no-file" in fail("no-file")
    assert "no column" in fail("model")


VALUES_OF_WRONG_TYPES = (
    *(("n", value) for value in ("1", "", [1], {})),
    *(("e", value) for value in ("1", [1], {})),
    *(("b", value) for value in (2, 0.5, -1, "true", "1", [])),
    *(("c", value) for value in (2, 2.0, True, ["2"], {})),
    *(("t", value) for value in (None, 1, True, ["a text"], {})),
)


def test_values_of_wrong_types_are_refused(tmp_path):
    """A reader that guesses computes something else than the next reader."""
    path = tmp_path / "model.safetensors"
    write_content(path, make_content())

    assert_refused_by_both(
        [(path, [{**ROW, name: value}]) for name, value in VALUES_OF_WRONG_TYPES]
    )


def test_values_of_these_types_are_equal(tmp_path):
    """Booleans can be 1 and 0, and numbers can be true and false."""
    path = tmp_path / "model.safetensors"
    write_content(path, make_content())
    changes = ({"n": 1}, {"n": True}, {"b": 1}, {"b": 0}, {"b": False}, {"n": None, "b": None})
    rows = [{**ROW, **change} for change in changes]

    proba = predict_with_python(path, rows)

    np.testing.assert_allclose(predict_with_javascript(path, rows), proba, rtol=0, atol=1e-15)
    assert np.array_equal(proba[0], proba[1])
    assert np.array_equal(proba[3], proba[4])


def test_rows_of_another_form_are_refused(tmp_path):
    """Only numbers and categories may be missing, and each column must be there."""
    path = tmp_path / "model.safetensors"
    write_content(path, make_content())
    rows = (
        {**ROW, "e": None},
        {**ROW, "e": [1, 2]},
        {**ROW, "n": "two"},
        *({key: value for key, value in ROW.items() if key != name} for name in ROW),
        "a text",
        None,
        1,
        [1, 2],
    )

    assert_refused_by_both([(path, [row]) for row in rows])


def test_embeddings_of_another_width_are_refused(tmp_path):
    """They come from another embedding model."""
    path = tmp_path / "model.safetensors"
    content = make_content(
        input={"kind": "embeddings", "width": 2},
        blocks=[{"kind": "embeddings", "names": None, "n_given": 2, "unit_rows": False}],
        head={"kind": "linear", "weights": np.eye(2), "intercept": np.zeros(2)},
    )
    write_content(path, content)

    assert (1, 2) == predict_with_python(path, [[1.0, 2.0]]).shape
    assert (1, 2) == predict_with_javascript(path, [[1.0, 2.0]]).shape
    assert_refused_by_both([(path, [row]) for row in ([1], [1, 2, 3], [1, None], ["a", "b"])])


def test_infinite_numbers_are_refused(tmp_path):
    """scikit-learn refuses them, too; JSON has none."""
    path = tmp_path / "model.safetensors"
    write_content(path, make_content())

    for name in ("e", "n"):
        with pytest.raises(ValueError, match="infinite"):
            predict_with_python(path, [{**ROW, name: float("inf")}])


def test_one_text_instead_of_a_list_is_refused(tmp_path):
    """Its characters are no rows."""
    path = tmp_path / "model.safetensors"
    write_content(path, make_content())

    with pytest.raises(ValueError, match="a list of rows"):
        predict_with_python(path, "text")


def test_no_rows_get_no_probabilities(tmp_path):
    """Batches may be empty."""
    path = tmp_path / "model.safetensors"
    write_content(path, make_content())

    assert (0, 2) == predict_with_python(path, []).shape
    assert 0 == len(predict_with_javascript(path, []))
