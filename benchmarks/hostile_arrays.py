"""Arrow arrays of the types that writers of Parquet files use, with hard values."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from benchmarks.hostile_cells import CANARY

_HARD_NUMBERS: Final = (0.0, -0.0, 1e308, 5e-324, float("nan"), float("inf"), -1.5, 2.0**53 + 1)
_INTEGERS: Final = (0, 1, -1, 7, 255, 2**31 - 1, 2**53 + 1, 2**63 - 1)
_START: Final = datetime(2026, 1, 1, tzinfo=UTC)


def _some(rng: random.Random, values: Sequence[Any], n: int) -> list[Any]:
    share = rng.choice((0.0, 0.0, 0.3, 1.0))
    return [None if rng.random() < share else rng.choice(values) for _ in range(n)]


def _typed(kind: pa.DataType, values: Sequence[Any]) -> Callable[[random.Random, int], pa.Array]:
    return lambda rng, n: pa.array(_some(rng, values, n), kind)


def _times(kind: pa.DataType, span: int) -> Callable[[random.Random, int], pa.Array]:
    steps = pa.array(range(-span, span, max(span // 50, 1)), pa.int64()).to_pylist()
    return lambda rng, n: pa.array(_some(rng, steps, n), pa.int64()).cast(kind)


def _dictionary(rng: random.Random, n: int) -> pa.Array:
    values = pa.array(["a", f"{CANARY}b", "", "None", "nan"])
    return pa.DictionaryArray.from_arrays(
        pa.array(_some(rng, range(len(values)), n), pa.int32()), values
    )


def _vectors(rng: random.Random, n: int) -> list[list[float] | None]:
    width = rng.choice((0, 1, 3, 8))
    return [
        None
        if rng.random() < 0.02
        else [rng.choice((*_HARD_NUMBERS, rng.random())) for _ in range(width)]
        for _ in range(n)
    ]


def _structs(rng: random.Random, n: int) -> pa.Array:
    return pa.array([{"type": 1, "values": [rng.random()], "note": CANARY} for _ in range(n)])


_MAKERS: Final[tuple[Callable[[random.Random, int], pa.Array], ...]] = (
    *(_typed(kind, _HARD_NUMBERS) for kind in (pa.float64(), pa.float32())),
    _typed(pa.float16(), (0.0, 1.5, float("nan"), float("inf"))),
    _typed(pa.int64(), _INTEGERS),
    _typed(pa.uint64(), (0, 1, 2**64 - 1)),
    _typed(pa.int8(), (0, 1, -128)),
    _typed(pa.bool_(), (True, False)),
    _typed(pa.null(), (None,)),
    *(_typed(kind, ("a", CANARY, "", "\x00", "é")) for kind in (pa.string(), pa.large_string())),
    *(_typed(kind, (b"a", CANARY.encode(), b"\xff\xfe", b"")) for kind in (pa.binary(),)),
    _typed(pa.binary(4), (b"abcd", b"\xff\xff\xff\xff")),
    _typed(pa.decimal128(20, 4), (Decimal("1.5"), Decimal("-99999.1234"))),
    _typed(pa.decimal256(60, 4), (Decimal("1.5"), Decimal(10) ** 40)),
    *(_times(pa.timestamp(unit), 10**9) for unit in ("s", "ms", "us", "ns")),
    _times(pa.timestamp("us", tz="Europe/Berlin"), 10**15),
    _typed(pa.timestamp("us"), (-(10**17), 10**17, 0)),
    _typed(pa.date32(), tuple((_START + timedelta(days=n)).date() for n in (0, 40, -90000))),
    _typed(pa.time64("us"), (0, 10**6)),
    _typed(pa.duration("s"), (0, 10**6)),
    _dictionary,
    lambda rng, n: pa.array(_vectors(rng, n), pa.list_(pa.float64())),
    lambda rng, n: pa.array(_vectors(rng, n), pa.large_list(pa.float32())),
    _typed(pa.list_(pa.string()), (["a", CANARY], [])),
    _typed(pa.list_(pa.list_(pa.float64())), ([[1.0]], [[]])),
    _typed(pa.map_(pa.string(), pa.int64()), ([("a", 1)],)),
    _structs,
)


def make_array(rng: random.Random, n_rows: int) -> pa.Array:
    """Return an array of a random type with `n_rows` values."""
    return rng.choice(_MAKERS)(rng, n_rows)
