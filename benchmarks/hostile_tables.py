"""Write hostile tables: hard cells, types, headers, folders and damaged bytes.

How it works
------------
1. A table has labels, texts and up to three further columns.  Some cells and names are replaced by
   hard ones (`benchmarks.hostile_cells`).
2. It is written by a sound writer, as CSV in a dialect, or as Parquet with random types and row
   groups; as one file, or as a folder of parts.
3. Two of five tables are damaged afterwards: bytes are changed, cut or repeated, or the file gets
   another name.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.hostile_arrays import make_array
from benchmarks.hostile_cells import LABELS, NAMES, hostile_text, sentence

_ENCODINGS: Final = ("utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252", "utf-32")
_ROLES: Final = ("text", "timestamp", "id", "group", "embeddings")
_OPTIONS: Final = (
    *("dataset.csv.delimiter=;", "dataset.csv.delimiter=tab", "dataset.csv.encoding=windows-1252"),
    *("dataset.csv.encoding=utf-16", "dataset.columns.embeddings=emb_*", "features.use=[text]"),
    *("dataset.columns.numeric=[extra0]", "dataset.columns.categorical=[extra0]"),
    *("dataset.columns.boolean=[extra0]", "split.near_duplicates=none"),
    *(f"dataset.columns.{role}=extra0" for role in _ROLES),
)
_STRAYS: Final = (
    *("_SUCCESS", ".part-0.csv.crc", "notes.txt", "part-9", "_temporary/0/part-1.csv", "x.json"),
    *(
        "_delta_log/00000000000000000000.json",
        "metadata/v1.metadata.json",
        ".hoodie/x",
        "empty.csv",
    ),
)
_Writer = Callable[[random.Random, Mapping[str, Any]], bytes]
_ENDINGS: Final = ("table.csv", "table.parquet", "table.tsv", "table.csv.gz", "table", "table.zip")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableCase:
    """A hostile table and the command that reads it.

    Attributes
    ----------
    n_rows
        Rows of the table; None if its bytes are damaged, or if a file beside the parts may have
        rows.
    """

    arguments: tuple[str, ...]
    n_rows: int | None


def make_table(rng: random.Random, folder: Path) -> TableCase:
    """Write a table into an empty folder, and return the command that reads it."""
    n_rows = rng.choice((0, 1, 12, 60, 60, 60, 120))
    names = _make_names(rng)
    is_csv = rng.random() < 0.6
    columns = _make_texts(rng, names, n_rows) if is_csv else _make_arrays(rng, names, n_rows)
    n_parts = rng.choice((1, 1, 1, 2, 3))
    ending, write = _pick_csv(rng) if is_csv else (".parquet", _write_parquet)
    root = folder / ("table" if n_parts > 1 else f"table{ending}")
    paths = [root] if n_parts == 1 else [root / f"part-{n}{ending}" for n in range(n_parts)]
    for number, path in enumerate(paths):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(write(rng, {n: c[number::n_parts] for n, c in columns.items()}))
    is_sound = len(columns) == len(names)  # two columns of one name cannot be told apart
    if n_parts > 1 and rng.random() < 0.4:
        stray = root / rng.choice(_STRAYS)
        stray.parent.mkdir(parents=True, exist_ok=True)
        stray.write_bytes(rng.choice((b"", b"{}", b"x,y\n1,2\n")))
        is_sound = False
    if rng.random() < 0.4:
        is_sound = False
        _damage(rng, rng.choice(paths))
        if n_parts == 1 and rng.random() < 0.2:
            root = root.rename(folder / rng.choice(_ENDINGS))
    return TableCase(arguments=_pick_command(rng, str(root)), n_rows=n_rows if is_sound else None)


def _make_names(rng: random.Random) -> list[str]:
    names = ["intent", "text", *(f"extra{n}" for n in range(rng.randint(0, 3)))]
    if rng.random() < 0.25:
        names[rng.randrange(len(names))] = rng.choice(NAMES)
    rng.shuffle(names)
    return names


def _make_texts(rng: random.Random, names: list[str], n_rows: int) -> dict[str, list[str]]:
    share = rng.choice((0.0, 0.02, 0.3, 1.0))
    hard = {rng.choice(names)} if rng.random() < 0.7 else set(names)
    return {
        name: [
            hostile_text(rng)
            if name in hard and rng.random() < share
            else (rng.choice(LABELS) if name == "intent" else sentence(rng))
            for _ in range(n_rows)
        ]
        for name in names
    }


def _make_arrays(rng: random.Random, names: list[str], n_rows: int) -> dict[str, pa.Array]:
    is_hard = rng.random() < 0.3
    return {
        name: pa.array(cells, pa.string())
        if name in ("intent", "text") and not is_hard
        else make_array(rng, n_rows)
        for name, cells in _make_texts(rng, names, n_rows).items()
    }


def _pick_csv(rng: random.Random) -> tuple[str, _Writer]:
    """Return the ending of a CSV file, and a function that writes it in one dialect."""
    delimiter = rng.choice(",,,;\t|")
    encoding = rng.choice(_ENCODINGS)
    quoting: Literal[0, 1] = rng.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
    newline = rng.choice(("\n", "\r\n"))
    pack = rng.choice(("", "", "", ".gz", ".bz2", ".zst"))

    def write(_rng: random.Random, columns: Mapping[str, Any]) -> bytes:
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=newline)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
        data = text.getvalue().encode(encoding, errors="replace")
        match pack:
            case ".gz":
                return gzip.compress(data, mtime=0)
            case ".bz2":
                return bz2.compress(data)
            case ".zst":
                return bytes(pa.Codec("zstd").compress(data, asbytes=True))
        return data

    return f"{'.tsv' if delimiter == chr(9) else '.csv'}{pack}", write


def _write_parquet(rng: random.Random, columns: Mapping[str, Any]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(
        pa.table(dict(columns)),
        sink,
        row_group_size=rng.choice((1, 7, 1000)),
        compression=rng.choice(("none", "snappy", "gzip", "zstd")),
        use_dictionary=rng.random() < 0.5,
        use_deprecated_int96_timestamps=rng.random() < 0.2,
        store_schema=rng.random() < 0.5,
    )
    return sink.getvalue()


def _damage(rng: random.Random, path: Path) -> None:
    """Change, cut or repeat bytes of a file, or replace the file by something else."""
    data = bytearray(path.read_bytes())
    at, end = sorted((rng.randrange(len(data) + 1), rng.randrange(len(data) + 1)))
    match rng.randrange(7):
        case 0:
            data = data[:at]
        case 1:
            for _ in range(rng.choice((1, 5, 200))):
                if data:
                    data[rng.randrange(len(data))] = rng.randrange(256)
        case 2:
            data[at:end] = b""
        case 3:
            data[at:at] = data[at:end] * rng.choice((1, 3))
        case 4:
            data[at:at] = rng.choice(
                (b'"', b"\0", b"\xff\xfe", b"\n", b"\r", b"\\", b"\x1f\x8b", b",")
            )
        case 5:
            data[at:end] = bytes(end - at)
        case _:
            path.unlink()
            path.symlink_to("nowhere")
            return
    path.write_bytes(data)


def _pick_command(rng: random.Random, table: str) -> tuple[str, ...]:
    options = rng.sample(_OPTIONS, rng.choice((0, 0, 1, 1, 2)))
    settings = tuple(part for option in options for part in ("--set", option))
    if rng.random() < 0.2:
        return ("init", table, "--force", *settings)
    few = () if rng.random() < 0.2 else ("--set", "dataset.min_rows=1")
    return ("validate", "--dataset", table, "-o", "json", *few, *settings)
