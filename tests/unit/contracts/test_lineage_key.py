"""Keys are read as they are written, and none of their bytes is shown."""

import pytest

from job.contracts.lineage_key import KeyRing, LineageKey

ONE, OTHER = LineageKey(bytes(32)), LineageKey(bytes(range(32)))


def test_key_is_read_as_it_was_written():
    assert LineageKey.parse(OTHER.to_text()) == OTHER


def test_generated_keys_differ():
    """A key is random."""
    assert LineageKey.generate() != LineageKey.generate()


def test_id_tells_keys_apart_and_is_no_part_of_the_key():
    """It is published."""
    assert len({ONE.id, OTHER.id}) == 2
    assert OTHER.id not in OTHER.to_text()


@pytest.mark.parametrize("show", [repr, str, lambda key: repr(KeyRing((key,)))])
def test_printed_key_is_its_id(show):
    """A traceback or a log shows no key."""
    assert OTHER.id in show(OTHER)
    assert OTHER.to_text()[:8] not in show(OTHER)


@pytest.mark.parametrize("text", ["", "00", "zz" * 32, "00" * 33, "00 " * 32 + "q"])
def test_other_text_is_refused_without_being_quoted(text):
    with pytest.raises(ValueError, match="64 hex digits") as caught:
        LineageKey.parse(text)

    assert not text or text not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        f"{ONE.to_text()}\n{OTHER.to_text()}\n",
        f"# current\n{ONE.to_text()}  # since May\n\n{OTHER.to_text()}",
        f"{ONE.to_text()}, {OTHER.to_text()}",
    ],
    ids=["lines", "comments", "commas"],
)
def test_ring_lists_the_current_key_first(text):
    assert KeyRing.parse(text).keys == (ONE, OTHER)


@pytest.mark.parametrize("text", ["", "\n", "# none\n"])
def test_ring_without_a_key_is_refused(text):
    """An empty secret must not pass as no secret."""
    with pytest.raises(ValueError, match="no lineage key"):
        KeyRing.parse(text)


def test_earlier_keys_follow_the_own_ones():
    ring = KeyRing((ONE,)).with_earlier(KeyRing((OTHER, ONE)))

    assert ring.keys == (ONE, OTHER)
    assert (ring.find(OTHER.id), ring.find("0" * 16)) == (OTHER, None)
