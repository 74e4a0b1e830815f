"""Everything the gate looked at."""

from __future__ import annotations

from typing import Any

from job.adapters.rendering.sections.section import Section
from job.adapters.rendering.words import metric_name

_TEMPLATE = """
<div class="scroll" role="region" tabindex="0" aria-label="Criteria of the gate"><table>
<caption>A criterion that is not met rejects the candidate, unless it only warns.</caption>
<thead><tr><th scope="col">Criterion</th><th scope="col">Verdict</th>
<th scope="col" class="n">Value</th><th scope="col" class="n">Threshold</th>
<th scope="col">Reason</th></tr></thead>
<tbody>{% for c in criteria %}<tr><th scope="row">{{ c.name|metric }}</th>
<td>{% if c.is_met %}<span class="met">✓ met</span>{% elif c.is_binding %}<span class="unmet">✕ \
not met</span>{% else %}<span class="warned">! warns</span>{% endif %}</td>
<td class="n">{{ c.value|number }}</td><td class="n">{{ c.threshold|number }}</td>
<td class="words">{{ c.reason }}</td></tr>
{% endfor %}</tbody></table></div>
"""


def _values(_: dict[str, Any], evaluation: dict[str, Any]) -> dict[str, Any] | None:
    criteria = evaluation["gate"]["criteria"]
    return {"criteria": criteria, "name": metric_name} if criteria else None


SECTION = Section(anchor="gate", title="The gate", template=_TEMPLATE, values=_values)
