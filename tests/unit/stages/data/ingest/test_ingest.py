"""The same rows give the same dataset and digest, in every file format and type."""

import json
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from support.matrices import IN_MEMORY

from job.adapters.tables import ArrowTables
from job.contracts.dataset import MISSING, NOT_FINITE, OK, UNREADABLE, WRONG_WIDTH
from job.contracts.settings.dataset import ColumnsSpec, DatasetSpec
from job.errors import ContractViolationError
from job.stages.data.ingest import ingest

N, WIDTH = 50, 6
MATRIX = np.random.default_rng(0).standard_normal((N, WIDTH)).astype(np.float32)


def base(embeddings=None):
    """Return the columns of a small table, with a null text, number, boolean and time."""
    times = pd.date_range("2026-01-01", periods=N, freq="37min", tz="UTC").to_list()
    return {
        "text": pa.array([None, *(f"text, {n}\n" for n in range(1, N))]),
        "intent": pa.array([f"label {n % 3}" for n in range(N)]),
        "confidence": pa.array([None, *(n / 7 for n in range(1, N))]),
        "has_personal_info": pa.array([None, *(n % 2 == 0 for n in range(1, N))]),
        "timestamp": pa.array([None, *times[1:]], pa.timestamp("us", "UTC")),
        "embeddings": pa.array(MATRIX.tolist(), pa.list_(pa.float64()))
        if embeddings is None
        else embeddings,
    }


def read(path, embeddings="embeddings", **spec):
    columns = ColumnsSpec(embeddings=embeddings)
    return ingest(
        ArrowTables(),
        str(path),
        DatasetSpec(columns=columns, **spec),
        required=frozenset(),
        matrices=IN_MEMORY,
    )


def digest(path, **options):
    return read(path, **options).provenance.content_digest


@pytest.fixture
def baseline(tmp_path):
    pq.write_table(pa.table(base()), tmp_path / "baseline.parquet")
    return digest(tmp_path / "baseline.parquet")


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.float32()), pa.large_list(pa.float64()), pa.list_(pa.float32(), WIDTH)]
)
def test_list_encodings_give_one_digest(baseline, tmp_path, kind):
    """Floats count as float32, lists as rows."""
    pq.write_table(pa.table(base(pa.array(MATRIX.tolist(), kind))), tmp_path / "t.parquet")

    assert baseline == digest(tmp_path / "t.parquet")


def test_wide_columns_give_the_digest_of_lists(baseline, tmp_path):
    """Columns of `prefix*` are sorted by the number at their end, not by their order."""
    wide = {f"e_{n}": pa.array(MATRIX[:, n]) for n in reversed(range(WIDTH))}
    columns = {k: v for k, v in base().items() if k != "embeddings"}
    pq.write_table(pa.table({**wide, **columns}), tmp_path / "t.parquet")

    assert baseline == digest(tmp_path / "t.parquet", embeddings="e_*")


def test_wide_columns_are_those_that_end_in_a_number(baseline, tmp_path):
    """Other columns with the prefix are ignored, and listed as such."""
    wide = {f"e_{n}": pa.array(MATRIX[:, n]) for n in range(WIDTH)}
    others = {"e_model": pa.array(["minilm"] * N), "e_norm": pa.array([1.0] * N)}
    columns = {k: v for k, v in base().items() if k != "embeddings"}
    pq.write_table(pa.table({**others, **wide, **columns}), tmp_path / "t.parquet")
    provenance = read(tmp_path / "t.parquet", embeddings="e_*").provenance

    assert (baseline, ("e_model", "e_norm")) == (
        provenance.content_digest,
        provenance.ignored_columns,
    )


def test_csv_gives_the_digest_of_parquet(baseline, tmp_path):
    """Null is the empty string; times may be text; embeddings JSON."""
    cells = pa.array([json.dumps(row) for row in MATRIX.tolist()])
    table = pa.table(base(cells))
    times = [None if t is None else t.isoformat() for t in table["timestamp"].to_pylist()]
    table = table.set_column(4, "timestamp", pa.array(times))
    pacsv.write_csv(table, tmp_path / "t.csv")

    assert baseline == digest(tmp_path / "t.csv")


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_time_units_and_zones_give_one_digest(baseline, tmp_path, unit):
    """Times count as UTC microseconds."""
    table = pa.table(base())
    times = table["timestamp"].cast(pa.timestamp(unit, "Europe/Berlin"))
    pq.write_table(table.set_column(4, "timestamp", times), tmp_path / "t.parquet")

    assert baseline == digest(tmp_path / "t.parquet")


def test_chunking_and_parts_give_one_digest(baseline, tmp_path):
    """A folder of parts is one table, with the parts in the order of their names."""
    folder = tmp_path / "parts"
    folder.mkdir()
    table = pa.table(base())
    pq.write_table(table.slice(0, 20), folder / "part-0.parquet", row_group_size=7)
    pq.write_table(table.slice(20), folder / "part-1.parquet")
    (folder / "_SUCCESS").touch()

    assert baseline == digest(folder)


def test_current_folder_is_a_folder_of_parts(baseline, tmp_path, monkeypatch):
    """Its sidecar lies beside the folder and has its name."""
    folder = tmp_path / "parts"
    folder.mkdir()
    pq.write_table(pa.table(base()), folder / "part-0.parquet")
    (tmp_path / "parts.metadata.json").write_text('{"version": 3}')
    monkeypatch.chdir(folder)
    provenance = read(".").provenance

    assert (baseline, (("version", "3"),)) == (provenance.content_digest, provenance.sidecar)


def test_column_order_and_new_columns_do_not_matter(baseline, tmp_path):
    """Only role columns count, in settings order."""
    columns = dict(reversed(base().items())) | {"new": pa.array(range(N))}
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")

    assert baseline == digest(tmp_path / "t.parquet")


@pytest.mark.parametrize("change", ["row_order", "label", "embedding", "moved_boundary"])
def test_other_rows_give_another_digest(baseline, tmp_path, change):
    """The order of rows, each cell, and the boundaries between cells all count."""
    table = pa.table(base())
    if change == "row_order":
        table = table.take([1, 0, *range(2, N)])
    elif change == "label":
        table = table.set_column(1, "intent", pa.array(["x", *table["intent"].to_pylist()[1:]]))
    elif change == "embedding":
        other = MATRIX.copy()
        other[3, 3] = np.nextafter(other[3, 3], np.float32(9))
        table = pa.table(base(pa.array(other.tolist())))
    else:
        texts = ["t", "ext, 1\n", *table["text"].to_pylist()[2:]]
        table = table.set_column(0, "text", pa.array(texts))
    pq.write_table(table, tmp_path / "t.parquet")

    assert baseline != digest(tmp_path / "t.parquet")


def test_each_row_has_its_defect_code(tmp_path):
    """The matrix is still one block, and defective rows are zero."""
    cells = ["[1, 2]", None, "[1, 2", "[1]", "[1, NaN]", "[1, 1e999]", "[1, 1e39]", '["a", 1]']
    pacsv.write_csv(
        pa.table({"intent": ["a"] * len(cells), "embeddings": cells}), tmp_path / "t.csv"
    )
    embeddings = read(tmp_path / "t.csv").embeddings

    expected = [OK, MISSING, UNREADABLE, WRONG_WIDTH, NOT_FINITE, NOT_FINITE, NOT_FINITE]
    assert [*expected, UNREADABLE] == embeddings.defects.tolist()
    assert (np.float32, (len(cells), 2)) == (
        embeddings.matrix.dtype,
        embeddings.matrix.shape,
    )
    assert embeddings.matrix.flags.c_contiguous
    assert not embeddings.matrix[1:].any()


def test_all_missing_required_columns_are_listed(tmp_path):
    """One message names everything that has to be fixed."""
    pq.write_table(pa.table({"other": [1]}), tmp_path / "t.parquet")

    with pytest.raises(ContractViolationError, match="'intent', 'text'"):
        ingest(
            ArrowTables(),
            str(tmp_path / "t.parquet"),
            DatasetSpec(),
            required=frozenset({"text", "intent"}),
            matrices=IN_MEMORY,
        )


def test_alias_may_not_make_a_second_column_of_one_name(tmp_path):
    """It is ambiguous which of the two columns is meant."""
    pq.write_table(pa.table({"text": ["a"], "message": ["b"]}), tmp_path / "t.parquet")

    with pytest.raises(ContractViolationError, match="more than one column named 'text'"):
        read(tmp_path / "t.parquet", aliases={"message": "text"})


def test_sidecar_and_key_values_are_kept(tmp_path):
    """The upstream's metadata of the table are part of the provenance."""
    table = pa.table(base()).replace_schema_metadata({"upstream_run": "u-1"})
    pq.write_table(table, tmp_path / "t.parquet")
    (tmp_path / "t.metadata.json").write_text('{"version": 3}')
    provenance = read(tmp_path / "t.parquet").provenance

    assert (("upstream_run", "u-1"),) == provenance.metadata
    assert (("version", "3"),) == provenance.sidecar


def test_infinite_number_is_unreadable_and_counts_as_missing(tmp_path):
    """So is one that is too large for float32."""
    table = {"intent": ["a"] * 4, "confidence": [float("inf"), 1e39, None, 0.5]}
    pq.write_table(pa.table(table), tmp_path / "t.parquet")
    [column] = read(tmp_path / "t.parquet").of_role("numeric")

    assert 2 == column.n_unreadable
    assert [True, True, True, False] == np.isnan(column.values).tolist()


STRING_LIKE = {
    "booleans": [True, False] * 3,
    "booleans_with_gaps": [True, None, False] * 2,
    "whole_numbers": [3, 1, 2] * 2,
    "whole_numbers_with_gaps": [2.0, None, 3.0] * 2,
    "nullable_integers": pd.array([2, None, 3] * 2, dtype="Int64"),
    "numbers": [0.1, 1e-7, 2.5] * 2,
    "single_numbers": np.array([0.1, 16777216.0, 2.5] * 2, np.float32),
    "decimals": [Decimal("2.00"), Decimal("2.50"), Decimal("0.10")] * 2,
    "dates": [date(2026, 1, 2), date(2026, 1, 3)] * 3,
    "days": pd.to_datetime(["2026-01-02", "2026-01-03"] * 3),
    "times": pd.to_datetime(
        ["2026-01-02 03:04:05", "2026-01-03 00:00:00.250000"] * 3, format="ISO8601"
    ),
    "times_in_a_zone": pd.to_datetime(["2026-01-02 03:04:05"] * 6).tz_localize("Europe/Berlin"),
    "words": ["2.0", "True", "1.10"] * 2,
}


def write_both_formats(values, folder):
    """Write a table of one column with pandas in both formats, and return the paths."""
    frame = pd.DataFrame({"x": values, "intent": ["a", "b"] * 3})
    frame.to_parquet(folder / "t.parquet")
    frame.to_csv(folder / "t.csv", index=False)
    return folder / "t.parquet", folder / "t.csv"


def read_as(role, path):
    roles = {"text": None, "numeric": (), "boolean": (), "timestamp": None, "embeddings": None}
    columns = ColumnsSpec(**{**roles, role: ("x",) if role == "categorical" else "x"})
    return ingest(
        ArrowTables(),
        str(path),
        DatasetSpec(columns=columns),
        required=frozenset(),
        matrices=IN_MEMORY,
    )


@pytest.mark.parametrize("role", ["target", "categorical", "group", "id"])
@pytest.mark.parametrize("values", STRING_LIKE.values(), ids=STRING_LIKE)
def test_strings_of_any_type_are_the_same_in_csv_and_parquet(values, role, tmp_path):
    """Labels, categories and keys have one canonical form, whatever their type in the file."""
    datasets = [read_as(role, path) for path in write_both_formats(values, tmp_path)]

    parquet, csv = (dataset.of_role(role)[0].values.tolist() for dataset in datasets)
    assert parquet == csv
    assert datasets[0].provenance.content_digest == datasets[1].provenance.content_digest


def test_text_is_not_canonicalized(tmp_path):
    """A consumer passes texts to the model unchanged."""
    pq.write_table(
        pa.table({"text": ["2.0", "True"], "intent": ["a", "b"]}), tmp_path / "t.parquet"
    )

    assert ["2.0", "True"] == read(tmp_path / "t.parquet").strings("text").tolist()


def test_booleans_are_numbers_in_csv_as_in_parquet(tmp_path):
    """A numeric column of true and false is 1 and 0."""
    values = [True, False, True, None, True, False]
    frame = pd.DataFrame({"confidence": values, "intent": ["a"] * 6})
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_csv(tmp_path / "t.csv", index=False)
    columns = [read(tmp_path / name).of_role("numeric")[0] for name in ("t.parquet", "t.csv")]

    assert [0, 0] == [column.n_unreadable for column in columns]
    np.testing.assert_array_equal([1, 0, 1, np.nan, 1, 0], columns[1].values)
    np.testing.assert_array_equal(columns[0].values, columns[1].values)


WRITERS = {
    "large strings": lambda array: array.cast(pa.large_string()),
    "views of strings": lambda array: array.cast(pa.string_view()),
    "dictionaries": lambda array: array.dictionary_encode(),
    "dictionaries of large strings": lambda array: array.cast(
        pa.large_string()
    ).dictionary_encode(),
}


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("is_json", [True, False], ids=["JSON", "lists"])
def test_strings_of_another_writer_give_one_digest(kind, is_json, baseline, tmp_path):
    """Polars writes large strings, and other programs write dictionaries or views."""
    cells = pa.array([json.dumps(row) for row in MATRIX.tolist()]) if is_json else None
    words = ["maybe" if n == 0 else str(n % 2 == 0) for n in range(N)]
    columns = base(cells) | {"has_personal_info": pa.array(words)}
    written = {
        name: WRITERS[kind](array) if array.type == pa.string() else array
        for name, array in columns.items()
    }
    pq.write_table(pa.table(written), tmp_path / "t.parquet")
    dataset = read(tmp_path / "t.parquet")

    assert baseline == dataset.provenance.content_digest
    assert [1] == [column.n_unreadable for column in dataset.of_role("boolean")]


@pytest.mark.parametrize("kind", [pa.float16(), pa.decimal128(6, 2), pa.decimal256(50, 2)])
def test_narrow_and_exact_numbers_are_labels_and_texts(kind, tmp_path):
    """Labels have one form; a text is what the file has."""
    numbers = np.arange(6, dtype=np.float16) % 2
    array = (
        pa.array(numbers)
        if kind == pa.float16()
        else pa.array([Decimal(n % 2) for n in range(6)], kind)
    )
    pq.write_table(
        pa.table({"intent": array, "text": array, "confidence": array}), tmp_path / "t.parquet"
    )
    dataset = read(tmp_path / "t.parquet")

    assert ["0", "1"] * 3 == dataset.strings("target").tolist()
    text = ["0.0", "1.0"] if kind == pa.float16() else ["0.00", "1.00"]
    assert text * 3 == dataset.strings("text").tolist()
    assert [0, 1] * 3 == dataset.of_role("numeric")[0].values.tolist()


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        (pa.list_(pa.float32(), 2), [[1, 2], None, [3, 4]]),
        (pa.large_list(pa.float32()), [[1, 2], None, [3, 4]]),
        (pa.list_(pa.float16(), 2), [[1, 2], None, [3, 4]]),
    ],
)
def test_lists_of_another_writer_may_be_missing(kind, rows, tmp_path):
    """A list of fixed size has values, too, where it is missing."""
    pq.write_table(pa.table({"embeddings": pa.array(rows, kind)}), tmp_path / "t.parquet")
    embeddings = read(tmp_path / "t.parquet").embeddings

    assert [[1, 2], [0, 0], [3, 4]] == embeddings.matrix.tolist()
    assert [OK, MISSING, OK] == embeddings.defects.tolist()
