"""Slices of the test rows, the worst first: where the model fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from job.adapters.rendering.charts import draw_score, scale_of
from job.adapters.rendering.formatting import metric_name
from job.adapters.rendering.methods import judged_rows
from job.adapters.rendering.sections.section import Section
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.metadata import Metadata

_MOST: Final = 40
_TEMPLATE = """
{% if worse %}<p>Shown to be worse than the rest of {{ judged }}, all slices looked at together:
{% for r in worse %}<strong>{{ r.column }}: {{ r.value }}</strong>\
{% if not loop.last %}, {% endif %}{% endfor %}.</p>
{% elif rows %}<p>No slice is shown to be worse than the rest of {{ judged }}, all slices looked
at together.</p>{% endif %}
{% if rows %}<div class="scroll tall" role="region" tabindex="0" aria-label="Accuracy of slices">
<table class="sortable"><caption>Whiskers and brackets are the {{ level|percent }} interval of the
accuracy; the difference is that to the rest of {{ judged }}, its bound holds for all slices at
once.{% if n_more %} {{ n_more|count }} more that are better stand in evaluation.json.{% endif %}
</caption>
<thead><tr><th scope="col">Slice</th><th scope="col" class="n">Rows</th>
<th scope="col" class="n">Groups</th>
<td class="dotted"></td><th scope="col" class="n">Accuracy</th>
<th scope="col" class="n">Interval</th>
<th scope="col" class="n" aria-sort="ascending">Difference</th>
<th scope="col" class="n">At most</th>
{% if metric %}<th scope="col" class="n">{{ metric }}</th>{% endif %}</tr></thead>
<tbody>{% for r in rows %}<tr><th scope="row">{{ r.column|breakable }}: {{ r.value }}</th>
<td class="n">{{ r.n_rows|count }}</td><td class="n">{{ r.n_groups|count }}</td>
<td class="dotted">{{ r.dots }}</td><td class="n strong">{{ r.accuracy.value|score }}</td>
<td class="n">{{ r.accuracy.lower|score }} to {{ r.accuracy.upper|score }}</td>
<td class="n">{{ r.difference|signed }}</td>
<td class="n">{{ r.difference_upper_bound|signed }}</td>
{% if metric %}<td class="n">{{ r.score|score }}</td>{% endif %}</tr>
{% endfor %}</tbody></table></div>{% endif %}
{% if n_not_shown %}<p class="note">Not shown: {{ n_not_shown|count }} with fewer than
{{ min_rows|count }} rows or {{ min_groups|count }} groups, or beside a rest with fewer.</p>
{% endif %}
{% if single_valued %}<p class="note">All rows alike, as far as their values may be named:
{% for name in single_valued %}<code>{{ name }}</code>\
{% if not loop.last %}, {% endif %}{% endfor %}.
</p>{% endif %}
"""


def _values(_: Metadata, evaluation: Evaluation) -> Mapping[str, object] | None:
    slices = evaluation.slices
    if slices is None:
        return None
    rows = slices.scores
    scale = scale_of([row.accuracy.lower for row in rows])
    is_another = slices.metric != "accuracy"
    return {
        **dict(slices),
        "judged": judged_rows(evaluation),
        "rows": [
            {**dict(row), "dots": draw_score(scale, row.accuracy.value, row.accuracy)}
            for row in rows[:_MOST]
        ],
        "n_more": max(0, len(rows) - _MOST),
        "worse": [row for row in rows if row.is_worse],
        "metric": metric_name(slices.metric) if is_another else "",
    }


SECTION = Section(anchor="slices", title="Slices", template=_TEMPLATE, values=_values)
