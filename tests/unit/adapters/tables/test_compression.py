"""Compressed CSV files are read completely, and told from files that are not what they seem."""

import bz2
import gzip
import lzma

import pyarrow as pa
import pytest

from job.adapters.tables import ArrowTables
from job.adapters.tables.preview import read_preview
from job.contracts.settings.dataset import CsvSpec
from job.errors import DatasetUnreadableError

HEAD, TAIL = b"text,intent\n" + b"hello,a\n" * 3000, b"bye,b\n" * 3000


def zstd(data):
    return pa.Codec("zstd").compress(data, asbytes=True)


PACKERS = {"gz": gzip.compress, "bz2": bz2.compress, "zst": zstd}
NAMES = {"gz": "gzip", "bz2": "bz2", "zst": "zstd"}


def read(path):
    table = ArrowTables().open(str(path))
    return pa.Table.from_batches(table.batches(table.names)).to_pydict()


def preview(path):
    return read_preview(path, "t", CsvSpec())


@pytest.mark.parametrize("suffix", PACKERS)
@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_parts_that_were_joined_are_read_completely(suffix, codec, tmp_path):
    """Members of gzip, streams of bz2 and frames of zstd can follow each other in one file."""
    pack, path = PACKERS[suffix], tmp_path / f"t.csv.{suffix}"
    both = (HEAD + TAIL).decode().encode(codec)
    path.write_bytes(pack(both[:20_001]) + pack(both[20_001:]))

    assert {"text": ["hello"] * 3000 + ["bye"] * 3000, "intent": ["a"] * 3000 + ["b"] * 3000} == (
        read(path)
    )
    assert (6000, ("text", "intent")) == (preview(path).n_rows, preview(path).names)


def test_frame_that_is_skipped_may_come_first(tmp_path):
    """Parallel programs write one before each frame."""
    path = tmp_path / "t.tsv.zst"
    path.write_bytes(b"\x50\x2a\x4d\x18\x04\0\0\0abcd" + zstd(b"text\tintent\nhello\ta\n"))

    assert {"text": ["hello"], "intent": ["a"]} == read(path)
    assert ("hello",) == preview(path).columns[0].cells


@pytest.mark.parametrize("suffix", PACKERS)
@pytest.mark.parametrize("share", [0.3, 0.95])
def test_truncated_file_is_unreadable(suffix, share, tmp_path):
    """It is not read up to its end."""
    data = PACKERS[suffix](HEAD) + PACKERS[suffix](TAIL + bytes(range(48, 58)))
    path = tmp_path / f"t.csv.{suffix}"
    path.write_bytes(data[: int(len(data) * share)])

    for call in (read, preview):
        with pytest.raises(DatasetUnreadableError, match="damaged, truncated") as caught:
            call(path)
        assert "SHA-256" in caught.value.hint


@pytest.mark.parametrize("name", ["t.csv", "t.tsv.gz", "t.csv.bz2", "t.csv.zst", "t.parquet"])
@pytest.mark.parametrize("suffix", [None, "gz", "bz2", "zst", "xz", "zip"])
def test_compression_that_the_name_does_not_state_is_named(name, suffix, tmp_path):
    """The hint names the ending that is right, or the command that decompresses the file."""
    packers = {None: bytes, **PACKERS, "xz": lzma.compress, "zip": lambda d: b"PK\3\4" + d}
    path = tmp_path / name
    path.write_bytes(packers[suffix](HEAD))
    if name.endswith((suffix or ".csv",)) or (suffix is None and name == "t.parquet"):
        return
    found = NAMES.get(suffix, suffix)

    for call in (read, preview):
        with pytest.raises(DatasetUnreadableError) as caught:
            call(path)
        if suffix is None:
            assert "is not compressed with" in str(caught.value)
            assert f"ends in {name[1:5]}, if it is a CSV file" in caught.value.hint
        else:
            assert f"is compressed with {found}, but" in str(caught.value)
            right = f"ends in {name[1:5]}.{suffix}"
            is_read = suffix in PACKERS and name != "t.parquet"
            assert (right if is_read else "decompress it: `") in caught.value.hint
