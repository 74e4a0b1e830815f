"""All scores on the test rows with their confidence intervals, and the baselines'."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from job.adapters.rendering.charts import Scale, dots, scale_of
from job.adapters.rendering.formatting import metric_name
from job.adapters.rendering.intervals import describe_intervals, find_interval
from job.adapters.rendering.methods import (
    PUBLISHED,
    RECIPE,
    count_judged,
    describe_scores,
    method_of,
)
from job.adapters.rendering.sections.section import Section

_TEMPLATE = """
<p>{{ whose }}</p>
{% if method %}<p>The dot is the score, the whiskers are its \
{% if method.level %}{{ method.level|percent }} {% endif %}interval\
{% if method.method %} ({{ method.method }}){% endif %}\
{% if method.n_groups %}, {{ method.n_groups|count }} groups{% endif %}.</p>{% endif %}
<div class="scroll" role="region" tabindex="0" aria-label="Scores"><table>
<caption>Scores on {{ judged }}{% if scale %}; the rail of a dot goes from
{{ scale.low }} to {{ scale.high }}{% endif %}.</caption>
<thead><tr><th scope="col">Metric</th><td class="dotted"></td>
<th scope="col" class="n">{{ score_name }}</th>
{% if method %}<th scope="col" class="n">Interval</th>{% endif %}
{% if published %}<th scope="col" class="n">{{ published }}</th>
<th scope="col" class="n">Its interval</th>{% endif %}
{% for name in baselines %}<th scope="col" class="n">{{ name|words }} as a baseline</th>{% endfor %}
</tr></thead>
<tbody>{% for r in rows %}<tr><th scope="row">{{ r.name }}</th><td class="dotted">{{ r.dots }}</td>
<td class="n strong">{{ r.value|score }}</td>
{% if method %}<td class="n">{% if r.interval %}{{ r.interval.low|score }} to
{{ r.interval.high|score }}{% endif %}</td>{% endif %}
{% if published %}<td class="n">{{ r.published|score }}</td>
<td class="n">{% if r.published_interval %}{{ r.published_interval.low|score }} to
{{ r.published_interval.high|score }}{% endif %}</td>{% endif %}
{% for value in r.baselines %}<td class="n">{{ value|score }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></div>
"""


def _values(_: dict[str, Any], evaluation: dict[str, Any]) -> dict[str, Any] | None:
    # negated, it is a metric of the search, and says nothing new
    scores = {k: v for k, v in evaluation["scores"].items() if k != "neg_log_loss"}
    if not scores:
        return None
    baselines, holdout = evaluation.get("baselines", {}), evaluation.get("holdout")
    is_recipe = method_of(evaluation) == "cross_fit"
    rows = []
    for name, value in scores.items():
        rows.append(
            {
                "key": name,
                "name": metric_name(name),
                "value": value,
                "interval": find_interval(evaluation, name),
                "published": holdout["scores"].get(name) if holdout else None,
                "published_interval": find_interval(holdout, name) if holdout else None,
                "baselines": [baseline.get(name) for baseline in baselines.values()],
            }
        )
    drawn = [r for r in rows if 0 <= r["value"] <= 1 and r["key"] != "log_loss"]
    ends = [r["interval"].low if r["interval"] else r["value"] for r in drawn]
    scale = scale_of(ends) if drawn else None
    for row in rows:
        row["dots"] = _draw(row, scale) if row in drawn and scale else Markup("")
    return {
        "rows": rows,
        "scale": scale,
        "baselines": list(baselines),
        "whose": describe_scores(evaluation),
        "judged": count_judged(evaluation),
        "score_name": RECIPE if is_recipe else "Score",
        "published": PUBLISHED if holdout else "",
        "method": describe_intervals(evaluation),
    }


def _draw(row: dict[str, Any], scale: Scale) -> Markup:
    interval = row["interval"]
    return (
        dots(scale, row["value"], interval.low, interval.high)
        if interval
        else dots(scale, row["value"])
    )


SECTION = Section(anchor="scores", title="Scores", template=_TEMPLATE, values=_values)
