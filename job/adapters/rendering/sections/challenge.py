"""The published model on the challenge set: before the scores of the table's own rows."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from job.adapters.rendering.challenge import describe_challenge, list_challenge_scores
from job.adapters.rendering.charts import dots, scale_of
from job.adapters.rendering.intervals import find_interval
from job.adapters.rendering.sections.confusion import list_confused
from job.adapters.rendering.sections.section import Section

_TEMPLATE = """
{% for text in texts %}<p>{{ text }}</p>{% endfor %}
<div class="scroll" role="region" tabindex="0" aria-label="Scores on the challenge set"><table>
<caption>Real requests in people's own words, judged by the published model.</caption>
<thead><tr><th scope="col">Metric</th><td class="dotted"></td><th scope="col" class="n">Score</th>
<th scope="col" class="n">Interval</th></tr></thead>
<tbody>{% for r in rows %}<tr><th scope="row">{{ r.name }}</th><td class="dotted">{{ r.dots }}</td>
<td class="n strong">{{ r.value|score }}</td><td class="n">{% if r.interval %}\
{{ r.interval.low|score }} to {{ r.interval.high|score }}{% endif %}</td></tr>
{% endfor %}</tbody></table></div>
<div class="scroll tall" role="region" tabindex="0" aria-label="Classes of the challenge set">
<table class="sortable"><caption>The lowest recall comes first.</caption>
<thead><tr><th scope="col">Class</th><th scope="col" class="n" aria-sort="ascending">Recall</th>
<th scope="col" class="n">Interval</th><th scope="col" class="n">Precision</th>
<th scope="col" class="n">F1</th><th scope="col" class="n">Requests</th></tr></thead>
<tbody>{% for r in classes %}<tr><th scope="row">{{ r.name|breakable }}</th>
<td class="n">{{ r.recall|score }}</td><td class="n">{% if r.interval %}
{{ r.interval.low|score }} to {{ r.interval.high|score }}{% endif %}</td>
<td class="n">{{ r.precision|score }}</td><td class="n">{{ r.f1|score }}</td>
<td class="n">{{ r.n_test|count }}</td></tr>
{% endfor %}</tbody></table></div>
{% if pairs %}<div class="scroll" role="region" tabindex="0"
aria-label="Most confused classes of the challenge set">
<table><caption>Taken for another most often.</caption>
<thead><tr><th scope="col">True class</th><th scope="col">Predicted as</th>
<th scope="col" class="n">Requests</th><th scope="col" class="n">Of its requests</th></tr></thead>
<tbody>{% for p in pairs %}<tr><td>{{ p.true|breakable }}</td><td>{{ p.predicted|breakable }}</td>
<td class="n">{{ p.n|count }}</td><td class="n">{{ p.of|count }}</td></tr>
{% endfor %}</tbody></table></div>{% endif %}
"""


def _values(_: dict[str, Any], evaluation: dict[str, Any]) -> dict[str, Any] | None:
    challenge = evaluation.get("challenge")
    if not challenge:
        return None
    rows = list_challenge_scores(evaluation)
    drawn = [r for r in rows if r["key"] != "log_loss"]
    scale = scale_of([r["interval"].low if r["interval"] else r["value"] for r in drawn])
    for row in rows:
        ends = (row["interval"].low, row["interval"].high) if row["interval"] else ()
        row["dots"] = dots(scale, row["value"], *ends) if row in drawn else Markup("")
    ordered = sorted(challenge["per_class"].items(), key=lambda item: (item[1]["recall"], item[0]))
    return {
        "texts": describe_challenge(evaluation),
        "rows": rows,
        "classes": [
            {"name": name, "interval": find_interval(challenge, "recall", name), **scores}
            for name, scores in ordered
        ],
        "pairs": list_confused(challenge["classes"], challenge["confusion"]),
    }


SECTION = Section(anchor="challenge", title="The challenge set", template=_TEMPLATE, values=_values)
