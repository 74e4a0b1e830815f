"""What was found in this run that a reader must know."""

from __future__ import annotations

from collections.abc import Mapping

from job.adapters.rendering.metadata import Metadata
from job.adapters.rendering.sections.section import Section
from job.contracts.reports.evaluation import Evaluation

_TEMPLATE = """<ul>{% for text in limitations %}<li>{{ text }}</li>{% endfor %}</ul>"""


def _values(metadata: Metadata, _: Evaluation) -> Mapping[str, object] | None:
    limitations = metadata.get("limitations")
    return {"limitations": limitations} if limitations else None


SECTION = Section(anchor="limitations", title="Limitations", template=_TEMPLATE, values=_values)
