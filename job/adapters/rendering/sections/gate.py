"""Everything the gate looked at."""

from __future__ import annotations

from typing import Any

from job.adapters.rendering.sections.section import Section

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
<td class="words">{{ c.reason }}{% if c.rule == "default" %} (by the default for data that
cannot show the margin){% endif %}</td></tr>
{% endfor %}</tbody></table></div>
{% if can_show %}<h3>What this table can show</h3>
<p>Of retrainings that are as good as the champion, a share of {{ can_show.equal_accepted|number }}
passes. A drop of {{ can_show.metric|metric }} by {{ can_show.largest_drop|number }} passes in at
most one of twenty.</p>{% endif %}
"""


def _values(_: dict[str, Any], evaluation: dict[str, Any]) -> dict[str, Any] | None:
    gate = evaluation["gate"]
    criteria = [{"rule": None, **criterion} for criterion in gate["criteria"]]
    return {"criteria": criteria, "can_show": gate.get("can_show")} if criteria else None


SECTION = Section(anchor="gate", title="The gate", template=_TEMPLATE, values=_values)
