"""YAML of an operator: plain values, and errors that say what is wrong."""

import pytest

from job.adapters.yaml_values import MAX_BYTES, YamlError, parse_yaml

LEVELS = range(1, 12)
BOMB = "a0: &a0 [x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in LEVELS
)
MERGE_BOMB = BOMB.replace("[x, x]", "{x: y}").replace("[*", "{<<: [*").replace("]\n", "]}\n")
CHAIN = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 40))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("2026-99-99", "2026-99-99"),
        ("2026-01-01", "2026-01-01"),
        ("9223372036854775807", 2**63 - 1),
        ("-0", 0),
        ("{a: &a {b: 1}, c: {<<: *a, d: 2}}", {"a": {"b": 1}, "c": {"b": 1, "d": 2}}),
        ("[&a [1], *a]", [[1], [1]]),
        ("\ufeffa: b", {"a": "b"}),
        ("x" * MAX_BYTES, "x" * MAX_BYTES),
    ],
)
def test_plain_values_are_parsed(text, value):
    """Dates are texts; anchors and merged mappings are allowed."""
    assert value == parse_yaml(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (BOMB, "more than 20,000 values after aliases are copied"),
        (MERGE_BOMB, "more than 20,000 values"),
        (CHAIN, "more than 30 levels after aliases are copied"),
        ("[" * 10_000, "more than 30 levels"),
        ("- " * 10_000, "more than 30 levels"),
        ("&a [*a]", "contains itself"),
        ("&a {b: *a}", "contains itself"),
        ("&a {<<: *a}", "contains itself"),
        ("x: &a\n  *a : b", "contains itself"),
        ("x" * (MAX_BYTES + 1), "is larger than 65,536"),
        ("!!binary x", "the YAML tag '!!binary'"),
        ("!!python/object/apply:os.system [ls]", "the YAML tag '!!python/object/apply:os.system'"),
        ("!x y", "the YAML tag '!x'"),
        ("[!!set {a}]", "the YAML tag"),
        ("a: 1\na: 2", "duplicate key 'a'"),
        ('{"\\e[31m": 1, "\\e[31m": 2}', r"duplicate key '\\u001b\[31m'"),
        ("9" * 5000, r"the number '9{200}\.\.\.', which is not a 64-bit"),
        ("0x" + "f" * 5000, "not a 64-bit"),
        ("0x_", "not a 64-bit"),
        ("1" + ":59" * 3000 + ".5", "not a 64-bit"),
        ("a: 1\nb: [", "is not valid YAML or JSON .line 2"),
        ("a: b\n---\nc: d", "is not valid YAML or JSON"),
        ("{[a]: b}", "is not valid YAML or JSON"),
        ("a: =", "is not valid YAML or JSON"),
        ("<<: 5", "is not valid YAML or JSON"),
        ("a: *b", "is not valid YAML or JSON"),
        ("a: b\n\tc: d", "a tab where only spaces are allowed .line 2"),
        ("a:\tb\n\tc: d", "is not valid YAML or JSON"),
        ("a\x00", "characters that are not allowed"),
        ("\ud800", "characters that are not allowed"),
        ("a: \x1b[31m", "characters that are not allowed"),
    ],
)
def test_other_texts_are_refused(text, problem):
    """The error names the problem; parts of the text are shortened and escaped."""
    with pytest.raises(YamlError, match=problem) as caught:
        parse_yaml(text)

    assert len(str(caught.value)) < 400
    assert str(caught.value).isprintable()
