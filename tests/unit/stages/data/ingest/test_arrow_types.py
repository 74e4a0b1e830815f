"""Each type of a Parquet file is read as what it means, or named in an error."""

import json
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.arrow_types import (
    BOOLEANS,
    LISTS,
    NO_CELLS,
    NUMBERS,
    SECRET,
    TEXTS,
    TIMES,
    UNION,
    UUIDS,
    extension,
)
from support.matrices import IN_MEMORY

from job.adapters.tables import ArrowTables
from job.contracts.dataset import MISSING, OK, WRONG_WIDTH
from job.contracts.settings.dataset import ColumnsSpec, DatasetSpec
from job.errors import ContractViolationError, DatasetUnreadableError, JobError
from job.stages.data.ingest import ingest
from job.stages.data.ingest.column_types import fit_embedding_types, fit_type
from job.stages.data.ingest.times import NO_TIME

NOTHING = {"text": None, "numeric": (), "boolean": (), "timestamp": None, "embeddings": None}
ROLES = ("target", "text", "categorical", "numeric", "boolean", "timestamp", "id", "group")
ONCE = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
moments = st.datetimes(min_value=datetime(1700, 1, 1), max_value=datetime(2200, 1, 1)).map(
    lambda t: t.replace(microsecond=t.microsecond // 1000 * 1000)
)


def read(folder, array, role, **options):
    path = folder / "t.parquet"
    pq.write_table(pa.table({"x": array}), path, **options)
    many = role in ("numeric", "boolean", "categorical")
    columns = ColumnsSpec(**{"target": "y", **NOTHING, role: ("x",) if many else "x"})
    return ingest(
        ArrowTables(),
        str(path),
        DatasetSpec(columns=columns),
        required=frozenset(),
        matrices=IN_MEMORY,
    )


def digests(folder, makers, values, role):
    """Return the digests by the name of the type."""
    return {
        name: read(folder, make(values), role).provenance.content_digest
        for name, make in makers.items()
    }


def assert_one(found):
    assert 1 == len(set(found.values())), found


@pytest.mark.parametrize("role", ["target", "text", "id"])
@given(
    values=st.lists(st.none() | st.text(alphabet="aé 1.-T:", max_size=6), min_size=1, max_size=4)
)
@ONCE
def test_texts_have_one_digest(role, values, tmp_path):
    """Of any type of strings or bytes."""
    assert_one(digests(tmp_path, TEXTS, values, role))


@pytest.mark.parametrize("role", ["numeric", "target", "group", "categorical"])
@given(values=st.lists(st.none() | st.integers(0, 100), min_size=1, max_size=4))
@ONCE
def test_numbers_have_one_digest(role, values, tmp_path):
    """As features and as labels: 1, 1.0 and '1' are the same label."""
    assert_one(digests(tmp_path, NUMBERS, values, role))


@pytest.mark.parametrize("role", ["numeric", "boolean", "target"])
@given(values=st.lists(st.none() | st.booleans(), min_size=1, max_size=4))
@ONCE
def test_booleans_have_one_digest(role, values, tmp_path):
    """As features and as labels."""
    assert_one(digests(tmp_path, BOOLEANS, values, role))


@pytest.mark.parametrize("role", ["timestamp", "target", "group"])
@given(values=st.lists(st.none() | moments, min_size=1, max_size=4))
@ONCE
def test_times_have_one_digest(role, values, tmp_path):
    """Of any unit, zone and text."""
    assert_one(digests(tmp_path, TIMES, values, role))


@given(
    rows=st.lists(
        st.none() | st.lists(st.integers(0, 100), min_size=3, max_size=3), min_size=1, max_size=4
    )
)
@ONCE
def test_embeddings_have_one_digest(rows, tmp_path):
    """Of any layout of lists, tensors, vectors and JSON."""
    if all(row is None for row in rows):
        rows = [*rows, [1, 2, 3]]

    assert_one(digests(tmp_path, LISTS, rows, "embeddings"))


@pytest.mark.parametrize("role", ["id", "group", "target", "text"])
def test_uuid_is_read_as_its_text(role, tmp_path):
    """In the canonical form, as programs write it to CSV."""
    array = extension(pa.uuid(), [u.bytes for u in UUIDS], pa.binary(16))
    [column] = read(tmp_path, array, role).of_role(role)

    assert [str(u) for u in UUIDS] == column.values.tolist()


@pytest.mark.parametrize("year", [1, 1500, 1969, 9999])
def test_int96_is_the_time_that_was_written(year, tmp_path):
    """Spark and Impala write such times; nanoseconds cannot hold most of these years."""
    moment = datetime(year, 12, 31, 1, 2, 3)
    [column] = read(
        tmp_path,
        pa.array([moment, None], pa.timestamp("us")),
        "timestamp",
        use_deprecated_int96_timestamps=True,
    ).of_role("timestamp")

    micros = (moment - datetime(1970, 1, 1)) // timedelta(microseconds=1)
    assert ([micros, NO_TIME], 0) == (column.values.tolist(), column.n_unreadable)


@pytest.mark.parametrize("role", [*ROLES, "embeddings"])
@pytest.mark.parametrize("found", NO_CELLS)
def test_other_types_are_named(found, role, tmp_path):
    """With the column, what was expected and how to export it; never the names of fields."""
    with pytest.raises(ContractViolationError) as caught:
        read(tmp_path, NO_CELLS[found], role)

    message = f"{caught.value.message} / {caught.value.hint}"
    assert f"column 'x' has the type {found}" in message
    assert "; expected " in message
    assert "export" in caught.value.hint
    assert SECRET not in message
    assert ("vector_to_array" in message) == ("Spark" in found)


@pytest.mark.parametrize(
    ("array", "role"),
    [
        (pa.array([True]), "timestamp"),
        (pa.array([datetime(2026, 1, 1)]), "numeric"),
        (pa.array([datetime(2026, 1, 1).date()]), "boolean"),
        (pa.array([1], pa.time32("ms")), "numeric"),
        (pa.array([1], pa.time64("us")), "timestamp"),
        (pa.array([1], pa.duration("s")), "target"),
        (pa.array([1], pa.duration("s")), "boolean"),
        (pa.array([[1.0]]), "numeric"),
        (pa.array([["a"]]), "target"),
        (pa.array([datetime(2026, 1, 1)]), "embeddings"),
    ],
    ids=str,
)
def test_type_of_another_role_is_named(array, role, tmp_path):
    """A time is no number, and a truth value is no time."""
    with pytest.raises(ContractViolationError, match=r"column 'x' has the type .*; expected"):
        read(tmp_path, array, role)


@pytest.mark.parametrize("array", [pa.array([1, 2]), pa.array([1.5, None, 2.5])], ids=str)
def test_numbers_as_times_are_counted(array, tmp_path):
    """A rule of the validation names their notation, such as seconds since 1970."""
    [column] = read(tmp_path, array, "timestamp").of_role("timestamp")

    assert 2 == column.n_unreadable


@pytest.mark.parametrize("role", [*ROLES, "embeddings"])
@pytest.mark.parametrize(
    "array",
    [
        pa.nulls(2),
        pa.array([None, float("nan")], pa.float64()),
        *(pa.array([None, None], array.type) for array in NO_CELLS.values()),
        pa.array([None], pa.int64()),
        pa.array([None], pa.duration("s")),
    ],
    ids=lambda array: str(array.type),
)
def test_column_of_missing_cells_has_any_type(array, role, tmp_path):
    """Many writers choose a type by chance if they see no value."""
    dataset = read(tmp_path, array, role)

    for column in dataset.columns:
        assert 0 == column.n_unreadable
    if dataset.embeddings is not None:
        assert not dataset.embeddings.matrix.any()


@pytest.mark.parametrize("array", [UNION, pa.array([(1, 2, 3)], pa.month_day_nano_interval())])
def test_types_that_no_file_has_today_are_named(array):
    """A later version of the reader may return them."""
    for check in (
        *(lambda a, k=k: fit_type(a, k, name="x", uri="t") for k in ("string", "number")),
        lambda a: fit_embedding_types([a], ["x"], "t"),
    ):
        with pytest.raises(
            ContractViolationError, match=r"'x' has the type (union|month_day_nano)"
        ):
            check(array)


@pytest.mark.parametrize("is_json", [True, False])
def test_text_that_is_not_utf8_is_named_in_embeddings(is_json, tmp_path):
    """Not a traceback: JSON text, and texts in lists, are decoded late."""
    cells = pa.StringArray.from_buffers(
        1, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"[\xff")
    )
    array = cells if is_json else pa.ListArray.from_arrays([0, 1], cells)

    with pytest.raises(DatasetUnreadableError, match="column 'x' has text that is not UTF-8"):
        read(tmp_path, array, "embeddings")


@pytest.mark.parametrize("number", ["1e400", "1" + "0" * 400, "1" + "0" * 5000])
def test_number_that_no_float_holds_is_a_defect_of_its_row(number, tmp_path):
    """It is no traceback, and the other row is read."""
    embeddings = read(tmp_path, pa.array(["[1, 2]", f"[1, {number}]"]), "embeddings").embeddings

    assert [[1, 2], [0, 0]] == embeddings.matrix.tolist()
    assert embeddings.defects[1] > 0


def test_wide_columns_have_numbers_of_any_type(tmp_path):
    """A list among them is named."""
    path = tmp_path / "t.parquet"
    spec = DatasetSpec(columns=ColumnsSpec(**{**NOTHING, "target": "y", "embeddings": "e_*"}))
    given = {"spec": spec, "required": frozenset(), "matrices": IN_MEMORY}
    makers = {f"e_{n}": make([1, 2]) for n, make in enumerate(NUMBERS.values())}
    pq.write_table(pa.table(makers), path)
    matrix = ingest(ArrowTables(), str(path), **given).embeddings.matrix
    pq.write_table(pa.table({**makers, "e_99": pa.array([[1.0], [2.0]])}), path)
    with pytest.raises(JobError) as caught:
        ingest(ArrowTables(), str(path), **given)

    assert [[1] * len(makers), [2] * len(makers)] == matrix.tolist()
    assert "column 'e_99' has the type list of double" in caught.value.message


def test_nulls_in_lists_are_defects_of_their_rows(tmp_path):
    """A null and NaN are values that are not finite; an empty list is of another width."""
    rows = [[1.0, 2.0], [1.0, None], [float("nan"), 1.0], [], None, [3.0, 4.0]]
    for kind in (pa.list_(pa.float64()), pa.large_list(pa.float32()), pa.list_view(pa.float64())):
        embeddings = read(tmp_path, pa.array(rows, kind), "embeddings").embeddings

        assert [0, 4, 4, 3, 1, 0] == embeddings.defects.tolist()
        assert [[1, 2], [3, 4]] == embeddings.matrix[[0, 5]].tolist()


@pytest.mark.parametrize("first", [None, []], ids=["missing", "empty"])
@pytest.mark.parametrize("is_json", [False, True])
def test_width_is_that_of_the_first_embedding(first, is_json, tmp_path):
    """A batch without an embedding says nothing about the width."""
    rows = [first] * 3000 + [[1.0, 2.0]] * 1000
    cells = [row if row is None else json.dumps(row) for row in rows] if is_json else rows
    embeddings = read(tmp_path, pa.array(cells), "embeddings").embeddings

    defect = MISSING if first is None else WRONG_WIDTH
    assert (4000, 2) == embeddings.matrix.shape
    assert [defect] * 3000 + [OK] * 1000 == embeddings.defects.tolist()
    assert [1, 2] == embeddings.matrix[-1].tolist()


def test_table_without_an_embedding_has_no_width(tmp_path):
    embeddings = read(tmp_path, pa.array([None] * 30, pa.list_(pa.float32())), "embeddings")

    assert (30, 0) == embeddings.embeddings.matrix.shape
    assert {MISSING} == set(embeddings.embeddings.defects.tolist())
