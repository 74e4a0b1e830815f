"""This model and another on the very same rows, as the gate compared them."""

from __future__ import annotations

from typing import Any, Final

from markupsafe import Markup

from job.adapters.rendering.charts import Scale, dots
from job.adapters.rendering.formatting import metric_name
from job.adapters.rendering.intervals import read_interval
from job.adapters.rendering.sections.section import Section

_MAX_CLASSES: Final = 10
_TEMPLATE = """
{% for c in comparisons %}
<h3>The {{ c.role }}, <code>{{ c.version }}</code></h3>
{% if c.rows %}<div class="scroll" role="region" tabindex="0" \
aria-label="This model beside the {{ c.role }}"><table>
<caption>{% if c.basis == "shared_groups" %}By the cross-fitted predictions of both runs, on
{{ c.n_rows|count }} rows in {{ c.n_groups|count }} groups that share texts with its table;
{{ c.n_excluded|count }} other rows were left out.{% elif c.basis == "challenge" %}By the published
models, on {{ c.n_rows|count }} requests of the challenge set in {{ c.n_groups|count }} groups;
{{ c.n_excluded|count }} were left out because the {{ c.role }} had seen them.{% else %}On
{{ c.n_rows|count }} rows in {{ c.n_groups|count }} groups that neither was trained on;
{{ c.n_excluded|count }} were left out because the {{ c.role }} had seen them.{% endif %}
Classes by the lowest change of recall.</caption>
<thead><tr><th scope="col">What</th><th scope="col" class="n">{{ c.role|capitalize }}</th>
<th scope="col" class="n">This model</th><td class="dotted"></td>
<th scope="col" class="n">Difference</th><th scope="col" class="n">Interval</th></tr></thead>
<tbody>{% for r in c.rows %}<tr><th scope="row">{{ r.name }}</th>
<td class="n">{{ r.before|score }}</td><td class="n">{{ r.after|score }}</td>
<td class="dotted">{{ r.dots }}</td><td class="n strong">{{ r.difference|signed }}</td>
<td class="n">{% if r.interval %}{{ r.interval.low|signed }} to {{ r.interval.high|signed }}\
{% endif %}</td></tr>
{% endfor %}</tbody></table></div>
{% else %}<p class="note">They cannot be compared\
{% if c.basis == "challenge" %} on the challenge set{% endif %}: {{ c.problem }}.</p>{% endif %}
{% endfor %}
"""


def _values(_: dict[str, Any], evaluation: dict[str, Any]) -> dict[str, Any] | None:
    comparisons = evaluation["gate"].get("comparisons")
    if not comparisons:
        return None
    # versions of earlier releases do not say on which rows
    basis = {"basis": "new_rows"}
    return {"comparisons": [{**basis, **one, "rows": _rows(one)} for one in comparisons]}


def _rows(comparison: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the score first, then the classes whose recall changed for the worst."""
    if not comparison.get("difference"):
        return []
    names = ("champion_score", "candidate_score")
    rows = [_row(metric_name(comparison["metric"]), comparison, names)]
    recalls = sorted(
        comparison.get("recalls", {}).items(), key=lambda r: (r[1]["difference"]["value"], r[0])
    )
    names = ("champion_recall", "candidate_recall")
    rows += [_row(name, recall, names) for name, recall in recalls[:_MAX_CLASSES]]
    ends = [abs(end) for row in rows for end in row["ends"]]
    scale = Scale(low=-max(ends, default=1.0), high=max(ends, default=1.0))
    return [{**row, "dots": _draw(row, scale)} for row in rows]


def _row(name: str, content: dict[str, Any], names: tuple[str, str]) -> dict[str, Any]:
    difference, interval = content["difference"], read_interval(content["difference"])
    return {
        "name": name,
        "before": content[names[0]],
        "after": content[names[1]],
        "difference": difference["value"],
        "interval": interval,
        "ends": [difference["value"], *((interval.low, interval.high) if interval else ())],
    }


def _draw(row: dict[str, Any], scale: Scale) -> Markup:
    interval = row["interval"]
    ends = (interval.low, interval.high) if interval else ()
    return dots(scale, row["difference"], *ends, is_signed=True)


SECTION = Section(
    anchor="comparisons", title="On the same rows", template=_TEMPLATE, values=_values
)
