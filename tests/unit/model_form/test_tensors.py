"""The layout of safetensors files; damaged files are errors, never arrays."""

import json

import numpy as np
import pytest
import safetensors.numpy

from job.model_form.tensors import read_arrays, split_file, write_tensors

TENSORS = {
    "b": np.array([[1.5, -2.0], [0.0, 4.0]]),
    "a": np.arange(3),
    "c": np.frombuffer(b"text", np.uint8),
}


def write_file(header, body=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + body


def read_tensors(data):
    entries, texts, body = split_file(data)
    return read_arrays(entries, body), texts


def entry(dtype="F64", shape=(1,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def test_arrays_and_texts_are_read_back():
    data = write_tensors(TENSORS, {"model": "é"})
    tensors, texts = read_tensors(data)

    assert {"model": "é"} == texts
    assert TENSORS.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert TENSORS[name].tolist() == tensor.tolist()
        assert not tensor.flags.writeable


def test_layout_is_that_of_the_specification():
    """Length, header, arrays without gaps; 8-byte numbers first, at multiples of 8 bytes."""
    data = write_tensors(TENSORS, {})
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])

    assert 0 == length % 8
    assert [[0, 24], [24, 56], [56, 60]] == [header[n]["data_offsets"] for n in "abc"]
    assert ["I64", "F64", "U8"] == [header[n]["dtype"] for n in "abc"]
    assert data.endswith(np.arange(3).tobytes() + TENSORS["b"].tobytes() + b"text")


def test_equal_arrays_give_equal_bytes():
    """Neither the order of the dictionary nor that of an array in memory matters."""
    turned = {name: np.asfortranarray(TENSORS[name]) for name in reversed(TENSORS)}

    assert write_tensors(TENSORS, {}) == write_tensors(turned, {})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01",
        write_file({}, length=2**63),
        write_file({}, length=1),
        write_file(b"[]"),
        write_file(b"[" * 100_000),
        write_file(b"\xff\xfe"),
        write_file({"__metadata__": {"model": 1}}),
        write_file({"__metadata__": []}),
        write_file({"a": None}),
        write_file({"a": {}}),
        write_file({"a": entry(dtype="F16")}, bytes(8)),
        write_file({"a": entry(dtype=["F64"])}, bytes(8)),
        write_file({"a": entry(shape=())}, bytes(8)),
        write_file({"a": entry(shape=(1, 1, 1))}, bytes(8)),
        write_file({"a": entry(shape=(-1,))}, bytes(8)),
        write_file({"a": entry(shape=(True,))}, bytes(8)),
        write_file({"a": entry(shape=(1.0,))}, bytes(8)),
        write_file({"a": entry(shape=(2,))}, bytes(8)),
        write_file({"a": entry(shape=(2**62, 2**62))}, bytes(8)),
        write_file({"a": entry(offsets=(0, 16), shape=(2,))}, bytes(8)),
        write_file({"a": entry(offsets=(8, 0))}, bytes(8)),
        write_file({"a": entry(offsets=(8, 16))}, bytes(16)),
        write_file({"a": entry(), "b": entry()}, bytes(8)),
        write_file({"a": entry()}, bytes(9)),
        write_file({"a": entry()}),
    ],
)
def test_damaged_file_is_an_error(data):
    with pytest.raises(ValueError):
        read_tensors(data)


def test_library_of_the_format_reads_the_file():
    """The reference implementation."""
    found = safetensors.numpy.load(write_tensors(TENSORS, {"model": "{}"}))

    assert {name: t.tolist() for name, t in TENSORS.items()} == {
        name: t.tolist() for name, t in found.items()
    }
