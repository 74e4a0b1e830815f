"""Scores of this model and of another model on the same rows, as the gate compared them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from job.adapters.rendering.charts import Scale, draw_score
from job.adapters.rendering.formatting import metric_name
from job.adapters.rendering.sections.section import Section
from job.contracts.reports.comparison import Comparison
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.intervals import Interval
from job.contracts.reports.metadata import Metadata

_MAX_CLASSES: Final = 10
_TEMPLATE = """
<p>This section compares this model with the champion and, if one is set, the anchor on the same
rows.</p>
{% for c in comparisons %}
<h3>The {{ c.role|words }}, <code>{{ c.version }}</code></h3>
{% if c.rows %}<div class="scroll" role="region" tabindex="0" \
aria-label="This model compared with the {{ c.role|words }}"><table>
<caption>{% if c.basis == "shared_groups" %}Cross-fitted predictions of both runs, on
{{ c.n_rows|count }} rows in {{ c.n_groups|count }} groups that are in the tables of both runs;
{{ c.n_excluded|count }} other rows were left out.{% elif c.basis == "challenge" %}The published
models, on {{ c.n_rows|count }} requests of the challenge set in {{ c.n_groups|count }} groups;
{{ c.n_excluded|count }} requests were left out because the {{ c.role|words }} was trained on
them.{% else %}{{ c.n_rows|count }} rows in {{ c.n_groups|count }} groups that neither model was
trained on; {{ c.n_excluded|count }} rows were left out because the {{ c.role|words }} was trained
on them.{% endif %}
The first line is the score; the other lines are the recall of each class, largest decrease first.
</caption>
<thead><tr><th scope="col">Score or class</th>
<th scope="col" class="n">{{ c.role|words|capitalize }}</th>
<th scope="col" class="n">This model</th><td class="dotted"></td>
<th scope="col" class="n">Difference</th><th scope="col" class="n">Interval</th></tr></thead>
<tbody>{% for r in c.rows %}<tr><th scope="row">{{ r.row.name }}</th>
<td class="n">{{ r.row.before|score }}</td><td class="n">{{ r.row.after|score }}</td>
<td class="dotted">{{ r.dots }}</td><td class="n strong">{{ r.row.difference.value|signed }}</td>
<td class="n">{{ r.row.difference.lower|signed }} to \
{{ r.row.difference.upper|signed }}</td></tr>
{% endfor %}</tbody></table></div>
{% else %}<p class="note">This model and the {{ c.role|words }} cannot be compared\
{% if c.basis == "challenge" %} on the challenge set{% endif %}: {{ c.problem }}.</p>{% endif %}
{% endfor %}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A row of the table: a score or recall of both models, and its change."""

    name: str
    before: float | None
    after: float | None
    difference: Interval


def _values(_: Metadata, evaluation: Evaluation) -> Mapping[str, object] | None:
    comparisons = evaluation.gate.comparisons
    if not comparisons:
        return None
    return {"comparisons": [{**dict(one), "rows": _draw_rows(one)} for one in comparisons]}


def _draw_rows(comparison: Comparison) -> list[Mapping[str, object]]:
    rows = _list_rows(comparison)
    differences = [row.difference for row in rows]
    ends = [abs(end) for d in differences for end in (d.value, d.lower, d.upper)]
    scale = Scale(low=-max(ends, default=1.0), high=max(ends, default=1.0))
    return [
        {
            "row": row,
            "dots": draw_score(scale, row.difference.value, row.difference, is_signed=True),
        }
        for row in rows
    ]


def _list_rows(comparison: Comparison) -> list[_Row]:
    """Return the row of the score, then the rows of the classes with the largest drop of recall."""
    if comparison.difference is None:
        return []
    score = _Row(
        name=metric_name(comparison.metric),
        before=comparison.champion_score,
        after=comparison.candidate_score,
        difference=comparison.difference,
    )
    recalls = sorted(comparison.recalls.items(), key=lambda r: (r[1].difference.value, r[0]))
    return [
        score,
        *(
            _Row(
                name=name,
                before=recall.champion_recall,
                after=recall.candidate_recall,
                difference=recall.difference,
            )
            for name, recall in recalls[:_MAX_CLASSES]
        ),
    ]


SECTION = Section(
    anchor="comparisons", title="Comparison on the same rows", template=_TEMPLATE, values=_values
)
