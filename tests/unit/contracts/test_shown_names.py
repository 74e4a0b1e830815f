"""A name from a file is shown if it is known, similar to a known one, or plain in a sound file."""

import pytest

from job.contracts.shown_names import NameRule, find_similar, is_plain, select_notes

KNOWN = frozenset({"text", "intent", "word_count"})


@pytest.mark.parametrize(
    ("name", "is_allowed"),
    [
        ("app_version", True),
        ("größe", True),
        ("dim_1023", True),
        ("x" * 39, True),
        ("x" * 40, False),
        ("", False),
        ("_", False),
        ("first name", False),
        ("jane@example.com", False),
        ("case-48151", False),
        ("4711", False),
        ("text\n", False),
        ("\ufefftext", False),
    ],
)
def test_plain_name_is_no_sentence_address_or_id(name, is_allowed):
    assert is_allowed == is_plain(name)


@pytest.mark.parametrize(
    ("name", "in_sound_file", "in_other_file"),
    [
        ("intent", True, True),
        ("Intent ", True, True),
        ("\ufeffWord Count", True, True),
        ("itent", True, True),
        ("customer", True, False),
        ("Vincent", True, False),
        ("", False, False),
        ("-", False, False),
        ("Please delete the text", False, False),
        (f"text{'.' * 40}", False, False),
    ],
)
def test_name_is_shown_by_the_rule(name, in_sound_file, in_other_file):
    """A word that is only somewhat similar to a known name can be the name of a person."""
    rules = [NameRule(known=KNOWN, is_complete=is_complete) for is_complete in (True, False)]

    assert [in_sound_file, in_other_file] == [rule.shows(name) for rule in rules]


def test_other_names_are_numbered():
    """Numbers are those of the columns, from 1; the list ends after ten."""
    rule = NameRule(known=KNOWN, is_complete=False)

    assert "column 2" == rule.show("Jane", 2)
    assert "'text', column 2" == rule.quote_all(["text", "Jane"])
    assert rule.quote_all(["Jane"] * 12).endswith(", column 10 and 2 more")


def test_similar_name_must_be_plain():
    assert "word_count" == find_similar("wordcount", KNOWN)
    assert find_similar("intent?", KNOWN) is None


@pytest.mark.parametrize(
    ("key", "value", "is_allowed"),
    [
        ("created_at", "2026-06-01T02:00:00+00:00", True),
        ("created_at", "on the day I wrote to you", False),
        ("description", "curated", True),
        ("description", "Dear Sir, please delete my data", False),
        ("embedding_model", "sentence-transformers/all-MiniLM-L6-v2", True),
        ("embedding_model", "synthetic: seeded projection of hashed n-grams, seed 7", True),
        ("embedding_model", "the model of Jane Doe", False),
        ("git_commit", "0123456789abcdef0123456789abcdef01234567", True),
        ("git_commit", "HEAD of Jane", False),
        ("license", "CC-BY-4.0", True),
        ("schema_version", "1.2.0", True),
        ("seed", "42", True),
        ("seed", "+49 30 1234567", False),
        ("version", "v3", True),
        ("owner", "jane", False),
    ],
)
def test_note_is_shown_if_its_value_has_the_form_of_its_key(key, value, is_allowed):
    assert ({key: value} if is_allowed else {}) == select_notes([(key, value)])
