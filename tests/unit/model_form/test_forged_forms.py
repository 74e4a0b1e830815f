"""A forged model ends in `IntegrityError`, whatever is in it, and costs little memory."""

import json
import tracemalloc

import numpy as np
import pandas as pd
import pytest

from job.errors import IntegrityError
from job.model_form.encoding import decode_form, encode_content
from job.model_form.model import PlainModel
from job.model_form.tensors import read_arrays, split_file, write_tensors

LINEAR = {"kind": "linear", "weights": np.ones((3, 2)), "intercept": np.zeros(2)}
SOFTMAX = {"kind": "softmax", "factor": 1.0}
EMBEDDINGS = {"kind": "embeddings", "names": None, "n_given": 3, "unit_rows": True}
FORM = {
    "input": {"kind": "embeddings", "width": 3},
    "classes": ("a", "b"),
    "decision_threshold": None,
    "blocks": [EMBEDDINGS],
    "head": LINEAR,
    "link": SOFTMAX,
}
TERMS = {
    "kind": "terms",
    "column": None,
    "analyzer": "word",
    "ngrams": (1, 2),
    "terms": np.frombuffer(b"x\ny\nz", np.uint8),
}
NUMBERS = {"kind": "numeric", "names": ("n",), "offset": np.zeros(1), "scale": np.ones(1)}
LEVELS = {"kind": "categorical", "names": ("n",), "levels": (("x",),)}
PROTOTYPES = {
    "kind": "prototypes",
    "centers": np.ones((3, 4)),
    "row_weight": 1.0,
    "weights": np.ones((7, 2)),
    "intercept": np.zeros(2),
    "unit_rows": True,
}
CONSTANT = {"kind": "constant", "probabilities": np.array([0.5, 0.5])}
TABLE = {"kind": "dataframe", "names": ("n", "m")}


def encode(**changes):
    """Return the bytes of a form without validating it."""
    return encode_content({"format": "pcc-plain-model", "format_version": 1, **FORM, **changes})


def read_tensors(data):
    entries, texts, body = split_file(data)
    return read_arrays(entries, body), texts


def test_unchanged_form_predicts():
    """The control."""
    model = PlainModel.read(encode(), "model")

    assert [[0.5, 0.5]] * 2 == model.predict_proba(np.ones((2, 3))).tolist()


@pytest.mark.parametrize(
    "changes",
    [
        {"blocks": []},
        {"blocks": [EMBEDDINGS, EMBEDDINGS], "head": {**LINEAR, "weights": np.ones((6, 2))}},
        {"input": {"kind": "embeddings", "width": 2}},
        {"input": {"kind": "embeddings", "width": 2**40}},
        {"input": {"kind": "text"}},
        {"input": TABLE},
        {"input": {"kind": "text"}, "blocks": [TERMS], "head": PROTOTYPES},
        {
            "input": TABLE,
            "blocks": [NUMBERS, LEVELS],
            "head": {**LINEAR, "weights": np.ones((4, 2))},
        },
        {"blocks": [{**EMBEDDINGS, "columns": np.array([0, 1, 3])}]},
        {"blocks": [{**EMBEDDINGS, "columns": np.array([0, 1, -1])}]},
        {"blocks": [{**EMBEDDINGS, "offset": np.zeros(3)}]},
        {"blocks": [{**EMBEDDINGS, "names": ("n",)}]},
        {"head": {**LINEAR, "weights": np.full((3, 2), np.nan)}},
        {"head": {**LINEAR, "weights": np.ones((3, 2), np.int64)}},
        {"head": {**LINEAR, "weights": np.ones(6)}},
        {"head": {**LINEAR, "weights": np.ones((2, 2))}},
        {"head": {**PROTOTYPES, "weights": np.ones((6, 2))}},
        {"head": {**CONSTANT, "probabilities": np.array([-1.0, 2.0])}},
        {"head": CONSTANT},
        {"head": CONSTANT, "link": {"kind": "identity"}},
        {"link": {"kind": "identity"}},
        {"link": {"kind": "sigmoid", "factor": 1.0}},
        {"link": {"kind": "softmax", "factor": "1"}},
        {"link": {"kind": "platt", "slope": np.ones(2), "offset": np.ones(3)}},
        {"classes": ("a", "a")},
        {"classes": ("a", "b", "c")},
        {"classes": ()},
        {"decision_threshold": "high"},
        {"format_version": 2},
        {"format": "another"},
        {"unknown": 1},
    ],
    ids=str,
)
def test_parts_that_do_not_fit_are_refused(changes):
    with pytest.raises(IntegrityError, match="model"):
        decode_form(encode(**changes), "v1/model.safetensors")


@pytest.mark.parametrize(
    "terms", [b"x\n\ny", b"x\nx\ny", b"x\xff\ny\nz", b""], ids=["empty", "twice", "bytes", "none"]
)
def test_damaged_terms_are_refused(terms):
    changed = {**TERMS, "terms": np.frombuffer(terms, np.uint8)}

    with pytest.raises(IntegrityError, match="model"):
        decode_form(encode(input={"kind": "text"}, blocks=[changed]), "model")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"classes"', '"classen"'),
        lambda _: "[" * 10_000,
        lambda _: "[]",
        lambda _: "null",
        lambda text: text.replace("1.0", "1e999"),
    ],
)
def test_damaged_text_is_refused(change):
    tensors, texts = read_tensors(encode())
    data = write_tensors(tensors, {"model": change(texts["model"])})

    with pytest.raises(IntegrityError, match="model"):
        decode_form(data, "model")


@pytest.mark.parametrize(
    "name", ["", "head", "head/x", "blocks/7/offset", "blocks/-1/offset", "a/b"]
)
def test_array_without_a_place_is_refused(name):
    tensors, texts = read_tensors(encode())

    with pytest.raises(IntegrityError, match="model"):
        decode_form(write_tensors({**tensors, name: np.ones(3)}, texts), "model")


@pytest.mark.parametrize(
    "changes",
    [
        {"blocks": [{**EMBEDDINGS, "offset": np.full(3, 1e308), "scale": np.full(3, 1e308)}]},
        {"head": {**PROTOTYPES, "centers": np.full((3, 4), 1e308)}},
        {
            "blocks": [{**EMBEDDINGS, "unit_rows": False}],
            "head": {**LINEAR, "weights": np.full((3, 2), 1e308)},
        },
    ],
    ids=["map", "centers", "weights"],
)
def test_numbers_that_give_no_probabilities_are_refused(changes):
    """They are finite, but their products are not."""
    model = PlainModel.read(encode(**changes), "model")

    with pytest.raises(IntegrityError, match="no probabilities"):
        model.predict_proba(1e9 * np.ones((2, 3)))


def test_block_on_a_column_of_another_type_is_refused():
    """Numbers are expected, but the column has texts; the message does not show them."""
    head = {**LINEAR, "weights": np.ones((2, 2))}
    model = PlainModel.read(encode(input=TABLE, blocks=[NUMBERS], head=head), "model")

    with pytest.raises(IntegrityError, match="cannot take") as caught:
        model.predict_proba(pd.DataFrame({"n": ["private text"], "m": [1.0]}))
    assert "private" not in str(caught.value)


def test_wide_model_needs_little_memory():
    """Rows are predicted a few at a time; together, their shares would need 8 GB."""
    n_centers = 200_000
    head = {
        **PROTOTYPES,
        "centers": np.ones((3, n_centers)),
        "weights": np.ones((n_centers + 3, 2)),
    }
    model = PlainModel.read(encode(head=head), "model")
    tracemalloc.start()
    model.predict_proba(np.ones((100, 3)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 2e8  # 100 rows at once: 160 MB for each of three arrays


def test_long_header_is_refused_before_it_is_parsed():
    header = json.dumps({"__metadata__": {"model": "x" * 2**23}}).encode()

    with pytest.raises(IntegrityError, match="header"):
        decode_form(len(header).to_bytes(8, "little") + header, "model")
