"""Delimiter and encoding of CSV files are found, or the settings state them."""

import csv
import gzip
import io
import random

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from job.adapters.tables import ArrowTables
from job.adapters.tables.dialect import find_dialect
from job.adapters.tables.formats import SourceFile
from job.adapters.tables.preview import read_preview
from job.adapters.tables.streams import _Converted
from job.contracts.settings.dataset import CsvSpec
from job.errors import DatasetUnreadableError

DELIMITERS = (",", ";", "\t", "|")


def read(path, spec=None):
    """Return the delimiter, the encoding and the rows of a table, with its header."""
    table = ArrowTables(csv=spec).open(str(path))
    batches = list(table.batches(table.names))
    rows = [tuple(row.values()) for batch in batches for row in batch.to_pylist()]
    return table.delimiter, table.encoding, [table.names, *rows]


def write(folder, content, name="t.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def as_text(rows, delimiter, quoting=csv.QUOTE_MINIMAL, line_end="\r\n"):
    text = io.StringIO()
    options = {"delimiter": delimiter, "quoting": quoting, "lineterminator": line_end}
    csv.writer(text, **options).writerows(rows)
    return text.getvalue()


PLAIN = [("comment", "label"), ("a", "b", "c"), ("an id", "naïve")]
# names that would be divided if quotes did not count
QUOTED = [("text, all", "x;y"), ("p|q", 'a "word"'), ("tab\there", "line\nhere")]
CELLS = st.text(
    st.one_of(
        st.sampled_from(",;\t|\"\n\r ' aé"),
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    ),
    max_size=20,
)


@st.composite
def tables(draw, names):
    header = draw(st.sampled_from(names))
    return [header, *draw(st.lists(st.tuples(*[CELLS] * len(header)), max_size=6))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tables")


CODECS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"]


def check_round_trip(folder, table, delimiter, codec, quoting):
    mark = "\ufeff" if codec == "utf-16-be" else ""
    path = write(folder, (mark + as_text(table, delimiter, quoting)).encode(codec))
    seen = read_preview(path, "t", CsvSpec())
    columns = [[cell or "" for cell in column.cells] for column in seen.columns]

    encoding = "utf-16" if codec.startswith("utf-16") else "utf-8"
    assert (delimiter, encoding, table) == read(path)
    assert table == [seen.names, *zip(*columns, strict=True)]


@pytest.mark.parametrize("delimiter", DELIMITERS)
@example(
    table=[("comment", "label"), ('a "quoted" word, and\na line; more\tthere', "b|c")],
    codec="utf-16",
)
@settings(deadline=None)
@given(table=tables(PLAIN), codec=st.sampled_from(CODECS))
def test_written_table_is_read_again(delimiter, codec, folder, table):
    """All cells are the same, whatever the delimiter and the encoding are."""
    check_round_trip(folder, table, delimiter, codec, csv.QUOTE_MINIMAL)


@pytest.mark.parametrize("delimiter", DELIMITERS)
@settings(deadline=None)
@given(table=tables([*PLAIN, *QUOTED]), codec=st.sampled_from(CODECS))
def test_quoted_table_is_read_again(delimiter, codec, folder, table):
    """A delimiter in a quoted name does not count."""
    check_round_trip(folder, table, delimiter, codec, csv.QUOTE_ALL)


@pytest.mark.parametrize(
    ("content", "delimiter"),
    [
        ("comment\nhello\n", ","),
        ("comment\nhello; you\nand; you\n", ","),
        ('comment\n"a, b"\n"c, d"\n', ","),
        ('"comment; or text"\na;b\n', ","),
        ("comment,label\na;b;c,d\n", ","),
        ("a;b,c;d\n1;2,3;4\n", ","),
        ("name, first;label\nDoe;x\nRoe;y\n", ";"),
        ("value;label\n1,5;a\n2,5;b\n", ";"),
        ("comment;label\n", ";"),
        ("a|b;c\n1|2\n", "|"),
        ('comment;label\n"a;b\nc;d";x\n', ";"),
        ("comment;label\na;b;c\nd;e;f\ng;h\n", ","),
        ("comment;label\na;b;c\nd;e\ng;h\n", ";"),
        ("a\tb\n1\t2\n", "\t"),
        ("a|b\n1|2\n", "|"),
        ("\n\r\na;b\r1;2\r", ";"),
        ("", ","),
        ("\n", ","),
        ("a;b\n1;" + "x" * 300_000 + "\n", ";"),
        (";".join(f"column_{n:030}" for n in range(9_000)) + "\n", ";"),
    ],
)
def test_delimiter_divides_header_and_rows(content, delimiter, tmp_path):
    """Quotes count; in doubt, the comma is used."""
    path = write(tmp_path, content)
    if content.strip():
        assert delimiter == read_preview(path, "t", CsvSpec()).delimiter
        assert delimiter == ArrowTables().open(str(path)).delimiter
    else:
        with pytest.raises(DatasetUnreadableError, match="is empty"):
            read(path)


@pytest.mark.parametrize(
    ("content", "delimiter"),
    [
        ("comment\tlabel\na,b\tc\n", "\t"),
        ("comment\tlabel,x\na,b\n", "\t"),
        ("comment\na, b\nc\n", "\t"),
        ("comment,label\na,b\n", ","),
        ("comment;label\na;b\n", ";"),
    ],
)
@pytest.mark.parametrize("name", ["t.tsv", "T.TSV", "t.tsv.gz"])
def test_tab_is_the_delimiter_of_tsv(content, delimiter, name, tmp_path):
    """Unless the header has no tab, and another delimiter divides the header and the rows."""
    data = gzip.compress(content.encode()) if name.endswith(".gz") else content
    path = write(tmp_path, data, name)

    assert delimiter == read_preview(path, "t", CsvSpec()).delimiter
    assert delimiter == ArrowTables().open(str(path)).delimiter


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_can_be_set(codec, tmp_path):
    """The zeros of the first character tell the order of the bytes."""
    path = write(tmp_path, "text;intent\né;a\n".encode(codec))

    found = read(path, CsvSpec(encoding="utf-16"))
    assert (";", "utf-16", [("text", "intent"), ("é", "a")]) == found


@pytest.mark.parametrize(
    ("encoding", "codec"), [("windows-1252", "cp1252"), ("latin-1", "latin-1")]
)
def test_eight_bit_encoding_can_be_set(encoding, codec, tmp_path):
    """It cannot be told from the bytes."""
    path = write(tmp_path, "text|intent\n«é»|ü\n".encode(codec))
    spec = CsvSpec(encoding=encoding)

    assert ("|", encoding, [("text", "intent"), ("«é»", "ü")]) == read(path, spec)
    assert ("«é»",) == read_preview(path, "t", spec).columns[0].cells
    with pytest.raises(DatasetUnreadableError, match="is not UTF-8") as caught:
        read(path)
    assert "--set dataset.csv.encoding=windows-1252" in caught.value.hint


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-be", "cp1252"])
def test_long_file_is_transcoded_in_pieces(codec, tmp_path):
    """A character may lie across the end of a piece; memory for the file is not needed."""
    rng = random.Random(0)
    alphabet = "aé€" if codec == "cp1252" else "aé€\U0001f600"
    rows = [("".join(rng.choices(alphabet, k=rng.randrange(400))), "x") for _ in range(20_000)]
    mark = "\ufeff" if codec == "utf-16-be" else ""
    path = write(tmp_path, (mark + as_text([("text", "intent"), *rows], ";")).encode(codec))

    spec = CsvSpec(encoding="windows-1252" if codec == "cp1252" else "auto")
    assert rows == read(path, spec)[2][1:]


@pytest.mark.parametrize(
    ("content", "encoding", "problem", "help"),
    [
        ("a,b\n1,2\n".encode("utf-16"), "utf-8", "byte order mark of UTF-16, but", "auto"),
        ("a,b\n1,2\n".encode("utf-16"), "latin-1", "byte order mark of UTF-16, but", "auto"),
        ("a,b\n1,2\n".encode("utf-8-sig"), "utf-16", "byte order mark of UTF-8, but", "auto"),
        (b"a,b\n1,2\n", "utf-16", "is not UTF-16 text, but", "auto"),
        ("a,b\n”,2\n".encode(), "windows-1252", "no character of windows-1252", "auto"),
    ],
)
def test_contradiction_is_refused_and_the_hint_helps(content, encoding, problem, help, tmp_path):
    """The encoding that the settings state is not that of the file."""
    path = write(tmp_path, content)
    for reader in (read, lambda path, spec: read_preview(path, "t", spec)):
        with pytest.raises(DatasetUnreadableError, match=problem) as caught:
            reader(path, CsvSpec(encoding=encoding))
        assert f"--set dataset.csv.encoding={help}" in caught.value.hint

    assert ("a", "b") == read(path, CsvSpec(encoding=help))[2][0]


def test_undefined_bytes_of_windows_1252_are_read_as_latin_1(tmp_path):
    """The hint names both ways out."""
    path = write(tmp_path, b"a,b\n\x81,\xe9\n")
    with pytest.raises(DatasetUnreadableError, match="no character of windows-1252") as caught:
        read(path, CsvSpec(encoding="windows-1252"))

    assert "dataset.csv.encoding=latin-1" in caught.value.hint
    assert ("\x81", "é") == read(path, CsvSpec(encoding="latin-1"))[2][1]


def test_broken_utf_16_is_refused(tmp_path):
    """Half a character, in the middle or at the end, after the part that is looked at first."""
    sound = as_text([("text", "intent"), *[("x" * 50, "a")] * 20_000], ",").encode("utf-16")
    for broken in (sound + b"\x00\xd8a\x00", sound + b"a"):
        with pytest.raises(DatasetUnreadableError, match="is not UTF-16 text") as caught:
            read(write(tmp_path, broken))
        assert "as UTF-8" in caught.value.hint


def test_each_file_of_a_folder_has_its_own_dialect(tmp_path):
    """Exports of several days may differ."""
    write(tmp_path, "text,intent\na;a,b\n", "1.csv")
    write(tmp_path, "text;intent\nc,c;d\n".encode("utf-16"), "2.csv")
    write(tmp_path, gzip.compress(b"text\tintent\ne,e\tf\n"), "3.tsv.gz")

    rows = [("text", "intent"), ("a;a", "b"), ("c,c", "d"), ("e,e", "f")]
    assert (",", "utf-8", rows) == read(tmp_path)


@pytest.mark.parametrize(
    ("value", "found"), [("\t", "tab"), (r"\t", "tab"), ("tab", "tab"), (";", ";")]
)
def test_tab_has_several_names(value, found):
    """A shell does not pass a tab on."""
    assert found == CsvSpec(delimiter=value).delimiter


@pytest.mark.parametrize("setting", [{"delimiter": "~"}, {"encoding": "utf-7"}, {"quote": "'"}])
def test_other_values_are_refused(setting):
    """They would be read wrongly."""
    with pytest.raises(ValidationError):
        CsvSpec(**setting)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_ragged_rows_are_explained_with_the_delimiter(delimiter, tmp_path):
    """Quotes around the cell help."""
    path = write(tmp_path, as_text([("text", "intent"), ("a", "b"), ("c", "d", "e")], delimiter))
    with pytest.raises(DatasetUnreadableError, match="1 row has a different number") as caught:
        read(path)

    shown = "a tab" if delimiter == "\t" else "';'"
    assert f"quote cells that contain {shown} or a line break" == caught.value.hint


def test_stated_delimiter_is_used(tmp_path):
    """Even if another one would divide the header."""
    path = write(tmp_path, "a;b,c\n1;2,3\n")

    assert ("|", [("a;b,c",), ("1;2,3",)]) == read(path, CsvSpec(delimiter="|"))[::2]
    assert (";", [("a", "b,c"), ("1", "2,3")]) == read(path, CsvSpec(delimiter=";"))[::2]


def test_pyarrow_gets_no_more_bytes_than_it_asks_for(tmp_path):
    """It writes them into a buffer of its own."""
    path = write(tmp_path, ("é" * 3000).encode("latin-1"))
    file = SourceFile(path, "t", csv=CsvSpec(encoding="latin-1"))
    stream = _Converted(file, find_dialect(file), b"")
    pieces = iter(lambda: stream.read(7), b"")

    assert "é" * 3000 == b"".join(piece for piece in pieces if len(piece) <= 7).decode()
    assert isinstance(pa.PythonFile(stream, mode="r"), pa.NativeFile)
