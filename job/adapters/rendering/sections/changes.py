"""What differs from the champion: scores first, then settings, data and packages."""

from __future__ import annotations

from typing import Any

from job.adapters.rendering.formatting import metric_name
from job.adapters.rendering.sections.section import Section

_TEMPLATE = """
<p>The champion is <code>{{ champion }}</code>.
{% if same_rows %}What the gate compared: {{ same_rows }}.{% endif %}</p>
{% if metrics %}<div class="scroll" role="region" tabindex="0" \
aria-label="Scores beside the champion's"><table>
<caption>Scores that differ, each as its own run judged it: the rows may not be the same ones, and
cross-fitted scores are of a recipe, others of a model.</caption>
<thead><tr><th scope="col">Metric</th><th scope="col" class="n">Champion</th>
<th scope="col" class="n">This model</th><th scope="col" class="n">Difference</th></tr></thead>
<tbody>{% for m in metrics %}<tr><th scope="row">{{ m.name }}</th>
<td class="n">{{ m.before|score }}</td><td class="n">{{ m.after|score }}</td>
<td class="n">{{ m.difference|signed if m.difference is not none else "" }}</td></tr>
{% endfor %}</tbody></table></div>{% endif %}
{% if others %}<details><summary>What else is different: {{ others|length }}</summary>
<div class="scroll" role="region" tabindex="0" aria-label="Other differences"><table>
<caption>Settings, data and packages of the two runs.</caption>
<thead><tr><th scope="col">What</th><th scope="col">Champion</th><th scope="col">This model</th>
</tr></thead>
<tbody>{% for o in others %}<tr><th scope="row"><code>{{ o.key }}</code></th>
<td class="words">{{ o.before|plain }}</td><td class="words">{{ o.after|plain }}</td></tr>
{% endfor %}</tbody></table></div></details>{% endif %}
{% if not metrics and not others %}<p>Scores, settings, data and packages are the same.</p>\
{% endif %}
"""


def _values(_: dict[str, Any], evaluation: dict[str, Any]) -> dict[str, Any] | None:
    changes = evaluation.get("changes")
    if not changes:
        return None
    criteria = {c["name"]: c for c in evaluation["gate"]["criteria"]}
    rows = [{"key": key, "difference": None, **ends} for key, ends in changes["changed"].items()]
    return {
        "champion": changes["champion"],
        "same_rows": criteria["champion"]["reason"] if "champion" in criteria else None,
        "metrics": [
            {**row, "name": metric_name(row["key"].removeprefix("metrics."))}
            for row in rows
            if row["key"].startswith("metrics.") and row["key"] != "metrics.neg_log_loss"
        ],
        "others": [row for row in rows if not row["key"].startswith("metrics.")],
    }


SECTION = Section(anchor="changes", title="Beside the champion", template=_TEMPLATE, values=_values)
