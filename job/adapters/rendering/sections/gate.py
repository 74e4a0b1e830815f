"""The criteria of the gate, with the result and reason of each."""

from __future__ import annotations

from collections.abc import Mapping

from job.adapters.rendering.sections.section import Section
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.metadata import Metadata

_TEMPLATE = """
<p>This section shows each criterion of the gate, which accepts or rejects the candidate.</p>
<div class="scroll" role="region" tabindex="0" aria-label="Criteria of the gate"><table>
<caption>The candidate is rejected if a criterion is not met, unless that criterion only warns.
</caption>
<thead><tr><th scope="col">Criterion</th><th scope="col">Result</th>
<th scope="col" class="n">Value</th><th scope="col" class="n">Threshold</th>
<th scope="col">Reason</th></tr></thead>
<tbody>{% for c in criteria %}<tr><th scope="row">{{ c.name|metric }}</th>
<td>{% if c.is_met %}<span class="met">✓ met</span>{% elif c.is_binding %}<span class="unmet">✕ \
not met</span>{% else %}<span class="warned">! warns</span>{% endif %}</td>
<td class="n">{{ c.value|number }}</td><td class="n">{{ c.threshold|number }}</td>
<td class="words">{{ c.reason }}{% if c.rule == "default" %} (decided by
<code>gate.inconclusive</code>: the data cannot show <code>gate.margin</code>){% endif %}</td></tr>
{% endfor %}</tbody></table></div>
{% if can_show %}<h3>Power of the comparison</h3>
<p>A retraining that is as good as the champion is accepted with a probability of
{{ can_show.equal_accepted|number }}. A drop of {{ can_show.metric|metric }} by
{{ can_show.largest_drop|number }} is accepted at most one time in twenty.</p>{% endif %}
"""


def _values(_: Metadata, evaluation: Evaluation) -> Mapping[str, object] | None:
    gate = evaluation.gate
    return {"criteria": gate.criteria, "can_show": gate.can_show} if gate.criteria else None


SECTION = Section(anchor="gate", title="Gate criteria", template=_TEMPLATE, values=_values)
