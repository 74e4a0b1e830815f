"""The criteria of the gate, with the result and reason of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from job.adapters.rendering.sections.section import Section
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.metadata import Metadata
from job.contracts.settings.gate import FloorsSpec

_FLOORS: Final = frozenset(FloorsSpec.model_fields)
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
{% if has_no_floor %}<p>No minimum score is set. To require one, set
<code>gate.floors.accuracy</code>, <code>gate.floors.precision_macro</code>,
<code>gate.floors.recall_macro</code> or <code>gate.floors.f1_macro</code>, for example
<code>--set gate.floors.f1_macro={{ possible_floor }}</code>.</p>{% endif %}
{% if can_show %}<h3>Power of the comparison</h3>
<p>A retraining that is as good as the champion is accepted with a probability of
{{ can_show.equal_accepted|number }}. A drop of {{ can_show.metric|metric }} by
{{ can_show.largest_drop|number }} is accepted at most one time in twenty.</p>{% endif %}
"""


def _values(_: Metadata, evaluation: Evaluation) -> Mapping[str, object] | None:
    gate = evaluation.gate
    if not gate.criteria:
        return None
    lower = evaluation.intervals.scores.get("f1_macro")
    return {
        "criteria": gate.criteria,
        "can_show": gate.can_show,
        "has_no_floor": not any(criterion.name in _FLOORS for criterion in gate.criteria),
        "possible_floor": f"{max(lower.lower, 0):.2f}" if lower else "0.80",
    }


SECTION = Section(anchor="gate", title="Gate criteria", template=_TEMPLATE, values=_values)
