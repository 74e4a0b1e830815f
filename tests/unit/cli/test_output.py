"""Tables on a terminal; names of the data do not command it."""

from job.cli.output import lay_out_columns, write_result


def test_columns_are_as_wide_as_their_cells():
    """Numbers end at one place."""
    lines = lay_out_columns(("what", "a"), [("x", 0.5), ("longer", None), ("y", -12.25)])

    assert ["what    a", "x          0.5", "longer  -", "y       -12.25"] == lines


def test_name_with_control_characters_is_quoted(capsys):
    """It could color, move, or turn what is written."""
    write_result({"\x1b[31mred": {"a\u202eb": "\x07"}}, "table")

    assert not set("\x1b\x07\u202e") & set(capsys.readouterr().out)
