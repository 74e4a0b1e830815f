"""All scores with their confidence intervals, and the scores of the baselines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from job.adapters.rendering.charts import Scale, draw_score, scale_of
from job.adapters.rendering.methods import (
    PUBLISHED,
    RECIPE,
    count_judged,
    describe_scores,
    method_of,
)
from job.adapters.rendering.sections.section import Section
from job.contracts.metrics import METRICS, is_negative
from job.contracts.reports.evaluation import Evaluation
from job.contracts.reports.intervals import Interval
from job.contracts.reports.metadata import Metadata

_TEMPLATE = """
<p>This section shows all scores with their confidence intervals, and the scores of simple
baselines. {{ whose }}</p>
{% if method %}<p>The dot is the score, the whiskers are its \
{% if method.level %}{{ method.level|percent }} {% endif %}confidence interval\
{% if method.method %} ({{ method.method }}){% endif %}\
{% if method.n_groups %}, computed from {{ method.n_groups|count }} groups{% endif %}.</p>
{% endif %}
<div class="scroll" role="region" tabindex="0" aria-label="Scores"><table>
<caption>Scores on {{ judged }}.{% if scale %} The scale of the dots goes from
{{ scale.low }} to {{ scale.high }}.{% endif %}</caption>
<thead><tr><th scope="col">Metric</th><td class="dotted"></td>
<th scope="col" class="n">{{ score_name }}</th>
{% if method %}<th scope="col" class="n">Interval</th>{% endif %}
{% if published %}<th scope="col" class="n">{{ published }}</th>
<th scope="col" class="n">Interval of the published model</th>{% endif %}
{% for name in baselines %}<th scope="col" class="n">Baseline: {{ name|words }}</th>{% endfor %}
</tr></thead>
<tbody>{% for r in rows %}<tr><th scope="row">{{ r.row.key|metric }}</th>\
<td class="dotted">{{ r.dots }}</td>
<td class="n strong">{{ r.row.value|score }}</td>
{% if method %}<td class="n">{% if r.row.interval %}{{ r.row.interval.lower|score }} to
{{ r.row.interval.upper|score }}{% endif %}</td>{% endif %}
{% if published %}<td class="n">{{ r.row.published|score }}</td>
<td class="n">{% if r.row.published_interval %}{{ r.row.published_interval.lower|score }} to
{{ r.row.published_interval.upper|score }}{% endif %}</td>{% endif %}
{% for value in r.row.baselines %}<td class="n">{{ value|score }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></div>
{% if absent %}<p>Without an interval: {% for name, reason in absent %}{{ name|metric }}
({{ reason }}){{ ", " if not loop.last }}{% endfor %}.</p>{% endif %}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A row of the table: a metric's headline score, and the scores of the other models."""

    key: str
    value: float
    interval: Interval | None
    published: float | None
    published_interval: Interval | None
    baselines: tuple[float | None, ...]

    @property
    def is_drawn(self) -> bool:
        """Whether the score is drawn as a dot; only shares between 0 and 1 are drawn."""
        metric = METRICS.get(self.key)
        return 0 <= self.value <= 1 and (metric is None or metric.is_share)


def _values(_: Metadata, evaluation: Evaluation) -> Mapping[str, object] | None:
    names = [name for name in evaluation.scores if not is_negative(name)]
    if not names:
        return None
    rows = [_row(evaluation, name) for name in names]
    ends = [row.interval.lower if row.interval else row.value for row in rows if row.is_drawn]
    scale = scale_of(ends) if ends else None
    return {
        "rows": [{"row": row, "dots": _draw(row, scale)} for row in rows],
        "scale": scale,
        "baselines": list(evaluation.baselines),
        "whose": describe_scores(evaluation),
        "judged": count_judged(evaluation),
        "score_name": RECIPE if method_of(evaluation) == "cross_fit" else "Score",
        "published": PUBLISHED if evaluation.holdout else "",
        "method": evaluation.intervals,
        "absent": [(n, why) for n, why in evaluation.intervals.absent.items() if n in names],
    }


def _row(evaluation: Evaluation, name: str) -> _Row:
    holdout = evaluation.holdout
    return _Row(
        key=name,
        value=evaluation.scores[name],
        interval=evaluation.intervals.scores.get(name),
        published=holdout.scores.get(name) if holdout else None,
        published_interval=holdout.intervals.scores.get(name) if holdout else None,
        baselines=tuple(scores.get(name) for scores in evaluation.baselines.values()),
    )


def _draw(row: _Row, scale: Scale | None) -> Markup:
    if scale is None or not row.is_drawn:
        return Markup("")
    return draw_score(scale, row.value, row.interval)


SECTION = Section(anchor="scores", title="Scores", template=_TEMPLATE, values=_values)
