"""Every class in a table that sorts."""

from __future__ import annotations

from typing import Any, Final

from job.adapters.rendering.charts import dots, scale_of
from job.adapters.rendering.formatting import metric_name
from job.adapters.rendering.intervals import find_interval
from job.adapters.rendering.sections.section import Section

_METRICS: Final = ("recall", "precision", "f1", "roc_auc", "pr_auc")
_TEMPLATE = """
<div class="scroll tall" role="region" tabindex="0" aria-label="Scores of every class">
<table class="sortable"><caption>The lowest recall comes first\
{% if has_intervals %}; whiskers and brackets are the intervals of recall{% endif %}.</caption>
<thead><tr><th scope="col">Class</th><td class="dotted"></td>
{% for name in metrics %}<th scope="col" class="n"\
{% if loop.first %} aria-sort="ascending"{% endif %}>{{ name }}</th>
{% if loop.first and has_intervals %}<th scope="col" class="n">Interval</th>{% endif %}{% endfor %}
<th scope="col" class="n">Judged rows</th><th scope="col" class="n">Training rows</th></tr></thead>
<tbody>{% for r in rows %}<tr><th scope="row">{{ r.name|breakable }}</th>
<td class="dotted">{{ r.dots }}</td>
{% for value in r.scores %}<td class="n">{{ value|score }}</td>
{% if loop.first and has_intervals %}<td class="n">{% if r.interval %}{{ r.interval.low|score }} to
{{ r.interval.high|score }}{% endif %}</td>{% endif %}{% endfor %}
<td class="n">{{ r.n_test|count }}</td>
<td class="n">{% if r.n_train is not none %}{{ r.n_train|count }}{% endif %}</td></tr>
{% endfor %}</tbody></table></div>
"""


def _values(_: dict[str, Any], evaluation: dict[str, Any]) -> dict[str, Any] | None:
    per_class = evaluation.get("per_class")
    if not per_class:
        return None
    shares = evaluation.get("split", {}).get("classes", {})
    ordered = sorted(per_class.items(), key=lambda item: (item[1]["recall"], item[0]))
    intervals = {name: find_interval(evaluation, "recall", name) for name in per_class}
    ends = [c["recall"] for c in per_class.values()] + [i.low for i in intervals.values() if i]
    scale = scale_of(ends)
    rows = []
    for name, class_scores in ordered:
        interval = intervals[name]
        whiskers = (interval.low, interval.high) if interval else ()
        rows.append(
            {
                "name": name,
                "dots": dots(scale, class_scores["recall"], *whiskers),
                "scores": [class_scores.get(metric) for metric in _METRICS],
                "interval": interval,
                "n_test": class_scores["n_test"],
                "n_train": shares.get(name, {}).get("n_train"),
            }
        )
    return {
        "rows": rows,
        "metrics": [metric_name(name) for name in _METRICS],
        "has_intervals": any(intervals.values()),
    }


SECTION = Section(anchor="classes", title="Classes", template=_TEMPLATE, values=_values)
