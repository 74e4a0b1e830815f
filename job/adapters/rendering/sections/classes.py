"""The scores of each class in a sortable table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from job.adapters.rendering.charts import draw_score, scale_of
from job.adapters.rendering.formatting import metric_name
from job.adapters.rendering.sections.section import Section
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.metadata import Metadata

_METRICS: Final = ("recall", "precision", "f1", "roc_auc", "pr_auc")
_TEMPLATE = """
<p>This section shows the scores of each class against all other classes.</p>
<div class="scroll tall" role="region" tabindex="0" aria-label="Scores of each class">
<table class="sortable"><caption>Lowest recall first. The dot is the recall\
{% if has_intervals %}, the whiskers are its confidence interval{% endif %}.</caption>
<thead><tr><th scope="col">Class</th><td class="dotted"></td>
{% for name in metrics %}<th scope="col" class="n"\
{% if loop.first %} aria-sort="ascending"{% endif %}>{{ name }}</th>
{% if loop.first and has_intervals %}<th scope="col" class="n">Interval</th>{% endif %}{% endfor %}
<th scope="col" class="n">Evaluated rows</th>
<th scope="col" class="n">Training rows</th></tr></thead>
<tbody>{% for r in rows %}<tr><th scope="row">{{ r.name|breakable }}</th>
<td class="dotted">{{ r.dots }}</td>
{% for value in r.scores %}<td class="n">{{ value|score }}</td>
{% if loop.first and has_intervals %}<td class="n">{% if r.interval %}\
{{ r.interval.lower|score }} to
{{ r.interval.upper|score }}{% endif %}</td>{% endif %}{% endfor %}
<td class="n">{{ r.n_test|count }}</td>
<td class="n">{% if r.n_train is not none %}{{ r.n_train|count }}{% endif %}</td></tr>
{% endfor %}</tbody></table></div>
"""


def _values(_: Metadata, evaluation: Evaluation) -> Mapping[str, object] | None:
    if not evaluation.per_class:
        return None
    per_class, intervals = evaluation.per_class, evaluation.intervals.per_class
    recalls = {name: intervals.get(name, {}).get("recall") for name in per_class}
    ends = [c.recall for c in per_class.values()] + [i.lower for i in recalls.values() if i]
    scale = scale_of(ends)
    trained = {name: counts.n_train for name, counts in evaluation.split.classes.items()}
    return {
        "rows": [
            {
                "name": name,
                "dots": draw_score(scale, scores.recall, recalls[name]),
                "scores": [getattr(scores, metric) for metric in _METRICS],
                "interval": recalls[name],
                "n_test": scores.n_test,
                "n_train": trained.get(name),
            }
            for name, scores in sorted(per_class.items(), key=lambda c: (c[1].recall, c[0]))
        ],
        "metrics": [metric_name(name) for name in _METRICS],
        "has_intervals": any(recalls.values()),
    }


SECTION = Section(anchor="classes", title="Classes", template=_TEMPLATE, values=_values)
