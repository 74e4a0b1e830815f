"""The roles of a table's columns follow from names, types and first cells."""

import pytest

from job.contracts.settings.dataset import DatasetSpec
from job.contracts.table_preview import ColumnPreview, TablePreview
from job.stages.data.find_roles import find_roles

N = 60
LABELS = tuple(("billing", "refund", "other")[n % 3] for n in range(N))
TEXTS = tuple(f"please look at my order number {n} again" for n in range(N))
SHORT_TEXTS = tuple(f"hello there {n}" for n in range(N))
TIMES = tuple(f"2026-01-{1 + n % 28:02} 10:00:00" for n in range(N))
NUMBERS = tuple(f"{n / 7:.4f}" for n in range(N))
LISTS = tuple("[0.1, 0.2, 0.3]" for _ in range(N))
IDS = tuple(f"r{n:04}" for n in range(N))
USERS = tuple(f"u{n % 20:04}" for n in range(N))


def preview(file_format="csv", **columns):
    """A table of columns; a column is its cells, or a pair of type and cells."""
    typed = {
        name: cells
        if isinstance(cells[0], str) and isinstance(cells[1], tuple)
        else ("text", cells)
        for name, cells in columns.items()
    }
    return TablePreview(
        columns=tuple(
            ColumnPreview(name=name, type=kind, cells=cells)
            for name, (kind, cells) in typed.items()
        ),
        n_rows=N,
        format=file_format,
    )


def find(table, stated=(), **spec):
    return find_roles(table, DatasetSpec(**spec), stated)


def columns_of(found):
    return {role: item.column for role, item in found.roles.items()}


@pytest.mark.parametrize(
    ("columns", "roles"),
    [
        ({"comment": TEXTS, "label": LABELS}, {"target": "label", "text": "comment"}),
        (
            {"utterance": TEXTS, "category": LABELS, "created": TIMES},
            {"target": "category", "text": "utterance", "timestamp": "created"},
        ),
        (
            {"vec": ("list", (384.0,) * N), "topic": LABELS},
            {"target": "topic", "embeddings": "vec"},
        ),
        ({"vec": LISTS, "topic": LABELS}, {"target": "topic", "embeddings": "vec"}),
        (
            {"label": LABELS, **{f"e{n}": NUMBERS for n in range(12)}},
            {"target": "label", "embeddings": "e*"},
        ),
        (
            {"ID": IDS, "User Id": USERS, "Body": TEXTS, "Queue": LABELS},
            {"target": "Queue", "text": "Body", "id": "ID", "group": "User Id"},
        ),
        # the subject is a text here, although it could be the name of a label
        ({"subject": TEXTS, "label": LABELS}, {"target": "label", "text": "subject"}),
        # no usual name of a label: the only repeated column is the label
        ({"text": TEXTS, "kind_of_case": LABELS}, {"target": "kind_of_case", "text": "text"}),
        # no usual name of a text: the longest text is the text
        (
            {"label": LABELS, "greeting": SHORT_TEXTS, "what_happened": TEXTS},
            {"target": "label", "text": "what_happened"},
        ),
        # a column with an address is no text, if there is one
        (
            {
                "email": tuple(f"p{n}@example.com" for n in range(N)),
                "message_text": TEXTS,
                "label": LABELS,
            },
            {"target": "label", "text": "message_text"},
        ),
        # a column of one value is no label, if there is another
        (
            {"body": TEXTS, "type": ("mail",) * N, "ticket_category": LABELS, "topic": LABELS},
            {"target": "topic", "text": "body"},
        ),
        # other columns with the letter of the embeddings
        (
            {"entry1": TEXTS, "label": LABELS, **{f"e{n}": NUMBERS for n in range(16)}},
            {"target": "label", "text": "entry1", "embeddings": "e*"},
        ),
        # the answers of a survey are numbered, too
        (
            {
                "text": TEXTS,
                "label": LABELS,
                **{f"q{n}": tuple(str(1 + k % 5) for k in range(N)) for n in range(10)},
            },
            {"target": "label", "text": "text"},
        ),
        # a list of words is no embedding
        (
            {"tags": ('["vip", "de"]',) * N, "text": TEXTS, "label": LABELS},
            {"target": "label", "text": "text"},
        ),
        # numbers are labels only by name
        (
            {"label": tuple(str(n % 4) for n in range(N)), "text": TEXTS},
            {"target": "label", "text": "text"},
        ),
    ],
)
def test_roles(columns, roles):
    assert roles == columns_of(find(preview(**columns)))


def test_ambiguous_label_is_not_chosen():
    """Two columns of repeated values with unusual names: the job does not guess."""
    found = find(preview(text=TEXTS, first_kind=LABELS, second_kind=LABELS))

    assert "target" not in found.roles
    assert ("first_kind", "second_kind") == found.possible_targets


def test_stated_role_is_not_looked_for():
    found = find(preview(comment=TEXTS, label=LABELS), stated={"text"})

    assert {"target": "label"} == columns_of(found)


def test_default_columns_come_first():
    found = find(preview(intent=LABELS, label=LABELS, text=TEXTS, comment=TEXTS))

    assert {"target": "intent", "text": "text"} == columns_of(found)
    assert "settings" == found.roles["target"].source


def test_aliases_are_applied():
    found = find(preview(klasse=LABELS, text=TEXTS), aliases={"klasse": "intent"})

    assert "intent" == found.column("target")


def test_first_row_in_the_place_of_a_header():
    """Names that are cells of their own column, or that nobody knows, are no header."""
    found = find(preview(**{"refund": LABELS, "please look at my order": TEXTS}))

    assert not found.has_header


def test_numbers_in_the_place_of_a_header():
    """The first row of a file of embeddings is a row, although its cells end in numbers."""
    first_row = {f"0.{10000 + n}": NUMBERS for n in range(16)}
    found = find(preview(**{"Schmidt": IDS, "confidential": LABELS, **first_row}))

    assert not found.has_header
    assert "embeddings" not in found.roles


def test_numbered_columns_alone_are_no_header():
    found = find(preview(**{"Schmidt": IDS, **{f"e{n}": NUMBERS for n in range(16)}}))

    assert "e*" == found.column("embeddings")
    assert not found.has_header


def test_further_usual_names_are_told():
    found = find(preview(text=TEXTS, label=LABELS, category=LABELS, message=TEXTS))

    assert ("category",) == found.roles["target"].others


def test_usual_name_that_is_a_cell_does_not_count():
    """A table of labels such as `subject` whose first row is in the place of the header."""
    labels = tuple(("subject", "other")[n % 2] for n in range(N))
    found = find(preview(**{"subject": labels, "please look": TEXTS}))

    assert not found.has_header


@pytest.mark.parametrize("n_columns", [4, 5])
def test_upstream_is_recognized_by_half_of_its_columns(n_columns):
    names = ("intent", "confidence", "text_length", "word_count", "urgency_score")[:n_columns]
    found = find(preview(**dict.fromkeys(names, LABELS)))

    assert (n_columns == 5) == found.is_upstream


def test_empty_table_has_no_roles():
    found = find(preview(a=("text", ()), b=("text", ())))

    assert {} == columns_of(found)
    assert not found.has_header
