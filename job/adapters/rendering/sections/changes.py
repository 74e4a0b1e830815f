"""Differences from the champion: scores first, then settings, data and packages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from job.adapters.rendering.formatting import metric_name
from job.adapters.rendering.sections.section import Section
from job.contracts.metrics import is_negative
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.metadata import Metadata

_METRIC: Final = "metrics."
_TEMPLATE = """
<p>This section lists the differences from the champion, <code>{{ champion }}</code>.
{% if same_rows %}The gate's comparison: {{ same_rows }}.{% endif %}</p>
{% if metrics %}<div class="scroll" role="region" tabindex="0" \
aria-label="Scores compared with the champion's"><table>
<caption>Scores that differ. The two runs may have evaluated different rows. Cross-fitted scores
describe a training recipe; other scores describe a single model.</caption>
<thead><tr><th scope="col">Metric</th><th scope="col" class="n">Champion</th>
<th scope="col" class="n">This model</th><th scope="col" class="n">Difference</th></tr></thead>
<tbody>{% for m in metrics %}<tr><th scope="row">{{ m.name }}</th>
<td class="n">{{ m.change.before|score }}</td><td class="n">{{ m.change.after|score }}</td>
<td class="n">{{ m.change.difference|signed
if m.change.difference is not none else "" }}</td></tr>
{% endfor %}</tbody></table></div>{% endif %}
{% if others %}<details><summary>Other differences: {{ others|length }}</summary>
<div class="scroll" role="region" tabindex="0" aria-label="Other differences"><table>
<caption>Settings, data and packages of the two runs.</caption>
<thead><tr><th scope="col">Key</th><th scope="col">Champion</th><th scope="col">This model</th>
</tr></thead>
<tbody>{% for o in others %}<tr><th scope="row"><code>{{ o.key }}</code></th>
<td class="words">{{ o.change.before|plain }}</td>\
<td class="words">{{ o.change.after|plain }}</td></tr>
{% endfor %}</tbody></table></div></details>{% endif %}
{% if not metrics and not others %}<p>Scores, settings, data and packages are the same.</p>\
{% endif %}
"""


def _values(_: Metadata, evaluation: Evaluation) -> Mapping[str, object] | None:
    changes = evaluation.changes
    if changes is None:
        return None
    reasons = {c.name: c.reason for c in evaluation.gate.criteria}
    rows = changes.changed.items()
    return {
        "champion": changes.champion,
        "same_rows": reasons.get("champion"),
        "metrics": [
            {"name": metric_name(key.removeprefix(_METRIC)), "change": change}
            for key, change in rows
            if key.startswith(_METRIC) and not is_negative(key.removeprefix(_METRIC))
        ],
        "others": [
            {"key": key, "change": change} for key, change in rows if not key.startswith(_METRIC)
        ],
    }


SECTION = Section(
    anchor="changes", title="Differences from the champion", template=_TEMPLATE, values=_values
)
