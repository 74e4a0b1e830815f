"""The comparison that shows that a change of wording changed no code."""

import pytest

from scripts.compare_code import strip_sentences

BEFORE = '''
"""Docstring."""

def report(name, n_rows):
    """Docstring."""
    # comment
    raise ValueError(f"'{name}' has {n_rows} rows", {"n_rows": n_rows})
'''


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""Docstring."""', '"""Another sentence."""'),
        ("# comment", "# another comment"),
        ("'{name}' has {n_rows} rows", "{n_rows} rows in '{name}'"),
    ],
)
def test_sentences_may_change(old, new):
    """Docstrings, comments and messages are sentences."""
    after = BEFORE.replace(old, new)

    assert after != BEFORE
    assert strip_sentences(BEFORE) == strip_sentences(after)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{n_rows} rows", "{len(name)} rows"),
        ("{n_rows} rows", "some rows"),
        ('"n_rows": n_rows', '"rows": n_rows'),
        ("ValueError", "TypeError"),
    ],
)
def test_code_may_not_change(old, new):
    """An inserted value, a key and a name are code."""
    assert strip_sentences(BEFORE) != strip_sentences(BEFORE.replace(old, new))
