"""Everything the gate looked at."""

from __future__ import annotations

from collections.abc import Mapping

from job.adapters.rendering.sections.section import Section
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.metadata import Metadata

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


def _values(_: Metadata, evaluation: Evaluation) -> Mapping[str, object] | None:
    gate = evaluation.gate
    return {"criteria": gate.criteria, "can_show": gate.can_show} if gate.criteria else None


SECTION = Section(anchor="gate", title="The gate", template=_TEMPLATE, values=_values)
