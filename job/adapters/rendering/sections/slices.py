"""Accuracy of slices of the evaluated rows, such as all rows with one value of a column."""

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
<p>This section compares the accuracy of each slice (such as the rows with one value in a column)
with that of all other rows in {{ judged }}.</p>
{% if worse %}<p>Slices with a significantly lower accuracy, with all slices tested together:
{% for r in worse %}<strong>{{ r.column }}: {{ r.value }}</strong>\
{% if not loop.last %}, {% endif %}{% endfor %}.</p>
{% elif rows %}<p>No slice has a significantly lower accuracy, with all slices tested together.
</p>{% endif %}
{% if rows %}<div class="scroll tall" role="region" tabindex="0" aria-label="Accuracy of slices">
<table class="sortable"><caption>The whiskers are the {{ level|percent }} confidence interval of the
accuracy. The difference is the slice's accuracy minus that of all other rows; its upper bounds
hold for all slices simultaneously.{% if n_more %} {{ n_more|count }} more slices with a higher
accuracy are in evaluation.json.{% endif %}</caption>
<thead><tr><th scope="col">Slice</th><th scope="col" class="n">Rows</th>
<th scope="col" class="n">Groups</th>
<td class="dotted"></td><th scope="col" class="n">Accuracy</th>
<th scope="col" class="n">Interval</th>
<th scope="col" class="n" aria-sort="ascending">Difference</th>
<th scope="col" class="n">Upper bound of the difference</th>
{% if metric %}<th scope="col" class="n">{{ metric }}</th>{% endif %}</tr></thead>
<tbody>{% for r in rows %}<tr><th scope="row">{{ r.column|breakable }}: {{ r.value }}</th>
<td class="n">{{ r.n_rows|count }}</td><td class="n">{{ r.n_groups|count }}</td>
<td class="dotted">{{ r.dots }}</td><td class="n strong">{{ r.accuracy.value|score }}</td>
<td class="n">{{ r.accuracy.lower|score }} to {{ r.accuracy.upper|score }}</td>
<td class="n">{{ r.difference|signed }}</td>
<td class="n">{{ r.difference_upper_bound|signed }}</td>
{% if metric %}<td class="n">{{ r.score|score }}</td>{% endif %}</tr>
{% endfor %}</tbody></table></div>{% endif %}
{% if n_not_shown %}<p class="note">Slices that are not shown: {{ n_not_shown|count }}. The slice,
or the set of all other rows, has fewer than {{ min_rows|count }} rows or {{ min_groups|count }}
groups.</p>
{% endif %}
{% if single_valued %}<p class="note">Columns without slices, because all rows have one value or all
values are too rare to be named:
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
