"""Rows that a quote has moved into a cell are counted; texts of several lines are not."""

import csv
import gzip
import io
import random

import pytest

from job.adapters.tables import ArrowTables
from job.errors import DatasetUnreadableError

LABELS = ("delete", "opt_out", "access")
DELIMITERS = {",": ",", ";": ";", "\t": "a tab", "|": "|"}


def rows(n=60, *, seed=0):
    """Return rows of an id, a text without delimiters, a label and a score."""
    rng = random.Random(seed)
    words = [
        "please",
        "remove",
        "my",
        "data",
        "from",
        "every",
        "list",
        "that",
        "you",
        "keep",
        "today",
    ]
    return [
        (str(n), " ".join(rng.choices(words, k=8)), rng.choice(LABELS), f"{rng.random():.2f}")
        for n in range(n)
    ]


def as_csv(header, table, delimiter=",", line_end="\n", quoting=csv.QUOTE_MINIMAL):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=line_end, quoting=quoting)
    writer.writerows([header, *table])
    return text.getvalue()


def count(path, content, encoding="utf-8", columns=None):
    """Return the rows that are read, the cells that hold rows, and the rows in them."""
    data = content.encode(encoding)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    table = ArrowTables().open(str(path))
    n_rows = sum(b.num_rows for b in table.batches(columns or table.names))
    found = table.rows_in_cells
    return n_rows, found.n_cells, found.n_rows


HEADER = ("id", "text", "label", "score")


@pytest.mark.parametrize("delimiter", DELIMITERS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_quote_that_is_never_closed_is_counted(delimiter, line_end, encoding, tmp_path):
    """All rows up to the end of the file are in the last cell of a row."""
    table = [(r[0], r[3], r[2], r[1]) for r in rows(80)]
    lines = as_csv(("id", "score", "label", "text"), table, delimiter, line_end).split(line_end)
    head, _, text = lines[30].rpartition(delimiter)
    lines[30] = f'{head}{delimiter}"{text}'

    assert (30, 1, 50) == count(tmp_path / "t.csv", line_end.join(lines), encoding)


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
def test_quote_that_a_later_row_closes_is_counted(name, tmp_path):
    """Each of the stray quotes swallows the rows up to the next text in quotes."""
    lines = as_csv(("label", "text"), [(r[2], r[1]) for r in rows(100)]).splitlines()
    for n in (20, 60):
        lines[n] = lines[n].replace(",", ',"')
        lines[n + 7] = lines[n + 7].replace(",", ',"') + '"'

    assert (86, 2, 14) == count(tmp_path / name, "\n".join(lines))


def test_text_before_the_label_in_quotes_is_counted(tmp_path):
    """The label of the swallowed row becomes the label of the row before."""
    table = [(r[1], r[2]) for r in rows(100)]
    lines = as_csv(("text", "label"), table, quoting=csv.QUOTE_ALL).splitlines()
    for n in (11, 40, 70):
        lines[n] = lines[n].replace('","', ",").rstrip('"')

    assert (97, 3, 3) == count(tmp_path / "t.csv", "\n".join(lines))


def test_quote_in_an_ignored_column_is_counted(tmp_path):
    """The column is not read, but its rows are lost, too."""
    table = [(r[1], r[2], r[0]) for r in rows(80)]
    lines = as_csv(("text", "label", "note"), table).splitlines()
    lines[40] = lines[40].replace(",39", ',"39')

    found = count(tmp_path / "t.csv", "\n".join(lines), columns=("text", "label"))
    assert (40, 1, 40) == found


def test_quote_in_the_header_is_counted(tmp_path):
    """The rows are in the name of the last column."""
    lines = as_csv(("text", "label", "note"), [(r[1], r[2], "n") for r in rows(50)]).splitlines()
    lines[0] = 'text,label,"note'
    lines[40] = lines[40].replace(",n", ',"n') + '"'

    assert (10, 1, 40) == count(tmp_path / "t.csv", "\n".join(lines))


def letter(rng):
    """Return a text of several lines, with delimiters, as people write e-mails."""
    place, name = rng.choice(["Berlin", "Paris"]), rng.choice(["Ann", "Bob"])
    lines = [
        "Dear Sir, dear Madam,",
        "please remove my data, and my phone number; today",
        "I live here:",
        f"{name} Smith,Main Street {rng.randrange(99)}",
        f"{place},{rng.randrange(10_000, 99_999)}",
        "Thanks; bye",
        f"Regards|{name}",
    ]
    return "\n".join(rng.sample(lines, k=rng.randrange(2, 7)))


@pytest.mark.parametrize("delimiter", [",", ";", "|"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize(
    "header", [("text", "label"), ("label", "text"), ("id", "text"), ("text", "label", "id")]
)
def test_letters_of_several_lines_are_no_rows(delimiter, quoting, header, tmp_path):
    """Addresses and salutations have as many delimiters as a row, but not its labels."""
    rng = random.Random(1)
    table = [
        {"id": str(n), "text": letter(rng) if n % 2 else "short, text", "label": LABELS[n % 3]}
        for n in range(400)
    ]
    content = as_csv(header, [[r[name] for name in header] for r in table], delimiter)

    assert (400, 0, 0) == count(tmp_path / "t.csv", content)


def test_table_of_long_letters_only_has_no_rows_in_cells(tmp_path):
    """Labels are learned from all rows, also if each text has several lines."""
    text = "{} lines, and\nwords, and\nno row, at all\nHello,you\nBye"
    content = as_csv(("text", "label"), [(text.format(r[0]), r[2]) for r in rows(300)])

    assert (300, 0, 0) == count(tmp_path / "t.csv", content)


def test_addresses_are_no_rows_of_a_small_table_of_many_classes(tmp_path):
    """Few labels repeat, but an address has none of them."""
    rng = random.Random(3)
    table = [
        (f"{r[1]}\nErika Mustermann Straße 5,{10_000 + n} Berlin\nThanks", f"l{rng.randrange(77)}")
        if n % 3 == 0
        else (r[1], f"class {rng.randrange(77)}")
        for n, r in enumerate(rows(120))
    ]

    assert (120, 0, 0) == count(tmp_path / "t.csv", as_csv(("text", "label"), table))


def test_letter_that_quotes_a_row_is_counted(tmp_path):
    """It cannot be told from a row that was swallowed; the share decides."""
    table = [[r[1], r[2]] for r in rows(200)]
    table[7][0] = "I got this:\nplease remove my data,opt_out\nwhat is it?"

    assert (200, 1, 1) == count(tmp_path / "t.csv", as_csv(("text", "label"), table))


@pytest.mark.parametrize(
    "lines",
    [
        ['5" screen,delete', 'a 6" one,access', 'x"",opt_out'],
        ['"a ""word""",delete', '"ends ""so""",access', '"""",opt_out'],
        ['"a\nb",delete', '"\n",access', '"c\n\nd\n",opt_out'],
    ],
)
def test_quotes_that_are_no_trouble_are_not_counted(lines, tmp_path):
    """Quotes in the middle of a cell, doubled quotes, and line breaks."""
    assert (30, 0, 0) == count(tmp_path / "t.csv", "\n".join(["text,label", *lines * 10]) + "\n")


def test_swallowed_rows_are_counted_across_blocks(tmp_path):
    """Labels are learned from the rows of all blocks, and files of 40 MB have several."""
    table = [(r[2], "x" * 4000 + r[1]) for r in rows(10_000)]
    lines = as_csv(("label", "text"), table).splitlines()
    for n in (100, 9000):
        lines[n] = lines[n].replace(",", ',"')
        lines[n + 3] = lines[n + 3].replace(",", ',"') + '"'

    assert (9994, 2, 6) == count(tmp_path / "t.csv", "\n".join(lines))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    ("end", "n_lines"),
    [
        ('"a,delete\n', 0),
        ('a,"delete', 1),
        ('a,"delete\n', 1),
        ('a,"', 1),
        ('a,"\n', 1),
        ('a,"delete\n\nand so on\n', 3),
        ('a,"delete"\n', 0),
        ('a,"delete"', 0),
        ("a,delete", 0),
        ('a,delete"\n', 0),
        ('a,5" screen\n\n\n', 0),
        ('a,"delete""\n', 1),
        ('a,"delete"""', 0),
    ],
)
def test_file_that_ends_in_a_quoted_cell_is_told(end, n_lines, encoding, tmp_path):
    """It is truncated, or a quote is not closed; all rows before it are read."""
    content = as_csv(("text", "label"), [(r[1], r[2]) for r in rows(20)]) + end
    (tmp_path / "t.csv").write_bytes(content.encode(encoding))
    table = ArrowTables().open(str(tmp_path / "t.csv"))
    if end.startswith('"'):
        with pytest.raises(DatasetUnreadableError, match="1 row has a different number") as caught:
            list(table.batches(table.names))
        assert "is a quote not closed?" in caught.value.hint or "quote cells" in caught.value.hint
        return

    assert 21 == sum(batch.num_rows for batch in table.batches(table.names))
    assert n_lines == table.rows_in_cells.n_open_lines


def test_table_of_one_column_has_no_mark_at_its_end(tmp_path):
    """No row is added."""
    (tmp_path / "t.csv").write_text('text\na\n"b"\n')
    table = ArrowTables().open(str(tmp_path / "t.csv"))

    assert [["a", "b"]] == [b.column(0).to_pylist() for b in table.batches(table.names)]
    assert 0 == table.rows_in_cells.n_open_lines
