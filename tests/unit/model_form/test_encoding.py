"""A file that is no model names the array or part, and says whether a later release may help."""

import json

import numpy as np
import pytest

from job.errors import IntegrityError
from job.model_form.encoding import decode_form, encode_form
from job.model_form.form import ModelForm
from job.model_form.tensors import read_arrays, split_file, write_tensors

LATER, MALFORMED = "or a later one", "malformed although its digest matches"
FORM = ModelForm.model_validate(
    {
        "input": {"kind": "embeddings", "width": 3},
        "classes": ["a", "b"],
        "decision_threshold": None,
        "blocks": [
            {
                "kind": "embeddings",
                "names": None,
                "n_given": 3,
                "offset": np.zeros(3),
                "scale": np.ones(3),
                "unit_rows": False,
            }
        ],
        "head": {"kind": "linear", "weights": np.ones((3, 1)), "intercept": np.zeros(1)},
        "link": {"kind": "sigmoid", "factor": 1.0},
    }
)


def encode(change):
    """Return the bytes of the form after a change of its JSON and arrays."""
    entries, texts, body = split_file(encode_form(FORM))
    content, arrays = json.loads(texts["model"]), read_arrays(entries, body)
    change(content, arrays)
    return write_tensors(arrays, {"model": json.dumps(content)})


def set_json(*path, to):
    def change(content, arrays):
        *parents, last = path
        for part in parents:
            content = content[part]
        content[last] = to

    return change


def set_array(name, array):
    return lambda content, arrays: arrays.update({name: array})


def drop_array(name):
    return lambda content, arrays: arrays.pop(name)


def test_unchanged_file_is_read():
    """The positive control."""
    assert FORM.head.kind == decode_form(encode(lambda *_: None), "m").head.kind


@pytest.mark.parametrize(
    ("change", "reason", "hint"),
    [
        (set_json("format", to="x\ny"), r"unknown format 'x\\ny'; known: 'pcc-plain-model'", LATER),
        (set_json("format_version", to=2), "unknown format_version '2'; known: '1'", LATER),
        (set_json("head", "kind", to="forest"), "'head' has the unknown kind 'forest'", LATER),
        (set_json("blocks", 0, "kind", to="x"), "'blocks/0' has the unknown kind 'x'", LATER),
        (
            set_array("head/intercept", np.array([np.nan])),
            "array 'head/intercept': has a number that is not finite",
            MALFORMED,
        ),
        (set_array("blocks/0/offsett", np.ones(1)), "unknown array 'blocks/0/offsett'", MALFORMED),
        (set_json("head", "x\x1b", to=1), r"unknown part 'head/x\\u001b'", MALFORMED),
        (set_array("tail/x", np.ones(1)), "'tail/x' belongs to no part", MALFORMED),
        (set_json("head", "intercept", to=[1]), "'head/intercept' has another value", MALFORMED),
        (drop_array("head/intercept"), "'head/intercept' is missing", MALFORMED),
        (
            set_array("head/intercept", np.ones((1, 1))),
            r"'head/intercept': expected float64 with 1 dimensions, found float64 of shape \[1, 1\]",
            MALFORMED,
        ),
        (
            set_array("head/weights", np.ones((4, 1))),
            "the blocks have 3 features, but the head takes 4",
            MALFORMED,
        ),
        (
            set_array("head/weights", np.ones((3, 2))),
            "part 'head': weights give 2 scores, but intercept has 1",
            MALFORMED,
        ),
    ],
)
def test_reason_names_the_place(change, reason, hint):
    with pytest.raises(IntegrityError, match=reason) as raised:
        decode_form(encode(change), "v/model.safetensors")

    assert hint in raised.value.hint


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"garbage", "the header has more than"),
        (encode_form(FORM)[:-8], "ends at byte 80, but the arrays of the file end at 72"),
        (write_tensors({}, {}), "it has no model"),
        (write_tensors({}, {"model": "[]"}), "its model is not a JSON object"),
    ],
)
def test_damaged_bytes_are_malformed(data, reason):
    with pytest.raises(
        IntegrityError, match=rf"^v/model\.safetensors is malformed: .*{reason}"
    ) as e:
        decode_form(data, "v/model.safetensors")

    assert MALFORMED in e.value.hint
