"""Flat views of nested settings and metadata."""

from collections.abc import Mapping

from pydantic import JsonValue


def flatten(content: Mapping[str, JsonValue], prefix: str = "") -> list[tuple[str, JsonValue]]:
    """Return pairs of a dotted key and its value; an empty mapping counts as a value.

    >>> flatten({"a": {"b": 1}, "c": {}})
    [('a.b', 1), ('c', {})]
    """
    items: list[tuple[str, JsonValue]] = []
    for key, value in content.items():
        if isinstance(value, dict) and value:
            items += flatten(value, f"{prefix}{key}.")
        else:
            items.append((f"{prefix}{key}", value))
    return items
