"""The limitations of the model, as the run found them."""

from __future__ import annotations

from collections.abc import Mapping

from job.adapters.rendering.sections.section import Section
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.metadata import Metadata

_TEMPLATE = """<p>Read these limitations of the model before you use it.</p>
<ul>{% for text in limitations %}<li>{{ text }}</li>{% endfor %}</ul>"""


def _values(metadata: Metadata, _: Evaluation) -> Mapping[str, object] | None:
    limitations = metadata.limitations
    return {"limitations": limitations} if limitations else None


SECTION = Section(anchor="limitations", title="Limitations", template=_TEMPLATE, values=_values)
