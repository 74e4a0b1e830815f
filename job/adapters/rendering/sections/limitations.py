"""What was found in this run that a reader must know."""

from __future__ import annotations

from typing import Any

from job.adapters.rendering.sections.section import Section

_TEMPLATE = """<ul>{% for text in limitations %}<li>{{ text }}</li>{% endfor %}</ul>"""


def _values(metadata: dict[str, Any], _: dict[str, Any]) -> dict[str, Any] | None:
    limitations = metadata.get("limitations")
    return {"limitations": limitations} if limitations else None


SECTION = Section(anchor="limitations", title="Limitations", template=_TEMPLATE, values=_values)
