"""Tables on a terminal; names from the data cannot control the terminal."""

from job.cli.output import lay_out_columns, write_result


def test_columns_are_as_wide_as_their_cells():
    """Numbers are aligned to the right."""
    lines = lay_out_columns(("what", "a"), [("x", 0.5), ("longer", None), ("y", -12.25)])

    assert ["what    a", "x          0.5", "longer  -", "y       -12.25"] == lines


def test_name_with_control_characters_is_quoted(capsys):
    """They could change colors, move the cursor, or reverse the text."""
    write_result({"\x1b[31mred": {"a\u202eb": "\x07"}}, "table")

    assert not set("\x1b\x07\u202e") & set(capsys.readouterr().out)
