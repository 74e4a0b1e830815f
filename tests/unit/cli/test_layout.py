"""Text for a terminal: no line is wider than it, and digests are short."""

import pytest

from job.cli.layout import lay_out_columns, lay_out_mapping, to_cell

DIGEST = "0123456789ab" + 52 * "c"


def test_columns_are_as_wide_as_their_cells():
    """Numbers are aligned to the right."""
    lines = lay_out_columns(("what", "a"), [("x", 0.5), ("longer", None), ("y", -12.25)])

    assert ["what    a", "x          0.5", "longer  -", "y       -12.25"] == lines


@pytest.mark.parametrize("width", [40, 80, 120])
def test_table_is_not_wider_than_the_terminal(width):
    """The widest cells are wrapped, and no word is lost."""
    words = [f"word{n}" for n in range(40)]
    lines = lay_out_columns(("name", "why"), [("a", " ".join(words)), ("b", 1)], width)

    assert max(len(line) for line in lines) <= width
    assert words == [word for line in lines[1:-1] for word in line.removeprefix("a").split()]


def test_mapping_is_not_wider_than_the_terminal(monkeypatch):
    """A value that is wrapped continues below its beginning."""
    monkeypatch.setattr("job.cli.layout.terminal_width", lambda: 60)
    lines = lay_out_mapping({"outer": {"key": " ".join(["word"] * 30)}, "long": "x" * 150})

    assert max(len(line) for line in lines) <= 60
    assert lines[2].startswith(" " * 29)


def test_digest_is_cut_to_twelve_digits():
    """Enough to compare two of them by eye; JSON has all digits."""
    assert "sha256:0123456789ab" == to_cell(f"sha256:{DIGEST}")


def test_list_of_digests_is_cut_too():
    """The rest of the value does not change."""
    assert '["a", "0123456789ab"]' == to_cell(["a", DIGEST])
