"""Arrays of any encoding become arrays of plain types with the same values."""

from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.arrow_types import (
    LISTS,
    NO_CELLS,
    SPARK_VECTOR,
    TEXTS,
    UNION,
    UUIDS,
    extension,
    repeat_dictionary,
    run_ends,
)

from job.adapters.tables.plain_types import is_plain, to_plain, to_plain_batch

PLAIN = {
    "run ends of text": (run_ends(pa.array(["a", "a", None, "b"])), ["a", "a", None, "b"]),
    "run ends of numbers": (run_ends(pa.array([1, 1, 2])), [1, 1, 2]),
    "run ends of lists": (
        pa.RunEndEncodedArray.from_arrays(
            pa.array([2, 3], pa.int32()), pa.array([[1.0], [2.0, 3.0]])
        ),
        [[1.0], [1.0], [2.0, 3.0]],
    ),
    "dictionary of lists": (
        repeat_dictionary(pa.array([[1.0], [2.0]]), [1, 0, None]),
        [[2.0], [1.0], None],
    ),
    "dictionary of decimals": (
        repeat_dictionary(pa.array([Decimal("1.5")]), [0, 0]),
        [Decimal("1.5")] * 2,
    ),
    "dictionary of a dictionary": (
        repeat_dictionary(pa.array(["x", "y"]).dictionary_encode(), [1, 0, 1]),
        ["y", "x", "y"],
    ),
    "dictionary of UUIDs": (
        repeat_dictionary(extension(pa.uuid(), [UUIDS[0].bytes], pa.binary(16)), [0, None]),
        [str(UUIDS[0]), None],
    ),
    "dictionary of structs": (repeat_dictionary(pa.array([{"a": 1}]), [0]), [{"a": 1}]),
    "UUID": (
        extension(pa.uuid(), [UUIDS[1].bytes, None], pa.binary(16)),
        [str(UUIDS[1]), None],
    ),
    "bool8 of any number": (
        extension(pa.bool8(), [1, 0, None, 7], pa.int8()),
        [True, False, None, True],
    ),
    "fixed-size text": (pa.array([b"ab", None], pa.binary(2)), ["ab", None]),
    "tensor of two dimensions": (
        extension(
            pa.fixed_shape_tensor(pa.float32(), [2, 2]),
            [[1, 2, 3, 4], None],
            pa.list_(pa.float32(), 4),
        ),
        [[1, 2, 3, 4], None],
    ),
    "views of lists in another order": (
        pa.ListViewArray.from_arrays(
            pa.array([2, 0, 1], pa.int32()),
            pa.array([1, 2, 0], pa.int32()),
            pa.array([1.0, 2.0, 3.0]),
        ),
        [[3.0], [1.0, 2.0], []],
    ),
    "list of UUIDs": (
        pa.ListArray.from_arrays([0, 1], extension(pa.uuid(), [UUIDS[2].bytes], pa.binary(16))),
        [[str(UUIDS[2])]],
    ),
}


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("start", [0, 1])
def test_encodings_are_undone(name, start):
    """Also in a slice, which has an offset."""
    array, expected = PLAIN[name]

    plain = to_plain(array.slice(start))

    assert expected[start:] == plain.to_pylist()
    plain.validate(full=True)


@pytest.mark.parametrize("name", LISTS)
def test_lists_of_any_layout_have_the_same_numbers(name):
    """A missing list stays missing; an empty list is not missing."""
    rows = [[1, 2, 3], None, [4, 5, 6]]

    array = to_plain(LISTS[name](rows))

    if "JSON" in name:
        assert ["[1, 2, 3]", None, "[4, 5, 6]"] == array.to_pylist()
    else:
        found = [row and [float(n) for n in row] for row in array.to_pylist()]
        assert rows == found


@given(
    values=st.lists(st.none() | st.text(), min_size=1),
    name=st.sampled_from(sorted(TEXTS)),
    start=st.integers(0, 5),
)
@settings(max_examples=100, deadline=None)
def test_texts_of_any_encoding_stay_the_same(values, name, start):
    """Bytes that are valid UTF-8 are text."""
    array = to_plain(TEXTS[name](pa.array(values, pa.string())).slice(start))

    assert values[start:] == array.to_pylist()
    assert is_plain(array.type)


@pytest.mark.parametrize("array", [*NO_CELLS.values(), UNION], ids=[*NO_CELLS, "union"])
def test_other_types_keep_their_values(array):
    """A stage refuses them if the column has a role."""
    assert array.to_pylist() == to_plain(array).to_pylist()


def test_vectors_are_read_only_if_all_of_them_are_dense():
    """A sparse vector holds other values than its list `values`."""
    rows = [{"type": 1, "values": [1.0]}, None, {"type": 0, "size": 1, "indices": [], "values": []}]

    assert [[1.0], None] == to_plain(pa.array(rows[:2], SPARK_VECTOR)).to_pylist()
    assert pa.types.is_struct(to_plain(pa.array(rows, SPARK_VECTOR)).type)


@pytest.mark.parametrize("name", [*TEXTS, *LISTS])
def test_batches_without_rows_have_plain_types(name):
    """A table without rows has the types of its columns."""
    array = ({**TEXTS, **LISTS})[name]([None]).slice(1)

    assert 0 == len(to_plain(array))


def test_columns_with_one_name_stay_apart():
    """They are told apart by position."""
    arrays = [pa.array([b"a"]), pa.array([b"b"])]

    batch = to_plain_batch(pa.RecordBatch.from_arrays(arrays, names=["x", "x"]))

    assert [["a"], ["b"]] == [column.to_pylist() for column in batch.columns]


def test_plain_batch_is_not_copied():
    """The common types cost nothing."""
    batch = pa.record_batch({"a": ["x"], "b": [[1.0]], "c": [1]})

    assert to_plain_batch(batch) is batch
