"""Settings follow from the columns of a table where nothing states them."""

import pytest

from job.contracts.table_preview import ColumnPreview, TablePreview
from job.settings import load_settings
from job.table_settings import find_stated_roles, follow_columns

CELLS = {
    "label": tuple(("a", "b", "c")[n % 3] for n in range(30)),
    "intent": tuple(("a", "b", "c")[n % 3] for n in range(30)),
    "comment": tuple(f"a comment with number {n}" for n in range(30)),
    "vec": (384.0,) * 30,
}
UPSTREAM = ("confidence", "timestamp", "text_length", "word_count", "has_personal_info", "text")


def complete(*names, **stated):
    """Load the settings `section__key=value`, and complete them for a table with these columns."""
    flags = [(key.replace("__", "."), "--set", value) for key, value in stated.items()]
    effective = load_settings(None, {}, flags)
    preview = TablePreview(
        columns=tuple(
            ColumnPreview(
                name=name,
                type="list" if name == "vec" else "text",
                cells=CELLS.get(name, tuple(map(str, range(30)))),
            )
            for name in names
        ),
        n_rows=30,
        format="csv",
    )
    return follow_columns(effective, find_stated_roles(effective, preview))


@pytest.mark.parametrize(
    ("names", "features", "suite"),
    [
        (("comment", "label"), ("text",), "labelled_text"),
        (("vec", "label"), ("embeddings",), "labelled_embeddings"),
        (("vec", "comment", "label"), ("text", "embeddings"), "labelled_text_embeddings"),
    ],
)
def test_features_and_suite_follow(names, features, suite):
    settings = complete(*names).settings

    assert features == settings.features.use
    assert suite == settings.expectations.suite
    assert "label" == settings.dataset.columns.target
    assert settings.gate.beat_majority
    assert {None} == set(settings.gate.floors.model_dump().values())
    assert 50 == settings.dataset.min_rows


def test_upstream_keeps_its_contract():
    """Also if a column that it needs is missing, so that the error names this column."""
    effective = complete("intent", *UPSTREAM)

    assert effective.settings == load_settings(None, {}, []).settings
    assert {} == effective.origins


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("features__use", ["text"]),
        ("expectations__suite", "labelled_embeddings"),
        ("dataset__min_rows", 7),
        ("gate__floors__accuracy", 0.5),
        ("gate__beat_majority", False),
        ("dataset__columns__target", "comment"),
        ("dataset__columns__text", None),
    ],
)
def test_what_is_stated_is_kept(key, value):
    settings = complete("vec", "comment", "label", **{key: value}).settings

    found = settings.model_dump()
    for part in key.split("__"):
        found = found[part]
    assert (tuple(value) if isinstance(value, list) else value) == found


@pytest.mark.parametrize(
    ("suite", "features"), [("labelled_text", ("text",)), ("labelled_embeddings", ("embeddings",))]
)
def test_features_follow_a_stated_suite(suite, features):
    """The suite says which of text and embeddings the table is used for."""
    settings = complete("vec", "comment", "label", expectations__suite=suite).settings

    assert features == settings.features.use


def test_nothing_is_relaxed_for_a_suite_of_ones_own():
    """It may be for the upstream's table, of which an export has lost columns."""
    effective = complete("vec", "comment", "label", expectations__suite="own.json")

    assert 5000 == effective.settings.dataset.min_rows
    assert 0.85 == effective.settings.gate.floors.accuracy


def test_label_that_only_its_cells_show_is_not_followed():
    """A run then asks for the label; `pcc-job init` writes it into the settings."""
    preview = TablePreview(
        columns=(
            ColumnPreview(name="comment", type="text", cells=CELLS["comment"]),
            ColumnPreview(name="via", type="text", cells=CELLS["label"]),
        ),
        n_rows=30,
        format="csv",
    )
    effective = load_settings(None, {}, [])
    found = find_stated_roles(effective, preview)

    assert "via" == found.column("target")
    assert {} == follow_columns(effective, found).origins


def test_auto_states_nothing():
    stated = {"features__use": "auto", "expectations__suite": "auto"}

    assert complete("comment", "label", **stated).settings == complete("comment", "label").settings


def test_nothing_follows_from_a_table_without_a_header():
    """The run then asks whether the header is missing."""
    assert {} == complete("x", "y").origins


def test_the_source_of_what_follows_is_named():
    origins = complete("comment", "label").origins

    assert "the columns of the table" == origins["features.use"]
