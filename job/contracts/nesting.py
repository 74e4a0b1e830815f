"""Nested settings and metadata, value by value."""

from typing import Any


def flatten(content: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Return nested values by dotted keys; an empty mapping is a value.

    >>> flatten({"a": {"b": 1}, "c": {}})
    [('a.b', 1), ('c', {})]
    """
    found: list[tuple[str, Any]] = []
    for key, value in content.items():
        nested = isinstance(value, dict) and value
        found += flatten(value, f"{prefix}{key}.") if nested else [(f"{prefix}{key}", value)]
    return found
