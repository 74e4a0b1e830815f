"""Flat views of nested settings and metadata."""

from typing import Any


def flatten(content: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Return pairs of dotted key and value; an empty mapping is a value.

    >>> flatten({"a": {"b": 1}, "c": {}})
    [('a.b', 1), ('c', {})]
    """
    items: list[tuple[str, Any]] = []
    for key, value in content.items():
        is_nested = isinstance(value, dict) and value
        items += flatten(value, f"{prefix}{key}.") if is_nested else [(f"{prefix}{key}", value)]
    return items
