"""Words of the data mean nothing where they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from support.reports import HOSTILE

from job.adapters.rendering.escaping import as_code, breakable, finalize, in_markdown, visible

GITHUB = MarkdownIt("gfm-like", {"html": True, "linkify": False})


@given(st.text())
def test_only_what_has_a_shape_is_visible(text):
    assert visible(text).replace("\u200c", "").replace("\u200d", "").isprintable() or any(
        ord(c) > 127 for c in visible(text)
    )
    visible(text).encode()


@given(st.text())
def test_markup_of_html_is_escaped(text):
    assert not set("<>\"'") & set(finalize(text))
    assert not set("\"'") & set(breakable(text).replace("<wbr>", ""))


@given(st.one_of(st.text(), st.text(alphabet="`*_[]()<>!#|\\&;-+1. \n=~:@ahtpw/")))
@pytest.mark.parametrize("form", [in_markdown, as_code])
def test_markdown_of_a_text_is_one_paragraph_of_itself(form, text):
    """No element but the code span, and its words are those of the text."""
    tokens = GITHUB.parse(form(text))
    inside = [child.type for token in tokens for child in token.children or ()]

    assert {t.type for t in tokens} <= {"paragraph_open", "inline", "paragraph_close"}
    assert set(inside) <= {"text", "text_special", "code_inline"}


@pytest.mark.parametrize("name", HOSTILE)
def test_cell_of_a_table_stays_one_cell(name):
    """Whatever is in it."""
    table = f"| a | b |\n|---|---|\n| {as_code(name)} | {in_markdown(name)} |\n"
    cells = [token for token in GITHUB.parse(table) if token.type == "td_open"]

    assert 2 == len(cells)


def test_joiners_of_letters_stay():
    """Words of some languages need them."""
    assert "a\u200cb" == visible("a\u200cb")
